//! The action as a job runs it: the line of `action.yml`, with its inputs in the environment, and files in place of GitHub.

use super::support::{Job, PROGRAM, REPOSITORY, SCENARIO, TAG, machine, said, yaml};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path};

/// The result of a step.
pub(crate) struct Step {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) summary: String,
}

/// The text with each `${{ … }}` in it replaced.
fn expanded(text: &str, value: &dyn Fn(&str) -> String) -> String {
    let Some((before, rest)) = text.split_once("${{") else { return text.to_owned() };
    let (expression, after) = rest.split_once("}}").unwrap();
    format!("{before}{}{}", value(expression.trim()), expanded(after, value))
}

/// The one step of the action, with these inputs.
pub(crate) fn step(job: &Job, inputs: &[(&str, &str)]) -> Step {
    step_at(job, inputs, &job.releases())
}

fn step_at(job: &Job, inputs: &[(&str, &str)], server: &str) -> Step {
    let action = yaml("action.yml");
    let steps = action["runs"]["steps"].as_array().unwrap();
    let [only] = &steps[..] else { panic!("there is one step") };
    let input = |name: &str| {
        let known = action["inputs"].get(name).unwrap_or_else(|| panic!("there is no input {name}"));
        let given = inputs.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        given.unwrap_or_else(|| known["default"].as_str().unwrap_or_default().to_owned())
    };
    inputs.iter().for_each(|(name, _)| drop(input(name)));
    let value = |expression: &str| match expression.strip_prefix("inputs.") {
        Some(name) => input(name),
        None => {
            assert_eq!(expression, "github.action_repository");
            REPOSITORY.to_owned()
        }
    };
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    for (name, text) in only["env"].as_object().unwrap() {
        env.insert(name.clone(), expanded(text.as_str().unwrap(), &value));
    }
    let files = ["output", "path", "summary"].map(|name| job.path().join(name));
    files.iter().for_each(|file| fs::write(file, "").unwrap());
    let given = [
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_ACTION_PATH", super::support::root().display().to_string()),
        ("GITHUB_SERVER_URL", server.to_owned()),
        ("GITHUB_REPOSITORY", "somebody/else".to_owned()),
        ("GITHUB_WORKSPACE", job.work().display().to_string()),
        ("RUNNER_TEMP", job.path().join("temp").display().to_string()),
        ("GITHUB_OUTPUT", files[0].display().to_string()),
        ("GITHUB_PATH", files[1].display().to_string()),
        ("GITHUB_STEP_SUMMARY", files[2].display().to_string()),
    ];
    env.extend(given.map(|(name, value)| (name.to_owned(), value)));
    // As a runner does: the shell, and the line in a file.
    assert_eq!(only["shell"], "bash");
    let line = only["run"].as_str().unwrap();
    let script = job.path().join("step.sh");
    fs::write(&script, line).unwrap();
    let mut command = job.command("bash", &env);
    let output = command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&script).output().unwrap();
    let text = fs::read_to_string(&files[0]).unwrap();
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let outputs: BTreeMap<String, String> = text.lines().map(|line| pair(line).unwrap()).collect();
    assert_eq!(outputs.len(), text.lines().count(), "each output is told once: {text}");
    let summary = fs::read_to_string(&files[2]).unwrap();
    Step { code: output.status.code(), said: said(&output), outputs, summary }
}

pub(crate) fn a_release_is_fetched_and_runs_what_is_asked_for() {
    let job = Job::new();
    job.write("other one.toml", SCENARIO);
    let inputs = [
        ("scenarios", "scenarios\n  other one.toml\r\n\n"),
        ("world", "sim"),
        ("set", "load.rate=50/s"),
        ("junit", "j.xml"),
        ("html", "page.html"),
    ];
    let step = step(&job, &inputs);
    assert_eq!(step.code, Some(0), "{}", step.said);
    let output = |name: &str| step.outputs.get(name).map(String::as_str);
    assert_eq!((output("outcome"), output("exit-code"), output("version")), (Some("pass"), Some("0"), Some(TAG)));
    assert_eq!(
        (output("recording"), output("junit"), output("html")),
        (Some("chaos.jsonl"), Some("j.xml"), Some("page.html"))
    );
    assert_eq!((output("summary"), output("markdown")), (Some(""), Some("")));
    let bin = job.path().join("temp").join(format!("chaos-{TAG}/bin"));
    assert_eq!(output("program"), bin.join("chaos").to_str());
    assert_eq!(fs::read_to_string(job.path().join("path")).unwrap().trim_end(), bin.to_str().unwrap());
    assert!(step.summary.contains("good.toml") && step.summary.contains("other one.toml"), "{}", step.summary);
    assert!(job.read("j.xml").contains("other one") && job.read("page.html").starts_with("<!doctype html>"));
    let recording = job.read("chaos.jsonl");
    assert_eq!(recording.matches("\"sets\":[\"load.rate=50/s\"]").count(), 2, "for both");
}

pub(crate) fn outputs_are_all_those_that_the_action_has() {
    let action = yaml("action.yml");
    let job = Job::new();
    let step = step(&job, &[("scenarios", "scenarios"), ("world", "sim"), ("program", PROGRAM)]);
    let told: Vec<&String> = step.outputs.keys().collect();
    let mut known: Vec<&String> = action["outputs"].as_object().unwrap().keys().collect();
    known.sort();
    assert_eq!(told, known, "{}", step.said);
    for (name, output) in action["outputs"].as_object().unwrap() {
        assert_eq!(output["value"], format!("${{{{ steps.chaos.outputs.{name} }}}}"));
    }
}

pub(crate) fn each_outcome_is_told() {
    let job = Job::new();
    job.write("scenarios/good.toml", SCENARIO.replace(">= 5%", "< 5%"));
    let with = |more: &[(&str, &str)]| step(&job, &[&[("world", "sim"), ("program", PROGRAM)], more].concat());
    for (inputs, code, outcome) in [
        (&[("scenarios", "scenarios")][..], 1, "fail"),
        (&[("scenarios", "nowhere.toml")], 2, "invalid"),
        (&[("scenarios", "scenarios"), ("set", "fault.away.share=50%"), ("args", "-e\nanswered before")], 0, "pass"),
        (&[("scenarios", "good.toml"), ("working-directory", "scenarios"), ("command", "prove")], 1, "fail"),
    ] {
        let step = with(inputs);
        assert_eq!((step.code, &*step.outputs["outcome"]), (Some(code), outcome), "{inputs:?}: {}", step.said);
        assert_eq!(step.outputs["exit-code"], code.to_string());
    }
    assert!(job.work().join("scenarios/chaos.jsonl").exists(), "files are where the command is");
    let step = with(&[("scenarios", "good.toml"), ("working-directory", "scenarios")]);
    assert_eq!(step.outputs["recording"], "scenarios/chaos.jsonl", "and later steps find them");
    assert!(step.said.contains("\n::error file=scenarios/good.toml,line="), "{}", step.said);
}

pub(crate) fn a_program_that_is_not_what_its_checksum_says_is_not_run() {
    let job = Job::new();
    let archive = format!("chaos-{TAG}-{}-unknown-linux-musl.tar.gz", machine());
    let place = format!("{REPOSITORY}/releases/download/{TAG}");
    let published = Path::new(job.releases().strip_prefix("file://").unwrap()).join(&place);
    let own = job.path().join("site").join(&place);
    fs::create_dir_all(&own).unwrap();
    let sum = fs::read_to_string(published.join(format!("{archive}.sha256"))).unwrap();
    fs::write(own.join(format!("{archive}.sha256")), &sum).unwrap();
    let site = format!("file://{}/site", job.path().display());
    let inputs = [("scenarios", "scenarios"), ("world", "sim")];
    let nowhere = step_at(&job, &inputs, &site);
    assert_eq!(nowhere.code, Some(3), "{}", nowhere.said);
    assert!(nowhere.said.contains("::error title=chaos::can't fetch file://"), "{}", nowhere.said);
    let mut bytes = fs::read(published.join(&archive)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(own.join(&archive), bytes).unwrap();
    let changed = step_at(&job, &inputs, &site);
    assert_eq!(changed.code, Some(3), "{}", changed.said);
    assert!(changed.said.contains("is not what its checksum says: nothing of it was run"), "{}", changed.said);
    assert!(!job.path().join("temp").join(format!("chaos-{TAG}/bin")).exists());
    assert!(changed.outputs.is_empty() && !job.work().join("chaos.jsonl").exists());
    // A checksum of the workflow's own comes before the published one.
    let pinned = |sum: &str| step(&job, &[&inputs[..], &[("sha256", sum)]].concat());
    assert_eq!(pinned(&"0".repeat(64)).code, Some(3));
    assert_eq!(pinned(sum.split_whitespace().next().unwrap()).code, Some(0));
}

/// Inputs may come from whoever opens a pull request: none of them is run, is taken for an option, or tells the runner anything.
pub(crate) fn inputs_are_words_and_nothing_else() {
    let job = Job::new();
    let code = "$(touch pwned)`touch pwned`;touch pwned;\"'";
    let base = [("scenarios", "scenarios"), ("world", "sim"), ("program", PROGRAM)];
    for (name, value) in [
        ("scenarios", code),
        ("scenarios", "scenarios\n--control"),
        ("world", code),
        ("world", "--keep"),
        ("command", code),
        ("command", "serve"),
        ("seed", code),
        ("set", code),
        ("args", code),
        ("junit", "a\nexit-code=0"),
        ("recording", "a\r::error::x"),
        ("against", "a\nb"),
        ("fail-if", "better"),
        ("fail-if", "worse"),
        ("working-directory", code),
        ("program", code),
        ("build", code),
        ("sha256", code),
    ] {
        let others = base.into_iter().filter(|(other, _)| *other != name);
        let step = step(&job, &others.chain([(name, value)]).collect::<Vec<_>>());
        assert!(matches!(step.code, Some(2 | 3)), "{name}: {value}: {:?} {}", step.code, step.said);
        // A file that is none takes nothing from those beside it.
        let is_beside = name == "args" || value.starts_with("scenarios\n");
        assert!(is_beside || !step.said.contains("PASS"), "{name}: {value}: nothing was run: {}", step.said);
        assert_ne!(step.outputs.get("outcome").map(String::as_str), Some("pass"), "{name}: {value}");
    }
    for version in ["../../v0.1.0", "v1", "latest", "v0.1.0/../../x", code] {
        let step = step(&job, &[("scenarios", "scenarios"), ("version", version)]);
        assert_eq!(step.code, Some(2), "{version}: {}", step.said);
    }
    // Where any name will do, it is taken as it is.
    let odd = step(&job, &[&base[..], &[("html", "$(touch pwned);.html")]].concat());
    assert_eq!((odd.code, &*odd.outputs["html"]), (Some(0), "$(touch pwned);.html"), "{}", odd.said);
    let mut found = Vec::new();
    for folder in [job.path().to_owned(), job.work(), job.work().join("scenarios"), super::support::root()] {
        found.extend(
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).filter(|name| name == "pwned"),
        );
    }
    assert!(found.is_empty());
}

pub(crate) fn what_became_worse_fails_where_that_is_asked_for() {
    let job = Job::new();
    let run = |more: &[(&str, &str)]| {
        let base = [("scenarios", "scenarios"), ("world", "sim"), ("program", PROGRAM), ("markdown", "m.md")];
        step(&job, &[&base[..], &[("against", "earlier"), ("fail-if", "worse")], more].concat())
    };
    let first = run(&[("set", "fault.away.share=10%")]);
    assert_eq!(first.code, Some(0), "{}", first.said);
    assert!(first.said.contains("there are no earlier recordings"), "{}", first.said);
    assert!(first.summary.starts_with("### chaos: PASS"), "{}", first.summary);
    fs::create_dir(job.work().join("earlier")).unwrap();
    fs::rename(job.work().join("chaos.jsonl"), job.work().join("earlier/1.jsonl")).unwrap();
    let same = run(&[("set", "fault.away.share=10%"), ("seed", "2")]);
    assert_eq!((same.code, &*same.outputs["outcome"]), (Some(0), "pass"), "{}", same.said);
    let worse = run(&[]);
    assert_eq!((worse.code, &*worse.outputs["outcome"]), (Some(1), "fail"), "{}", worse.said);
    assert!(worse.summary.contains("worse"), "{}", worse.summary);
    assert_eq!(worse.summary.matches("### chaos: ").count(), 1, "once: {}", worse.summary);
    assert_eq!(job.read("m.md"), worse.summary, "the file says the same");
    let commands = worse.said.lines().filter(|line| line.starts_with("::stop-commands::chaos-")).count();
    assert_eq!(commands, 2, "nothing that is printed is a command: {}", worse.said);
    // What a guard is meant to break is not worse.
    let proof = run(&[("command", "prove"), ("set", "fault.away.share=10%")]);
    assert_eq!(proof.code, Some(0), "{}", proof.said);
}

pub(crate) fn every_input_comes_by_the_environment_and_is_described() {
    let action = yaml("action.yml");
    let env = action["runs"]["steps"][0]["env"].as_object().unwrap();
    let script = super::support::read("scripts/action");
    for (name, input) in action["inputs"].as_object().unwrap() {
        let variable = format!("INPUT_{}", name.to_uppercase().replace('-', "_"));
        assert_eq!(env[&variable], Value::from(format!("${{{{ inputs.{name} }}}}")));
        let taken = script.contains(&format!(" {variable} ")) || ["summary", "junit", "html"].contains(&name.as_str());
        assert!(taken, "scripts/action has no {variable}");
        assert!(input["description"].as_str().is_some_and(|text| text.len() > 10), "{name}");
    }
    assert_eq!(env.len(), action["inputs"].as_object().unwrap().len() + 1, "and the repository");
    assert!(!action["runs"]["steps"][0]["run"].as_str().unwrap().contains("${{"));
}
