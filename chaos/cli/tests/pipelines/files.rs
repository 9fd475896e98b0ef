//! The files of "In CI" are those that the page shows, and their lines run.

use super::{
    action::step,
    support::{Job, REPOSITORY, TAG, read, said, search_path, yaml},
};
use serde_json::Value;
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

const FILES: [&str; 3] = ["docs/ci/github.yml", "docs/ci/gitlab-ci.yml", "docs/ci/Jenkinsfile"];

pub(crate) fn the_page_shows_the_files() {
    let page = read("docs/ci.md");
    let blocks: Vec<&str> = page.split("```").skip(1).step_by(2).collect();
    for path in FILES {
        let is_shown = |block: &&str| block.split_once('\n').is_some_and(|(_, text)| text == read(path));
        assert!(blocks.iter().any(is_shown), "copy {path} into docs/ci.md");
    }
}

pub(crate) fn the_files_fetch_this_version() {
    for path in FILES {
        let text = read(path);
        let tags: Vec<&str> = text.split(['@', ' ', '\'', '\n']).filter(|word| is_tag(word)).collect();
        assert!(
            tags.contains(&TAG) && tags.iter().all(|tag| *tag == TAG || text.contains(&format!("# {tag}"))),
            "{path}: {tags:?}"
        );
    }
}

fn is_tag(word: &str) -> bool {
    word.strip_prefix('v')
        .is_some_and(|rest| rest.split('.').count() == 3 && rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Variables of a job: those of the file, with the releases of this test in the place of the published ones.
fn variables(job: &Job, given: &Value) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = given
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let releases = env.get_mut("CHAOS_RELEASES").unwrap();
    assert_eq!(*releases, format!("https://github.com/{REPOSITORY}/releases/download"));
    *releases = releases.replace("https://github.com", &job.releases());
    env
}

/// What a job of these files leaves.
fn has_passed(job: &Job) {
    assert!(job.read("chaos.jsonl").contains("\"event\":\"end\",\"verdict\":\"pass\""));
    assert!(job.read("chaos.xml").starts_with("<?xml") && job.read("chaos.html").starts_with("<!doctype html>"));
}

pub(crate) fn the_step_of_github_runs() {
    let workflow = yaml("docs/ci/github.yml");
    let steps = workflow["jobs"]["chaos"]["steps"].as_array().unwrap();
    let uses = format!("{REPOSITORY}@{TAG}");
    let ours = steps.iter().find(|step| step["uses"] == *uses).expect("the action is used");
    let inputs = ours["with"].as_object().unwrap();
    let inputs: Vec<(&str, &str)> =
        inputs.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let job = Job::new();
    let ran = step(&job, &inputs);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    has_passed(&job);
    // What it keeps for the next time is what it compares with then.
    let line = steps.iter().find_map(|step| step["run"].as_str()).expect("a line that keeps the recording");
    let env = BTreeMap::from([("GITHUB_SHA".to_owned(), "abc".to_owned())]);
    let kept = job.command("bash", &env).args(["-eo", "pipefail", "-c", line]).output().unwrap();
    assert!(kept.status.success() && job.work().join("earlier/abc.jsonl").exists(), "{}", said(&kept));
    let again = step(&job, &inputs);
    assert_eq!(again.code, Some(0), "{}", again.said);
    assert!(
        again.said.contains("::stop-commands::") && !again.said.contains("no earlier recordings"),
        "{}",
        again.said
    );
}

pub(crate) fn the_lines_of_gitlab_run() {
    let file = yaml("docs/ci/gitlab-ci.yml");
    let job = Job::new();
    // It installs what this machine has.
    fs::create_dir(job.path().join("bin")).unwrap();
    let apt = job.path().join("bin/apt-get");
    fs::write(&apt, "#!/bin/sh\necho apt-get \"$@\"\n").unwrap();
    fs::set_permissions(&apt, fs::Permissions::from_mode(0o755)).unwrap();
    let chaos = &file["chaos"];
    let lines = ["before_script", "script"].map(|key| chaos[key].as_array().unwrap().clone()).concat();
    let script: String = lines.iter().map(|line| format!("{}\n", line.as_str().unwrap())).collect();
    let mut env = variables(&job, &chaos["variables"]);
    let path = format!("{}:{}", job.path().join("bin").display(), search_path());
    env.insert("PATH".to_owned(), path);
    // As a runner does: all lines in one shell.
    let ran = job.command("bash", &env).args(["-eo", "pipefail", "-c", &script]).output().unwrap();
    assert!(ran.status.success() && said(&ran).contains("apt-get install --yes"), "{}", said(&ran));
    has_passed(&job);
    let kept = &chaos["artifacts"];
    assert_eq!((&kept["reports"]["junit"], &kept["when"]), (&"chaos.xml".into(), &"always".into()));
}

/// The texts of all `sh` steps, in the order in which they stand.
fn shell_steps(text: &str) -> Vec<String> {
    let mut steps = Vec::new();
    for rest in text.split("\n                sh '").skip(1) {
        let (quote, rest) = rest.strip_prefix("''").map_or(("'", rest), |rest| ("'''", rest));
        steps.push(rest.split_once(quote).expect("the text ends").0.to_owned());
    }
    steps
}

pub(crate) fn the_steps_of_jenkins_run() {
    let text = read("docs/ci/Jenkinsfile");
    let braces = |c: char| text.matches(c).count();
    assert_eq!(braces('{'), braces('}'));
    let set = |name: &str| {
        let (_, rest) = text.split_once(&format!(" {name} = '")).expect(name);
        Value::from(rest.split('\'').next().unwrap())
    };
    let given = ["CHAOS_VERSION", "CHAOS_RELEASES"].map(|name| (name.to_owned(), set(name)));
    let job = Job::new();
    let env = variables(&job, &Value::Object(given.into_iter().collect()));
    let steps = shell_steps(&text);
    assert_eq!(steps.len(), text.matches("sh '").count(), "{steps:?}");
    // As an agent does: each in a shell of its own.
    for step in steps {
        // Groovy takes a backslash away where one stands before another character; before a line's end, it joins lines.
        let step = step.replace("\\\n", "");
        let ran = job.command("sh", &env).args(["-xec", &step]).output().unwrap();
        assert!(ran.status.success(), "{step}: {}", said(&ran));
    }
    has_passed(&job);
}
