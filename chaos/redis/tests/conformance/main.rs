//! One body of tests against the built-in Redis, in memory and over TCP, and against a real `redis-server`: what it
//! expects is what Redis does. Where no `redis-server` is on the path, the tests that need it are shown as ignored.

#![expect(clippy::unwrap_used, reason = "with a harness of its own, clippy doesn't see that this is a test")]

mod authentication;
mod clients;
mod commands;
mod difference;
mod eviction;
mod expiry;
mod keys;
mod library;
mod memory;
mod pipelines;
mod protocol;
mod replies;
mod rows;
mod target;
mod transactions;

use futures_util::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::{process::Command, time::Duration};
use target::{Target, World};

/// No test takes so long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

type Part = fn(Target) -> LocalBoxFuture<'static, ()>;

/// Name, the password that its server has, and the test.
const PARTS: &[(&str, Option<&str>, Part)] = &[
    ("replies", None, |target| Box::pin(replies::run(target))),
    ("protocol_errors", None, |target| Box::pin(protocol::run(target))),
    ("pipelines", None, |target| Box::pin(pipelines::run(target))),
    ("expiry", None, |target| Box::pin(expiry::run(target))),
    ("keys", None, |target| Box::pin(keys::run(target))),
    ("transactions", None, |target| Box::pin(transactions::run(target))),
    ("memory", None, |target| Box::pin(memory::run(target))),
    ("eviction", None, |target| Box::pin(eviction::run(target))),
    ("clients_and_info", None, |target| Box::pin(clients::run(target))),
    ("authentication", Some("sesame"), |target| Box::pin(authentication::run(target))),
    ("client_library", Some("sesame"), |target| Box::pin(library::run(target))),
];

fn main() {
    let real = version().map(|version| format!("redis-server {version}"));
    let mut trials = vec![];
    for (name, password, part) in PARTS {
        for world in [World::Memory, World::Tcp] {
            trials.push(Trial::test(format!("{name}, built in, {}", world.name()), move || {
                in_runtime(world, async move { part(Target::built_in(world, *password)).await });
                Ok(())
            }));
        }
        trials.push(with_real(name, real.as_deref(), async move || part(Target::real(*password).await).await));
    }
    trials.push(with_real("difference to the built-in one", real.as_deref(), async || {
        difference::run(Target::built_in(World::Tcp, None), Target::real(None).await).await;
    }));
    // Other versions have other commands.
    let same = real.as_deref().filter(|real| real.contains(commands::VERSION));
    trials.push(with_real("the table of commands", same, async || commands::run(Target::real(None).await).await));
    let write = with_real("write_the_table", same, async || commands::write(Target::real(None).await).await);
    trials.push(write.with_ignored_flag(true));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A test that needs the real one: ignored, with the reason, where there is none.
fn with_real(name: &str, real: Option<&str>, test: impl AsyncFnOnce() + Send + 'static) -> Trial {
    let full_name = format!("{name}, {}", real.unwrap_or("redis-server"));
    let is_there = real.is_some();
    Trial::ignorable_test(full_name, move || {
        if !is_there {
            return Ok::<_, Failed>(Completion::ignored_with("no redis-server that it is for is on the path"));
        }
        in_runtime(World::Tcp, test());
        Ok(Completion::Completed)
    })
}

/// Time is paused where there are no sockets.
fn in_runtime(world: World, test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(world == World::Memory);
    let limited = async { tokio::time::timeout(PATIENCE, test).await.expect("an end in time") };
    builder.build().expect("a runtime").block_on(limited);
}

/// The version of the `redis-server` on the path, if there is one.
fn version() -> Option<String> {
    let output = Command::new("redis-server").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().find_map(|word| word.strip_prefix("v=")).map(str::to_owned)
}
