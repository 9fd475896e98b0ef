//! Faults of services, and faults that pulse, on real processes.

use crate::support::{Finished, Sandbox, scenarios};

/// A scenario of one service that says each time where it listens; with this fault in place of the usual one.
fn telling(sandbox: &Sandbox, fault: &str) -> String {
    let shell = format!("echo $PORT >> ports; exec {} serve user-service", env!("CARGO_BIN_EXE_chaos"));
    let text = scenarios::by_command(&format!("[\"sh\", \"-c\", {shell:?}]"));
    let (before, after) = text.split_once("[[fault]]").expect("it has a fault");
    // Its other expectations are of a link that is refused.
    let (_, again) = after.split_once("that   = \"all are answered again\"").expect("it expects that");
    let again = format!("[[expect]]\nthat   = \"all are answered again\"{again}").replace("300ms", "900ms");
    let text = format!("{before}[[fault]]\nname = \"away\"\n{fault}\n{again}");
    sandbox.write("pulses.toml", text.replace("\"1500ms\"", "\"3s\""))
}

/// Asserts a verdict, and none against the system. Starting a program may take longer than an edge may, where many
/// tests run at once.
#[track_caller]
fn assert_ended_well(run: &Finished) {
    assert!(matches!(run.code, Some(0 | 4)), "{run}");
    run.said("ok    all are answered again").said("nothing left behind");
}

/// The ports of a service that was started so often.
#[track_caller]
fn ports(sandbox: &Sandbox, times: usize, run: &Finished) {
    let text = std::fs::read_to_string(sandbox.path().join("ports")).expect("it told");
    let ports: Vec<&str> = text.lines().collect();
    assert_eq!(ports.len(), times, "{ports:?}\n{run}");
    assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");
}

#[tokio::test]
async fn a_service_that_is_started_again_keeps_its_address() {
    for (effect, did) in
        [("stop", "stopped, and started again"), ("kill", "killed, and started again"), ("restart", "restarted")]
    {
        let sandbox = Sandbox::new();
        let fault = format!("on = \"users\"\neffect = \"{effect}\"\nat = \"500ms\"\nfor = \"400ms\"");
        let file = telling(&sandbox, &fault);
        let run = sandbox.chaos(&format!("run {file}")).run().await;
        run.said(&format!("away begins: {effect} on users")).said(&format!("away ends: {did}\n"));
        assert_ended_well(&run);
        ports(&sandbox, 2, &run);
    }
}

#[tokio::test]
async fn a_service_that_pulses_is_frozen_or_ended_each_time() {
    for (effect, did, starts) in
        [("pause", "frozen, and let go on", 1), ("restart", "restarted", 3), ("kill", "killed, and started again", 3)]
    {
        let sandbox = Sandbox::new();
        let fault = format!(
            "on = \"users\"\neffect = \"{effect}\"\nat = \"300ms\"\nfor = \"1200ms\"\npulse = \"300ms of 900ms\""
        );
        let file = telling(&sandbox, &fault);
        let run = sandbox.chaos(&format!("run {file}")).run().await;
        run.said(&format!("away begins: {effect} on users, 300ms of each 900ms\n"));
        run.said(&format!("away ends after 2 pulses: {did}, 2 times\n"));
        assert_eq!(run.out.matches("away begins").count(), 1, "{run}");
        assert_ended_well(&run);
        ports(&sandbox, starts, &run);
    }
}

#[tokio::test]
async fn a_link_that_pulses_adds_up() {
    let sandbox = Sandbox::new();
    let fault =
        "on = \"client -> users\"\neffect = \"reset\"\nat = \"300ms\"\nfor = \"1200ms\"\npulse = \"300ms of 900ms\"";
    let file = telling(&sandbox, fault);
    let run = sandbox.chaos(&format!("run {file} --json events.jsonl")).run().await;
    assert_ended_well(&run);
    let events = std::fs::read_to_string(sandbox.path().join("events.jsonl")).expect("it was recorded");
    let events = events.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line));
    let removed = events.filter(|event| event["event"] == "fault_removed");
    let resets: Vec<u64> = removed.map(|event| event["fired"]["resets"].as_u64().expect("a count")).collect();
    assert!(resets.len() == 2 && resets.iter().all(|count| *count > 0), "{resets:?}\n{run}");
    run.said(&format!("away ends after 2 pulses: {} connections reset\n", resets[0] + resets[1]));
}
