//! The options of a run.

use crate::support::{Finished, Sandbox, ask, scenarios};
use rustix::process::Signal;
use serde_json::Value;
use std::{fs, net::SocketAddr, path::Path};

/// The events of a recording, each line of which must be one.
fn events(recording: &str) -> Vec<Value> {
    recording.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn named<'e>(events: &'e [Value], name: &'static str) -> impl Iterator<Item = &'e Value> {
    events.iter().filter(move |event| event["event"] == name)
}

/// Arrivals that were due in the whole run: the plan's, whatever came of them.
fn arrivals(events: &[Value]) -> u64 {
    let run = named(events, "phase").find(|event| event["phase"] == "run").expect("the run is a phase");
    run["arrivals"].as_u64().expect("a count")
}

#[tokio::test]
async fn one_seed_is_one_plan() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let mut plans = Vec::new();
    for (seed, recording) in [(7, "a.jsonl"), (7, "b.jsonl"), (8, "c.jsonl")] {
        let run = sandbox.chaos(&format!("run {file} --seed {seed} --json {recording}")).run().await;
        run.exited(0).said(&format!("seed {seed}, "));
        let events = events(&fs::read_to_string(sandbox.path().join(recording)).expect("it was recorded"));
        let begin = named(&events, "begin").next().expect("it begins");
        assert_eq!(begin["seed"], seed);
        plans.push((arrivals(&events), begin["phases"].clone(), begin["faults"].clone()));
    }
    assert_eq!(plans[0], plans[1]);
    assert_ne!(plans[0].0, plans[2].0, "another seed draws other arrivals");
}

#[tokio::test]
async fn set_changes_the_scenario_for_this_run() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file} --set load.rate=40/s --set fault.away.for=300ms")).run().await;
    run.exited(0).said("40/s for 1.5s");
    let run = sandbox.chaos(&format!("run {file} --set fault.away.fro=300ms")).run().await;
    run.exited(2).complained("--set:1:1").complained("did you mean `for`?");
    let run = sandbox.chaos(&format!("run {file} --set services.users.program=x")).run().await;
    run.exited(2).complained("did you mean `service`?");
}

#[tokio::test]
async fn a_file_of_images_that_is_not_there_is_a_mistake_of_the_command_line() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::proven());
    for command in ["run", "prove"] {
        let run = sandbox.chaos(&format!("{command} {file} --world docker --images nowhere.env")).run().await;
        run.exited(2).complained(&format!("chaos {command}: --images: can't read nowhere.env"));
    }
    sandbox.assert_clean();
}

#[tokio::test]
async fn expect_judges_that_expectation_alone() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file} -e before")).run().await;
    run.exited(0).said("all are answered before").said("what was expected held");
    assert!(!run.out.contains("nobody is answered without it"), "{run}");
    let run = sandbox.chaos(&format!("run {file} -e answered")).run().await;
    run.exited(2).complained("`answered` is part of several expectations:").complained("all are answered again");
    let run = sandbox.chaos(&format!("run {file} -e nowhere")).run().await;
    run.exited(2).complained("no expectation is called `nowhere`").complained("all are answered before");
}

#[tokio::test]
async fn keep_leaves_the_system_up_until_it_is_interrupted() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let mut run = sandbox.chaos(&format!("run {file} --keep")).start();
    run.line("the system is left up, until Ctrl-C").await;
    let service = run.line("users  ").await;
    let address: SocketAddr =
        service.split_whitespace().last().and_then(|word| word.parse().ok()).expect("its address");
    let through = run.line("client -> users goes through ").await;
    let proxy: SocketAddr = through.split_whitespace().last().and_then(|word| word.parse().ok()).expect("an address");
    for address in [address, proxy] {
        let response = ask::get(address, "/users/7").await;
        assert!(response.starts_with("HTTP/1.1 200 ") && response.contains("\"id\":\"7\""), "{address}: {response}");
    }
    run.signal(Signal::INT);
    run.finish().await.exited(0).said("PASS in ").said("nothing left behind");
    // Whether anybody listens there says nothing: the next run may have these ports by now.
    sandbox.assert_clean();
}

#[tokio::test]
async fn json_to_a_file_records_every_event() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file} --json events.jsonl --set load.rate=60/s -e before")).run().await;
    run.exited(0).said("PASS in ");
    let events = events(&fs::read_to_string(sandbox.path().join("events.jsonl")).expect("it was recorded"));
    assert_whole(&events);
    assert_eq!(events[0]["file"], "good.toml");
    assert_eq!(events[0]["sets"], serde_json::json!(["load.rate=60/s"]));
    assert_eq!(events[0]["only"], serde_json::json!(["before"]));
    let words = events[0]["command"].as_array().expect("the command line");
    assert!(words.contains(&Value::from("--json")) && words.contains(&Value::from("load.rate=60/s")), "{words:?}");
    assert_eq!(Path::new(events[0]["folder"].as_str().expect("a folder")), fs::canonicalize(sandbox.path()).unwrap());
}

#[tokio::test]
async fn json_to_standard_output_has_it_for_itself() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file} --json -")).run().await;
    run.exited(0).complained("One service").complained("PASS in ");
    assert_whole(&events(&run.out));
}

/// One run from its first event to its last, in a version that is known, and in order.
fn assert_whole(events: &[Value]) {
    assert_eq!((&events[0]["event"], &events[0]["format"]), (&Value::from("begin"), &Value::from(2)));
    let end = events.last().expect("an event");
    assert_eq!((&end["event"], &end["verdict"]), (&Value::from("end"), &Value::from("pass")));
    for event in ["service_ready", "ready", "timeline_began", "fault_applied", "fault_removed", "judged", "torn_down"] {
        assert!(named(events, event).next().is_some(), "no {event}");
    }
    let times: Vec<u64> = events.iter().map(|event| event["at_us"].as_u64().expect("a time")).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn piped_output_has_no_escape_codes_and_fits_in_80_columns() {
    let sandbox = Sandbox::new();
    let long =
        "One service that is away for a moment, told at such a length that no line of eighty columns could hold it";
    let file = sandbox.write("good.toml", scenarios::proven().replace("One service", long));
    for command in ["run", "prove"] {
        let run = sandbox.chaos(&format!("{command} {file}")).run().await;
        assert_plain(run.exited(0));
    }
    let file = sandbox.write("typo.toml", scenarios::passing().replace("effect = ", "efect = "));
    assert_plain(sandbox.chaos(&format!("check {file}")).env("NO_COLOR", "1").run().await.exited(2));
    // Colours come where they are asked for, so that their absence means something.
    let run = sandbox.chaos(&format!("check {file} --color always")).run().await;
    run.exited(2).complained("\u{1b}[");
}

#[track_caller]
fn assert_plain(run: &Finished) {
    for line in run.out.lines().chain(run.err.lines()) {
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}
