//! A Redis that asks for a password, in the worlds that need no engine.

use crate::support::{Sandbox, scenarios};

/// True where this machine has a real Redis.
fn has_a_real_one() -> bool {
    std::process::Command::new("redis-server").arg("--version").output().is_ok()
}

#[tokio::test]
async fn is_used_and_made_to_forget_by_its_password_in_every_world() {
    for (world, program) in [("sim", "redis"), ("local", "redis-built-in"), ("local", "redis-server")] {
        if program == "redis-server" && !has_a_real_one() {
            continue;
        }
        let sandbox = Sandbox::new();
        let file = sandbox.write("password.toml", scenarios::redis_with_a_password(program));
        let run = sandbox.chaos(&format!("run {file} --world {world}")).run().await;
        scenarios::assert_it_forgot(&run);
        // A simulation knows no machine that others keep busy.
        assert!(world != "sim" || run.code == Some(0), "{run}");
    }
}

#[tokio::test]
async fn is_not_made_to_forget_by_who_knows_no_password() {
    for (world, program) in [("sim", "redis"), ("local", "redis-built-in"), ("local", "redis-server")] {
        if program == "redis-server" && !has_a_real_one() {
            continue;
        }
        let sandbox = Sandbox::new();
        let text = scenarios::redis_with_a_password(program).replace(":s3cret@", "");
        let run = sandbox.chaos(&format!("run {} --world {world}", sandbox.write("none.toml", text))).run().await;
        // Lines are wrapped where the terminal's end is.
        let said = run.exited(3).out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("redis asks for a password to forget: write it into the URL of a link"), "{run}");
    }
}

#[tokio::test]
async fn is_made_to_forget_by_the_variable_that_its_password_names() {
    for (world, program) in [("sim", "redis"), ("local", "redis-built-in")] {
        let sandbox = Sandbox::new();
        let text = scenarios::redis_with_a_password(program);
        let named = text.replace("\"s3cret\"", "\"s3cret\"\npassword = \"{env:CACHE_PASSWORD}\"");
        // The gateway has another user's login, who may do no such thing.
        let named = named.replace("redis://:s3cret@", "redis://bob:pw@");
        let named = named.replace("\npassword", "\nenv.REDIS_USERS = \"bob on >pw ~* +@all -flushall\"\npassword");
        let file = sandbox.write("named.toml", named);
        let run = sandbox.chaos(&format!("run {file} --world {world}")).env("CACHE_PASSWORD", "s3cret").run().await;
        scenarios::assert_it_forgot(&run);
        assert!(world != "sim" || run.code == Some(0), "{run}");
    }
}
