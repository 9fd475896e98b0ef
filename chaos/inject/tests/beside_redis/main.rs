//! The filter of Redis beside a real `redis-server`: what a fault does to a connection is what a server does by itself. Where
//! none is on the path, the tests are shown as ignored.

#![expect(clippy::unwrap_used, reason = "with a harness of its own, clippy doesn't see that this is a test")]

mod client;
mod misses;
mod pipelines;
mod server;
mod states;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::{process::Command, time::Duration};

/// No test takes so long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The version that the table of commands is of: another refuses and serves others.
const VERSION: &str = "7.0.";

fn main() {
    let real = version().filter(|version| version.starts_with(VERSION));
    let mut trials = vec![with_real("misses", real.as_deref(), misses::run)];
    for state in states::ALL {
        let name = format!("state {}", state.word());
        trials.push(with_real(&name, real.as_deref(), async move || states::run(*state).await));
    }
    trials.push(with_real("pipelines", real.as_deref(), async || pipelines::run(0..40).await));
    let all = with_real("all_pipelines", real.as_deref(), async || pipelines::run(0..1000).await);
    trials.push(all.with_ignored_flag(true));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A test that needs a real server: ignored, with the reason, where there is none.
fn with_real(name: &str, real: Option<&str>, test: impl AsyncFnOnce() + Send + 'static) -> Trial {
    let is_there = real.is_some();
    Trial::ignorable_test(name, move || {
        if !is_there {
            return Ok::<_, Failed>(Completion::ignored_with("no redis-server 7.0 is on the path"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { tokio::time::timeout(PATIENCE, test()).await.expect("an end in time") });
        Ok(Completion::Completed)
    })
}

/// The version of the `redis-server` on the path, if there is one.
fn version() -> Option<String> {
    let output = Command::new("redis-server").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().find_map(|word| word.strip_prefix("v=")).map(str::to_owned)
}
