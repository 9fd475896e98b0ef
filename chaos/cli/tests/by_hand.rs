//! The control API by hand: the commands of `docs/running-system.md`, on proxies of the file that the page shows. Shown as
//! ignored where there is no curl.

#[expect(dead_code, reason = "the tests of the whole command use more of it")]
#[path = "command/support/mod.rs"]
mod support;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::{
    net::{Ipv4Addr, TcpListener},
    process::Command,
};
use support::Sandbox;

const PAGE: &str = include_str!("../../../docs/running-system.md");

fn main() {
    let by_hand = Trial::ignorable_test("the control API is steered by hand as the page says", || {
        if Command::new("curl").arg("--version").output().is_err() {
            return Ok::<_, Failed>(Completion::ignored_with("no curl is on the path"));
        }
        tokio::runtime::Runtime::new()?.block_on(commands());
        Ok(Completion::Completed)
    });
    libtest_mimic::run(&Arguments::from_args(), vec![by_hand]).exit();
}

/// The page's block of this language that has `text` in it.
fn block(language: &str, text: &str) -> &'static str {
    let blocks = PAGE.split("```").skip(1).step_by(2);
    let mut texts = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    texts.find(|block| block.contains(text)).expect("the page has the block")
}

/// Ports of this machine that nobody listens on, for a moment.
fn free_ports() -> [String; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port().to_string())
}

async fn commands() {
    let sandbox = Sandbox::new();
    let [control, link] = free_ports();
    let here = |text: &str| text.replace("8400", &control).replace("16379", &link);
    sandbox.write("proxies.toml", here(block("toml", "# proxies.toml")));
    let mut proxy = sandbox.chaos("proxy proxies.toml").start();
    proxy.line("the control server listens").await;
    let commands = here(block("sh", "say()"));
    let printed = shell(&sandbox, &commands);
    let steps = ["{\"links\":[{\"link\":\"gateway -> redis\",", "\"done\"", "{\"removed\":{\"fired\":{"];
    let found: Vec<Option<usize>> = steps.iter().map(|step| printed.find(step)).collect();
    assert!(found.iter().all(Option::is_some) && found.is_sorted(), "{printed}");
    assert!(!printed.contains("problem-type"), "{printed}");
    // The mistake that the page shows: nothing is put in place, so that there is nothing to take back either.
    let wrong = shell(&sandbox, &commands.replace("\"command\"", "\"commands\""));
    assert!(wrong.contains(block("json", "pointer").trim()), "{wrong}");
    assert!(!wrong.contains("\"done\"") && !wrong.contains("removed"), "{wrong}");
    proxy.signal(rustix::process::Signal::TERM);
    proxy.finish().await.exited(0);
}

/// Output of commands in a folder.
fn shell(sandbox: &Sandbox, commands: &str) -> String {
    let ran = Command::new("sh").args(["-euc", commands]).current_dir(sandbox.path()).output().expect("a shell");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).into_owned()
}
