//! Runs on one machine take turns.

use crate::support::{Running, Sandbox, scenarios};
use rustix::process::Signal;
use serde_json::Value;

#[tokio::test]
async fn a_run_waits_for_the_one_that_measures_and_both_pass() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    // A system that is left up keeps its turn, so that the second run certainly comes while the first has it.
    let mut first = sandbox.chaos(&format!("run {file} --keep")).start();
    first.line("the system is left up").await;
    let mut second = sandbox.chaos(&format!("run {file}")).start();
    second.line(&format!("another run (process {}) measures on this machine now", first.pid())).await;
    first.signal(Signal::INT);
    let (first, second) = tokio::join!(first.finish(), second.finish());
    first.exited(0).said("PASS in ").said("nothing left behind");
    second.exited(0).said("PASS in ").said("nothing left behind");
    sandbox.assert_clean();
}

#[tokio::test]
async fn two_runs_at_once_pass_both_and_never_measure_together() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let runs = ["a.jsonl", "b.jsonl"].map(|to| sandbox.chaos(&format!("run {file} --json {to}")).start());
    let [first, second] = runs.map(Running::finish);
    let (first, second) = tokio::join!(first, second);
    first.exited(0);
    second.exited(0);
    let [(a_from, a_to), (b_from, b_to)] = ["a.jsonl", "b.jsonl"].map(|name| window(&sandbox, name));
    assert!(a_to <= b_from || b_to <= a_from, "{a_from}..{a_to} and {b_from}..{b_to}");
    sandbox.assert_clean();
}

/// From when to when a run had its system up, in microseconds since the Unix epoch.
fn window(sandbox: &Sandbox, recording: &str) -> (u64, u64) {
    let text = std::fs::read_to_string(sandbox.path().join(recording)).expect("it was recorded");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let began = events[0]["unix_ms"].as_u64().expect("a date") * 1000;
    let at = |name: &str| {
        let event = events.iter().find(|event| event["event"] == name).expect(name);
        began + event["at_us"].as_u64().expect("a time")
    };
    (at("ready"), at("torn_down"))
}
