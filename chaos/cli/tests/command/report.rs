//! `chaos report`: recordings say what the runs said.

use crate::support::{
    Finished, Sandbox,
    recorded::{Recorded, shipped},
    scenarios,
};
use chaos_model::{Event, Record};
use chaos_report::{Style, reports::REPORTS};
use std::fs;

async fn chaos(sandbox: &Sandbox, arguments: &str) -> Finished {
    sandbox.chaos(arguments).run().await
}

/// What follows the head of a run's report.
fn from_the_table_on(out: &str) -> &str {
    out.find("  phase ").map_or("", |at| &out[at..])
}

#[tokio::test]
async fn a_recording_of_any_shipped_scenario_says_what_its_run_said() {
    let recorded @ Recorded { out, .. } = shipped().await;
    for records in recorded.runs() {
        let text = reported(records);
        let Event::Begin(begin) = &records[0].event else { panic!("it is the first event") };
        assert!(text.starts_with("  phase ") && out.contains(&format!("\n\n{text}")), "{}: {text}", begin.file);
        // Cut off before the figures of phases, it has them from its slices.
        let until = records.iter().position(|record| matches!(record.event, Event::Phase(_))).unwrap();
        let cut = reported(&records[..until]);
        let (so_far, sums) = cut.split_once('\n').unwrap();
        assert!(so_far.starts_with("  so far: the recording ends "), "{}: {cut}", begin.file);
        assert_eq!(sums.split("\n\n").next(), text.split("\n\n").next(), "{}", begin.file);
    }
}

fn reported(records: &[Record]) -> String {
    let mut report = (REPORTS[0].new)(Style::default(), false);
    let mut out = Vec::new();
    records.iter().for_each(|record| report.on(record, &mut out).expect("a vector takes everything"));
    report.finish(&mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("reports are text")
}

#[tokio::test]
async fn the_command_reports_files_and_standard_input_with_the_exit_code_of_the_run() {
    let sandbox = Sandbox::new();
    let good = sandbox.write("good.toml", scenarios::passing());
    let bad = sandbox
        .write("bad.toml", scenarios::passing().replace("unanswered.any = \">= 100%\"", "unanswered.any = \"< 1%\""));
    let passed = chaos(&sandbox, &format!("run {good} --world sim --json good.jsonl")).await;
    let failed = chaos(&sandbox, &format!("run {bad} --world sim --json bad.jsonl")).await;
    failed.exited(1).said("error: ").said("--> bad.toml:");
    let report = chaos(&sandbox, "report bad.jsonl").await;
    assert_eq!(report.exited(1).out, from_the_table_on(&failed.out), "carets included");
    assert_eq!(chaos(&sandbox, "report good.jsonl").await.exited(0).out, from_the_table_on(&passed.out));
    // The sources are in the recording.
    fs::remove_file(sandbox.path().join("bad.toml")).unwrap();
    assert_eq!(chaos(&sandbox, "report bad.jsonl").await.exited(1).out, report.out);
    let both = chaos(&sandbox, "report good.jsonl bad.jsonl").await;
    both.exited(1).said("good.toml, world sim, seed 1\n").said("bad.toml, world sim, seed 1\n").said(&report.out);
    chaos(&sandbox, "report --as summary good.jsonl bad.jsonl").await.exited(1).said("1 of 2 passed").said("good.toml");
    chaos(&sandbox, "report --as sonnet good.jsonl").await.exited(2).complained("text");
}

#[tokio::test]
async fn what_is_no_whole_recording_is_said_to_be_none() {
    let sandbox = Sandbox::new();
    let good = sandbox.write("good.toml", scenarios::passing());
    chaos(&sandbox, &format!("run {good} --world sim --json good.jsonl")).await.exited(0);
    let whole = fs::read_to_string(sandbox.path().join("good.jsonl")).unwrap();
    sandbox.write("cut.jsonl", &whole[..whole.len() - 60]);
    let cut = chaos(&sandbox, "report cut.jsonl").await;
    cut.exited(130)
        .said("  phase ")
        .said("CUT OFF after ")
        .complained("cut.jsonl: line ")
        .complained("is cut off here");
    sandbox.write("old.jsonl", whole.replacen("\"format\":2", "\"format\":1", 1));
    let old = chaos(&sandbox, "report old.jsonl").await;
    old.exited(2)
        .complained("chaos report: old.jsonl: line 1: the recording has format 1, and this program reads format 2");
    chaos(&sandbox, "report good.toml").await.exited(2).complained("line 1: this is no recording of a run");
    chaos(&sandbox, "report nowhere.jsonl").await.exited(2).complained("can't read nowhere.jsonl: No such file");
}

#[tokio::test]
async fn recordings_are_compared_with_those_of_a_folder() {
    let sandbox = Sandbox::new();
    let slow = "[[fault]]\nname = \"slowness\"\non = \"client -> users\"\neffect = \"delay\"\ndelay = \"1ms\"\nat = \"100ms\"\n\
                for = \"300ms\"\n[[expect]]\nthat = \"it is quick\"\nduring = \"slowness\"\nlatency.p50 = \"< 4s\"\n";
    let good = sandbox.write("good.toml", scenarios::passing() + slow);
    for folder in ["old", "none"] {
        fs::create_dir(sandbox.path().join(folder)).unwrap();
    }
    for (seed, recording) in [(1, "old/1.jsonl"), (2, "old/2.jsonl"), (3, "now.jsonl")] {
        chaos(&sandbox, &format!("run {good} --world sim --seed {seed} --json {recording}")).await.exited(0);
    }
    let same = chaos(&sandbox, "report now.jsonl --against old --fail-if worse").await;
    same.exited(0).said("NOT WORSE: 0 of 1 scenario").said("good.toml (sim), and its run of ").said(" of its bound");
    same.said(" in old/2.jsonl, the last").said("of 2 earlier runs");
    // It passes, since nobody said that it must not be as slow, and is worse all the same.
    chaos(&sandbox, &format!("run {good} --world sim --set fault.slowness.delay=100ms --json slow.jsonl"))
        .await
        .exited(0);
    chaos(&sandbox, "report slow.jsonl --against old").await.exited(0).said("WORSE    slowness: p50: ");
    let worse = chaos(&sandbox, "report slow.jsonl --against old --fail-if worse").await;
    worse.exited(1).said("WORSE: 1 of 1 scenario").said("have changed since");
    let json = chaos(&sandbox, "report now.jsonl --as json --against old").await;
    let json: serde_json::Value = serde_json::from_str(&json.exited(0).out).expect("a document and nothing else");
    assert_eq!(
        (json["against"][0]["earlier_runs"].as_u64(), json["against"][0]["worse"].as_bool()),
        (Some(2), Some(false))
    );
    chaos(&sandbox, "report now.jsonl --against none").await.exited(2).complained("there is no other recording");
}

#[tokio::test]
async fn secrets_stand_in_no_recording() {
    let sandbox = Sandbox::new();
    let secret = "open-sesame-4711";
    let text = scenarios::passing().replacen("[load]", &format!("[load]\nheaders.authorization = \"{secret}\""), 1);
    assert!(text.contains(secret), "{text}");
    let file = sandbox.write("good.toml", text);
    chaos(&sandbox, &format!("run {file} --world sim --json good.jsonl")).await.exited(0);
    let recording = fs::read_to_string(sandbox.path().join("good.jsonl")).unwrap();
    assert!(!recording.contains(secret));
    assert!(recording.contains("load.headers.authorization\"]"), "what was masked is named");
}
