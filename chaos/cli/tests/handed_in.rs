//! A protocol, a check and a report that `chaos` doesn't bring, in a command that brings them (`examples/memo`): they work in
//! each world as ours do.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

const SCENARIO: &str = include_str!("../examples/memo/scenarios/notes.toml");

/// A folder for one test, in which its command runs.
struct Sandbox(TempDir);

impl Sandbox {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command that brings `memo`, with these arguments.
    fn memo(&self, arguments: &[&str]) -> Output {
        // An example is built beside the tests' folder.
        let test = std::env::current_exe().unwrap();
        let example = test.ancestors().nth(2).unwrap().join("examples/memo");
        let mut command = Command::new(example);
        command.args(arguments).current_dir(self.0.path()).env("TMPDIR", self.0.path());
        command.env("XDG_STATE_HOME", self.file("state")).output().unwrap()
    }

    /// Runs a scenario in a world: its exit code, its report and its events.
    fn run(&self, scenario: &str, world: &str) -> (Option<i32>, String, Vec<Value>) {
        std::fs::write(self.file("notes.toml"), scenario).unwrap();
        let output = self.memo(&["run", "notes.toml", "--world", world, "--json", "events.jsonl"]);
        let report = format!("{}{}", text(&output.stdout), text(&output.stderr));
        let events = std::fs::read_to_string(self.file("events.jsonl")).unwrap_or_else(|_| panic!("{report}"));
        let events = events.lines().map(|line| serde_json::from_str(line).unwrap());
        (output.status.code(), report, events.collect())
    }

    /// The diagnostics of a scenario that is wrong.
    fn wrong(&self, scenario: &str) -> String {
        std::fs::write(self.file("notes.toml"), scenario).unwrap();
        let output = self.memo(&["check", "notes.toml"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        text(&output.stderr)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.memo(arguments).stdout).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_owned()).unwrap()
}

/// The scenario with one line of it changed.
fn with(line: &str, other: &str) -> String {
    assert!(SCENARIO.contains(line), "{line}");
    SCENARIO.replace(line, other)
}

/// The injections of a fault.
fn injections<'a>(events: &'a [Value], fault: &str) -> Vec<&'a Value> {
    let all = events.iter().filter(|event| event["event"] == "injected" && event["fault"] == fault);
    all.flat_map(|event| event["injections"].as_array().unwrap()).collect()
}

/// True where some link carried messages of this kind.
fn counts(events: &[Value], kind: &str) -> bool {
    let counted = events.iter().filter(|event| event["event"] == "counted");
    let links = counted.filter_map(|event| event["links"].as_object()).flat_map(|links| links.values());
    links.into_iter().any(|link| link["messages"][kind].as_u64() > Some(0))
}

/// The numbers of the requests that a fault took, those near its edges left out.
fn taken(events: &[Value]) -> BTreeSet<u64> {
    let met = injections(events, "hangs-up").into_iter().map(|one| one["met"].as_u64().unwrap());
    met.filter(|n| (55..95).contains(n)).collect()
}

#[test]
fn its_faults_fire_and_join_requests_in_each_world() {
    let mut seen = Vec::new();
    for world in ["sim", "local"] {
        let (code, report, events) = Sandbox::new().run(SCENARIO, world);
        assert_eq!(code, Some(0), "{report}");
        let closed = injections(&events, "hangs-up");
        assert!((10..=40).contains(&closed.len()), "{world}: {closed:?}");
        for one in &closed {
            // A note's number is that of its request, and one more.
            let note = format!("GET note:{}", one["met"].as_u64().unwrap() + 1);
            assert_eq!((&one["subject"], &one["impact"]), (&note.into(), &"failed".into()), "{world}");
        }
        let slow = injections(&events, "slow");
        assert!(slow.len() >= 40 && slow.iter().any(|one| one["impact"] == "slower"), "{world}: {slow:?}");
        let mut commands = slow.iter().filter_map(|one| one["subject"].as_str()?.split(' ').next());
        assert!(commands.any(|command| command == "SET"), "it is for all commands: {slow:?}");
        assert!(counts(&events, "SET") && counts(&events, "GET"), "{world}: its links count commands by their kind");
        seen.push(taken(&events));
    }
    assert!(seen[0].len() > 5, "{seen:?}");
    assert_eq!(seen[0], seen[1], "the same requests are drawn in each world");
}

#[test]
fn its_check_fails_in_each_world() {
    for world in ["sim", "local"] {
        let (code, report, _) = Sandbox::new().run(&with("\"50%\"", "\"100%\""), world);
        assert_eq!(code, Some(1), "{report}");
        assert!(report.contains("FAIL  some are served while it hangs up"), "{report}");
        assert!(report.contains("shed <= 80%") && report.contains("had response 503"), "{report}");
    }
}

/// Of all responses that a run had, by instance too: here the name is what all of them have.
#[test]
fn its_report_is_made_of_recordings_from_each_world() {
    let responses = "[responses]\ninstance.header = \"content-type\"\n\n[load]";
    for world in ["sim", "local"] {
        let sandbox = Sandbox::new();
        let (code, report, events) = sandbox.run(&with("[load]", responses), world);
        // What is judged is not for here: on a pressed machine, latencies can't be.
        assert!([Some(0), Some(4)].contains(&code), "{report}");
        let run = events.iter().find(|event| event["event"] == "phase" && event["phase"] == "run").unwrap();
        let statuses = run["statuses"].as_object().unwrap();
        assert!(statuses["200"].as_u64() > Some(0) && statuses["503"].as_u64() > Some(0), "{world}: {run}");
        let lines = statuses.iter().map(|(status, count)| format!("{status},{count}\n")).collect::<String>();
        let made = sandbox.memo(&["report", "--as", "statuses", "events.jsonl"]);
        assert_eq!((made.status.code(), text(&made.stdout)), (code, format!("status,responses\n{lines}")), "{world}");
        let instances = run["instances"].as_object().unwrap();
        assert_eq!(instances.keys().collect::<Vec<_>>(), ["text/plain; charset=utf-8"], "{world}");
        assert_eq!(instances["text/plain; charset=utf-8"]["responses"], statuses["200"], "errors have no body here");
    }
}

#[test]
fn its_report_is_named_where_reports_are_asked_for() {
    let sandbox = Sandbox::new();
    let help = text(&sandbox.memo(&["report", "--help"]).stdout);
    assert!(help.contains("statuses") && help.contains("responses by status, as CSV"), "{help}");
    let wrong = sandbox.memo(&["report", "--as", "status", "events.jsonl"]);
    assert_eq!(wrong.status.code(), Some(2));
    let wrong = text(&wrong.stderr);
    assert!(
        wrong.contains("[possible values: text, summary, metrics, html, json, junit, markdown, statuses]"),
        "{wrong}"
    );
    let completions = text(&sandbox.memo(&["completions", "bash"]).stdout);
    assert!(completions.contains("text summary metrics html json junit markdown statuses"), "{completions}");
}

#[test]
fn a_reply_is_cut_off_where_a_fault_says_so() {
    let cut = with("effect       = \"close\"", "effect       = \"truncate\"\nkeep         = \"3B\"");
    let (code, report, events) = Sandbox::new().run(&cut, "sim");
    assert_eq!(code, Some(0), "{report}");
    let cut = injections(&events, "hangs-up");
    assert!(cut.len() > 10 && cut.iter().all(|one| one["impact"] == "failed"), "{cut:?}");
}

#[test]
fn its_words_are_advised_on() {
    let sandbox = Sandbox::new();
    for (line, other, advice) in [
        ("shed   = \"<= 80%\"", "sheds  = \"<= 80%\"", "did you mean `shed`?"),
        ("program = \"memo\"", "program = \"memo\"\nprotocol = \"memos\"", "did you mean `memo`?"),
        ("only.command = \"GET\"", "only.method = \"GET\"", "choose by `only.command` and `only.key`"),
        ("effect       = \"close\"", "effect = \"status\"\nstatus = \"500\"", "which speaks memo"),
        ("program   = \"notes\"", "program   = \"note\"", "did you mean `notes`?"),
    ] {
        let wrong = sandbox.wrong(&with(line, other));
        assert!(wrong.contains(advice), "{other}: {wrong}");
    }
}

#[test]
fn its_proxies_know_it() {
    let sandbox = Sandbox::new();
    let proxies = "[control]\ntoken-file = \"token\"\n[[link]]\nname = \"notes -> memo\"\nlisten = \"17070\"\n\
                   target = \"localhost:7070\"\nprotocol = \"memos\"\n";
    std::fs::write(sandbox.file("proxies.toml"), proxies).unwrap();
    let output = sandbox.memo(&["proxy", "proxies.toml"]);
    let wrong = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{wrong}");
    assert!(wrong.contains("there is no protocol called `memos`") && wrong.contains("did you mean `memo`?"), "{wrong}");
}

#[test]
fn schemas_and_pages_have_it() {
    let sandbox = Sandbox::new();
    for (name, path) in [
        ("scenario", "/properties/service/additionalProperties/properties/protocol/oneOf"),
        ("system", "/properties/service/additionalProperties/properties/protocol/oneOf"),
        ("proxies", "/properties/link/items/properties/protocol/oneOf"),
    ] {
        let schema = sandbox.json(&["schema", name]);
        let protocols = schema.pointer(path).unwrap().as_array().unwrap();
        let names: Vec<_> = protocols.iter().map(|one| one["const"].as_str().unwrap()).collect();
        assert_eq!(names, ["http", "redis", "tcp", "memo"], "{name}");
    }
    let schema = sandbox.json(&["schema", "scenario"]);
    let shed = schema.pointer("/properties/expect/items/properties/shed/description").unwrap();
    assert!(shed.as_str().unwrap().contains("turned away"), "{shed}");
    let programs = schema.pointer("/properties/service/additionalProperties/properties/program/enum").unwrap();
    assert_eq!(programs, &serde_json::json!(["notes", "memo"]));
    let pages = text(&sandbox.memo(&["pages"]).stdout);
    for row in ["## `memo`", "| ready by | PING |", "`only.command`, `only.key`", "| [`shed`](#shed) |"] {
        assert!(pages.contains(row), "{row}: {pages}");
    }
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/memo/scenarios/notes.toml");
    let checked = sandbox.memo(&["check", example.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
}
