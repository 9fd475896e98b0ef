//! The command with a real `redis-server`: shown as ignored where none is on the path.

#[expect(dead_code, reason = "the tests of the whole command use more of it")]
#[path = "command/support/mod.rs"]
mod support;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use support::{Sandbox, scenarios};

fn main() {
    let version = version();
    let name = "redis_down passes with a redis-server and names it";
    let trial = Trial::ignorable_test(name, move || {
        let Some(version) = &version else {
            return Ok::<_, Failed>(Completion::ignored_with("no redis-server is on the path"));
        };
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(passes(version));
        Ok(Completion::Completed)
    });
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit();
}

/// By itself, and when it is asked for.
async fn passes(version: &str) {
    let sandbox = Sandbox::new();
    let file = scenarios::redis_down(&sandbox);
    for program in ["redis", "redis-server"] {
        let command = format!("run {file} {} --set service.redis.program={program}", scenarios::SHORTER);
        let run = sandbox.chaos(&command).run().await;
        run.exited(0).said(&format!("redis-server {version}")).said("nothing left behind");
        sandbox.assert_clean();
    }
}

/// The version of the `redis-server` on the path, if there is one.
fn version() -> Option<String> {
    let output = std::process::Command::new("redis-server").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().find_map(|word| word.strip_prefix("v=")).map(str::to_owned)
}
