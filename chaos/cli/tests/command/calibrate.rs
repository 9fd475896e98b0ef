//! Calibration of a machine: measured, told, and carried by the runs that follow.

use crate::support::{Sandbox, scenarios};
use serde_json::{Value, json};
use std::fs;

#[tokio::test]
async fn calibrate_measures_tells_and_is_carried_by_runs() {
    let sandbox = Sandbox::new();
    let run = sandbox.chaos("calibrate --json figures.json").run().await;
    run.exited(0).said("latency 10ms").said("latency 100ms, 16MiB").said("bandwidth 1MiB/s").said("status for 10%");
    assert!(run.out.lines().all(|line| line.chars().count() <= 80), "{run}");
    let figures = fs::read_to_string(sandbox.path().join("figures.json")).expect("it was written");
    let remembered = fs::read_to_string(sandbox.path().join("state/chaos/calibration.json")).expect("it is remembered");
    assert_eq!(figures, remembered);
    let figures: Value = serde_json::from_str(&figures).expect("it is JSON");
    let latencies = figures["latency"].as_array().expect("a list");
    let asked: Vec<_> = latencies.iter().map(|latency| latency["asked_us"].clone()).collect();
    assert_eq!(asked, [json!(1000), json!(10_000), json!(200_000)]);
    // How exact times are, on a busy machine, is not known; that a tenth of the requests is met is, give or take what
    // 99.99 % of draws do (3.8906 standard deviations of 21.2).
    let met = &figures["share"]["met"];
    assert_eq!(met["whole"], json!(5000));
    assert!(met["parts"].as_u64().is_some_and(|parts| (418..=582).contains(&parts)), "{met}");
    assert!(figures["bandwidth"]["achieved"].as_u64() <= figures["bandwidth"]["asked"].as_u64(), "{figures}");
    let file = sandbox.write("good.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file} --json events.jsonl")).run().await;
    run.exited(0).said("this machine, 0 min before: an idle proxy added ");
    let events = fs::read_to_string(sandbox.path().join("events.jsonl")).expect("it was recorded");
    let begin: Value = serde_json::from_str(events.lines().next().expect("an event")).expect("it is JSON");
    assert_eq!(begin["calibration"], figures);
    sandbox.assert_clean();
}

#[tokio::test]
async fn a_file_that_can_not_be_written_is_told_before_anything_is_measured() {
    let sandbox = Sandbox::new();
    let run = sandbox.chaos("calibrate --json nowhere/figures.json").run().await;
    run.exited(2).complained("chaos calibrate: --json: can't write nowhere/figures.json: No such file or directory");
    assert!(!sandbox.path().join("state").exists());
}
