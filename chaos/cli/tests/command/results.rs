//! `--summary`, `--junit`, `--markdown`, and what GitHub Actions is told.

use crate::support::{Finished, Sandbox, scenarios};
use rustix::process::Signal;
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

/// A run that fails in all ways in which a request and its response are shown, with a secret in each member that has room for one.
fn with_secrets() -> String {
    let load = format!(
        "request   = \"GET /users/{{user}}?access_token={SECRET}-query\"\nheaders.authorization = \"Bearer {SECRET}-bearer\"\n\
         headers.cookie = \"sid={SECRET}-cookie; theme=dark\"\nheaders.x-api-key = \"{SECRET}-header\"\n"
    );
    let text = failing().replace("request   = \"GET /users/{user}\"\n", &load);
    let service =
        format!("ready   = \"GET /health\"\nenv.AUTH_KEY = \"{SECRET}-env\"\n# password = {SECRET}-comment\n");
    let text = text.replace("ready   = \"GET /health\"\n", &service);
    let fault = "\n[[fault]]\nname = \"slow\"\non = \"client -> users\"\neffect = \"delay\"\ndelay = \"2ms\"\nat = \"1250ms\"\nfor = \"200ms\"\n";
    let shown = "\n[[expect]]\nthat = \"none is there\"\nduring = \"baseline\"\nstatus.404 = \">= 100%\"\n";
    format!("{text}{fault}{shown}")
}

const SECRET: &str = "open-sesame-4711";

#[tokio::test]
async fn tokens_and_cookies_stand_in_no_report() {
    let sandbox = Sandbox::new();
    sandbox.write("bad.toml", with_secrets());
    let files = "--json r.jsonl --html p.html --junit j.xml --markdown m.md --summary s.json";
    let set = format!("--set service.users.env.DB_PASSWORD={SECRET}-set");
    let run = chaos(&sandbox, &format!("run bad.toml --world sim {set} {files}")).await;
    run.exited(1).said("?access_token=***");
    let assert_none = |run: &Finished| {
        let mut all = vec![run.out.clone(), run.err.clone()];
        all.extend(["r.jsonl", "p.html", "j.xml", "m.md", "s.json"].map(|name| read(&sandbox, name)));
        let leak = all.iter().find_map(|text| text.find(SECRET).map(|at| &text[at.saturating_sub(200)..at + 30]));
        assert_eq!(leak, None);
    };
    assert_none(&run);
    let page = read(&sandbox, "p.html");
    assert!(
        page.contains("Requests that met it") && page.contains("status.404"),
        "requests and lines are shown: {page}"
    );
    let trace = chaos(&sandbox, "run bad.toml --world sim --trace 110").await;
    assert!(!trace.out.contains(SECRET) && trace.out.contains("?access_token=***"), "{trace}");
    // The last lines of a service that dies.
    let lines = [
        "Set-Cookie: sid={}; Path=/",
        r#"{"level":"error","token":"{}"}"#,
        "authorization: Bearer {}",
        "redis://:{}@cache/",
    ];
    sandbox.write("lines.txt", lines.join("\n").replace("{}", SECRET));
    let words = format!("[\"sh\", \"-c\", \"cat {}; exit 1\"]", sandbox.path().join("lines.txt").display());
    sandbox.write("dies.toml", scenarios::by_command(&words));
    let run = chaos(&sandbox, &format!("run dies.toml {files}")).await;
    run.exited(3).said("users DIED: ").said("Set-Cookie: ***");
    assert_none(&run);
    assert!(read(&sandbox, "p.html").contains("users died: "), "{run}");
    assert_eq!(
        (attribute(&read(&sandbox, "j.xml"), "errors"), attribute(&read(&sandbox, "j.xml"), "failures")),
        (1, 0)
    );
}

/// A signal ends the command with exit code 130, and no reader of its files takes that for a pass: neither the run that it
/// met, nor what was not run any more.
#[tokio::test]
async fn files_of_an_interrupted_command_say_so() {
    let sandbox = Sandbox::new();
    for name in ["first.toml", "second.toml"] {
        sandbox.write(name, scenarios::passing());
    }
    let files = "--junit j.xml --summary s.json --markdown m.md --html p.html";
    let mut run = sandbox.chaos(&format!("run first.toml second.toml --set load.duration=60s {files}")).start();
    run.line("away begins").await;
    run.signal(Signal::INT);
    run.finish().await.exited(130);
    let xml = read(&sandbox, "j.xml");
    assert_eq!((attribute(&xml, "failures"), attribute(&xml, "errors")), (0, 2), "{xml}");
    assert!(xml.contains("<testsuite name=\"second.toml\"") && xml.contains("type=\"interrupted\""), "{xml}");
    let summary: Value = serde_json::from_str(&read(&sandbox, "s.json")).expect("JSON");
    assert_eq!(summary["outcome"], "interrupted");
    for name in ["m.md", "p.html"] {
        let text = read(&sandbox, name);
        assert!(text.contains("it was not run: the command was interrupted before"), "{name}: {text}");
    }
    // Nor is a guard that was not tried any more one that was proven.
    sandbox.write("proven.toml", scenarios::proven());
    let mut run = sandbox.chaos(&format!("prove proven.toml --set load.duration=60s {files}")).start();
    run.line("away begins").await;
    run.signal(Signal::TERM);
    run.finish().await.exited(130);
    let xml = read(&sandbox, "j.xml");
    assert!(attribute(&xml, "errors") > 0, "{xml}");
}
