//! Commands that read scenarios and start nothing.

use crate::support::{Sandbox, scenarios};

#[tokio::test]
async fn check_and_explain_start_nothing() {
    let sandbox = Sandbox::new();
    // Whatever is started says so in a file.
    let text = scenarios::by_command(r#"["touch", "started"]"#);
    let file = sandbox.write("good.toml", text);
    let run = sandbox.chaos(&format!("check {file}")).run().await;
    run.exited(0);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("good.toml: valid, 1 fault, 3 expectations, 0 guards\n", ""));
    sandbox.chaos(&format!("explain {file}")).run().await.exited(0).said("touch started");
    assert!(!sandbox.path().join("started").exists(), "a command was started");
    sandbox.assert_clean();
    // A run does start it, and so would show it.
    sandbox.chaos(&format!("run {file}")).run().await.exited(3);
    assert!(sandbox.path().join("started").exists(), "a run starts it");
}

#[tokio::test]
async fn check_warns_of_a_fault_that_no_request_can_meet_and_takes_it() {
    let sandbox = Sandbox::new();
    let effect = "effect = \"delay\"\ndelay = \"1ms\"\nonly.path = \"/orders/*\"";
    let file = sandbox.write("unmet.toml", scenarios::passing().replace("effect = \"refuse\"", effect));
    let run = sandbox.chaos(&format!("check {file}")).run().await;
    run.exited(0)
        .said("unmet.toml: valid, 1 fault")
        .complained("warning: `away`: no request of the load has such a path");
    run.complained("clients send `GET /users/{user}`");
}

#[tokio::test]
async fn calls_are_counted_in_every_world() {
    let sandbox = Sandbox::new();
    let calls = |bound: &str| {
        let calls = format!("calls.'client -> users GET /users/*' = \"{bound} per request\"");
        scenarios::with(&format!("[[expect]]\nthat = \"it\"\nduring = \"baseline\"\n{calls}\n"))
    };
    let (good, bad) = (sandbox.write("good.toml", calls("0.9..1.1")), sandbox.write("bad.toml", calls("> 1.5")));
    for world in ["sim", "local"] {
        sandbox.chaos(&format!("run --world {world} {good}")).run().await.exited(0).said("per request (");
    }
    // A machine that is pressed lets none fail, and a simulation has none.
    let run = sandbox.chaos(&format!("run --world sim {bad}")).run().await;
    run.exited(1).said("calls.'client -> users GET /users/*'").said("1.00 per request");
}

#[tokio::test]
async fn check_says_what_a_system_file_is() {
    let sandbox = Sandbox::new();
    let system = std::fs::read_to_string(scenarios::shipped().join("system.toml")).expect("it ships");
    let file = sandbox.write("system.toml", system);
    let run = sandbox.chaos(&format!("check {file}")).run().await;
    run.exited(2).complained("`system.toml` is a system file, not a scenario");
    run.complained("the scenarios in its folder use it: name one of them, or the folder");
    assert_eq!(run.err.matches("error:").count(), 1, "{run}");
}

#[tokio::test]
async fn explain_tells_all_that_a_run_would_do() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::proven());
    let run = sandbox.chaos(&format!("explain {file} --set load.rate=50/s")).run().await;
    run.exited(0);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("explain", run.out);
}
