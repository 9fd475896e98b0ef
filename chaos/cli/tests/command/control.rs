//! `chaos run --control`: scenarios that show something, and scenarios that don't.

use crate::support::{Sandbox, scenarios};

#[tokio::test]
async fn a_scenario_that_shows_something_exits_0_and_says_what_differs() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run --control {file} --json events.jsonl")).run().await;
    run.exited(0).said("control: the same load, and none of the faults").said("left out, this is the control");
    run.said("SHOWS  good.toml (").said("differs: nobody is answered without it (fail without faults:");
    run.said("unanswered.any >= 100%: 0% (0 of ").said("PASS: the scenario shows something, in ");
    assert!(!run.out.contains(".log"), "what a control breaks is meant to break, and needs no logs:\n{run}");
    assert_eq!(run.out.matches("away begins").count(), 1, "{run}");
    let events = std::fs::read_to_string(sandbox.path().join("events.jsonl")).expect("it was recorded");
    assert_eq!(events.matches("\"event\":\"begin\"").count(), 2, "both runs are recorded");
    assert_eq!(events.matches("\"control\":true").count(), 1);
    sandbox.assert_clean();
}

/// [`scenarios::passing`] with a service that nobody uses, and a fault on it or on the way to it, which nobody notices.
fn idle(on: &str, effect: &str) -> String {
    let idle = "[service.users.env]\nNEIGHBOUR = \"{idle}\"\n\n[service.idle]\nprogram = \"order-service\"\n";
    let text = format!("{}\n{idle}", scenarios::passing()).replace("client -> users", on).replace("refuse", effect);
    text.replace("unanswered.any = \">= 100%\"", "unanswered.any = \"== 0%\"").replace("1500ms", "2500ms")
}

#[tokio::test]
async fn a_scenario_that_shows_nothing_exits_1() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("idle.toml", idle("idle", "kill"));
    let run = sandbox.chaos(&format!("run --control {file}")).run().await;
    run.exited(1).said("SHOWS NOTHING  idle.toml (");
    run.said("the same without faults: all are answered before (pass)").said("no injection met a request of the load");
    run.said("FAIL: the scenario does not show what it says, in ");
    sandbox.assert_clean();
}

/// Refused attempts to connect leave no line in the ledger: what would have come there says that they stood in the way.
#[tokio::test]
async fn a_fault_without_lines_in_the_ledger_shows_something_where_requests_go() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run --control --world sim {file} -e before")).run().await;
    run.exited(0).said("SHOWS  good.toml (").said("the same without faults: all are answered before (pass)");
    run.said("but without `away` (").said("PASS: the scenario shows something, in ");
}

#[tokio::test]
async fn a_fault_that_requests_met_shows_something_though_nobody_noticed() {
    let sandbox = Sandbox::new();
    let text = scenarios::passing().replace("effect = \"refuse\"", "effect = \"delay\"\ndelay  = \"1ms\"");
    let file = sandbox.write("slow.toml", text.replace("unanswered.any = \">= 100%\"", "unanswered.any = \"== 0%\""));
    let run = sandbox.chaos(&format!("run --control --world sim {file}")).run().await;
    run.exited(0).said("SHOWS  slow.toml (").said("the same without faults: all are answered before (pass)");
    run.said("injections met requests of the load");
}

#[tokio::test]
async fn a_scenario_whose_fault_never_fires_is_inconclusive_all_the_same() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("idle.toml", idle("users -> idle", "refuse"));
    let run = sandbox.chaos(&format!("run --control {file}")).run().await;
    run.exited(4).said("the fault `away` never fired").said("INCONCLUSIVE: the scenario does not show what it says");
}

#[tokio::test]
async fn keep_and_control_exclude_each_other() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    sandbox.chaos(&format!("run --control --keep {file}")).run().await.exited(2).complained("--keep");
}
