//! `--summary`, `--junit`, `--markdown`, and what GitHub Actions is told.

use crate::support::{Finished, Sandbox, scenarios};
use serde_json::Value;
use std::{fs, path::Path};

async fn chaos(sandbox: &Sandbox, arguments: &str) -> Finished {
    sandbox.chaos(arguments).run().await
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.path().join(name)).expect("it was written")
}

/// The number that an attribute of the root has.
fn attribute(xml: &str, name: &str) -> u64 {
    let root = &xml[xml.find("<testsuites").expect("the root")..];
    let value = root.split_once(&format!("{name}=\"")).expect(name).1;
    value.split('"').next().expect("it is quoted").parse().expect("a number")
}

fn failing() -> String {
    scenarios::passing().replace("unanswered.any = \">= 100%\"", "unanswered.any = \"< 1%\"")
}

#[tokio::test]
async fn files_say_what_the_exit_code_says() {
    let sandbox = Sandbox::new();
    sandbox.write("good.toml", scenarios::passing());
    sandbox.write("bad.toml", failing());
    sandbox.write("typo.toml", scenarios::passing().replace("client -> users", "client -> user"));
    let nothing = "\n[[expect]]\nthat = \"no errors\"\nduring = \"away\"\nmetric.'http_request_total' = \"== 0\"\n";
    sandbox.write("unsure.toml", scenarios::with(nothing));
    let files = "--junit j.xml --summary s.json --markdown m.md";
    for (arguments, code, outcome, failures, errors) in [
        ("run good.toml", 0, "pass", 0, 0),
        ("run bad.toml", 1, "fail", 1, 0),
        ("run bad.toml typo.toml good.toml", 2, "invalid", 1, 1),
        ("run typo.toml", 2, "invalid", 0, 1),
        ("prove typo.toml", 2, "invalid", 0, 1),
        ("run unsure.toml", 4, "inconclusive", 0, 1),
    ] {
        let run = chaos(&sandbox, &format!("{arguments} --world sim {files}")).await;
        run.exited(code);
        let xml = read(&sandbox, "j.xml");
        assert_eq!(attribute(&xml, "failures"), failures, "{arguments}: {xml}");
        assert_eq!(attribute(&xml, "errors") > 0, errors > 0, "{arguments}: {xml}");
        let summary: Value = serde_json::from_str(&read(&sandbox, "s.json")).expect("JSON");
        assert_eq!(summary["outcome"], outcome, "{arguments}");
        assert!(read(&sandbox, "m.md").starts_with("### chaos: "), "{arguments}");
    }
}

#[tokio::test]
async fn a_recording_gives_the_same_files_as_its_run() {
    let sandbox = Sandbox::new();
    sandbox.write("good.toml", scenarios::proven());
    sandbox.write("bad.toml", failing());
    let files = |n: u8| format!("--junit j{n}.xml --summary s{n}.json --markdown m{n}.md");
    for (command, code) in [("prove good.toml", 0), ("run bad.toml", 1), ("run --control good.toml", 0)] {
        chaos(&sandbox, &format!("{command} --world sim --json r.jsonl {}", files(1))).await.exited(code);
        chaos(&sandbox, &format!("report r.jsonl {}", files(2))).await;
        for name in ["j{}.xml", "s{}.json", "m{}.md"] {
            let [run, again] = ["1", "2"].map(|n| read(&sandbox, &name.replace("{}", n)));
            assert_eq!(run, again, "{command}");
        }
    }
}

#[tokio::test]
async fn one_report_can_be_on_standard_output() {
    let sandbox = Sandbox::new();
    sandbox.write("good.toml", scenarios::passing());
    let run = chaos(&sandbox, "run good.toml --world sim --junit -").await;
    assert!(run.exited(0).out.starts_with("<?xml"), "{run}");
    run.complained("PASS in ");
    let both = chaos(&sandbox, "run good.toml --world sim --junit - --json -").await;
    both.exited(2).complained("only one report can be on standard output");
    let nowhere = chaos(&sandbox, "run good.toml --world sim --junit missing/j.xml").await;
    nowhere.exited(2).complained("--junit: can't write missing/j.xml");
}

/// In a job, what a run prints is no command of the runner's, whatever is in it; annotations and the job's summary are.
#[tokio::test]
async fn a_job_of_github_actions_has_annotations_and_a_summary() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().join("chaos")).expect("a folder");
    sandbox.write("chaos/bad.toml", failing());
    sandbox.write("summary.md", "before\n");
    let workspace = sandbox.path().display().to_string();
    let summary = sandbox.path().join("summary.md").display().to_string();
    let run = sandbox.chaos("run chaos/bad.toml --world sim").env("GITHUB_ACTIONS", "true");
    let run = run.env("GITHUB_WORKSPACE", &workspace).env("GITHUB_STEP_SUMMARY", &summary).run().await;
    run.exited(1);
    let (head, rest) = run.out.split_once('\n').expect("lines");
    let word = head.strip_prefix("::stop-commands::").expect("the first line").to_owned();
    assert!(word.len() > 30, "nobody can guess it: {word}");
    let (_, commands) = rest.split_once(&format!("\n::{word}::\n")).expect("commands are heard again");
    let line = commands.lines().next().expect("an annotation");
    assert!(line.starts_with("::error file=chaos/bad.toml,line="), "{line}");
    let written = read(&sandbox, "summary.md");
    assert!(written.starts_with("before\n### chaos: FAIL"), "{written}");
    let plain = sandbox.chaos("run chaos/bad.toml --world sim").run().await;
    assert!(!plain.exited(1).out.contains("::"), "elsewhere, there are no such lines:\n{plain}");
    assert!(Path::new(&summary).exists());
}
