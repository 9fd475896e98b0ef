//! Workflows take from elsewhere what was looked at, may do what they must, and splice nothing into shells.

use super::support::{read, root, yaml};
use serde_json::Value;

/// Workflows of this repository, and the one that others are shown.
fn workflows() -> Vec<String> {
    let folder = std::fs::read_dir(root().join(".github/workflows")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let own = names.map(|name| format!(".github/workflows/{name}"));
    own.chain(["docs/ci/github.yml".to_owned()]).collect()
}

/// The steps of all jobs.
fn steps(workflow: &Value) -> Vec<&Value> {
    let jobs = workflow["jobs"].as_object().unwrap();
    jobs.values().flat_map(|job| job["steps"].as_array().unwrap()).collect()
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

pub(crate) fn actions_are_named_by_commit() {
    for path in workflows() {
        let (workflow, text) = (yaml(&path), read(&path));
        let uses: Vec<&str> = steps(&workflow).into_iter().filter_map(|step| step["uses"].as_str()).collect();
        assert!(!uses.is_empty(), "{path}");
        // Ours: the files at hand, and for others a version.
        for action in uses.into_iter().filter(|action| *action != "./" && !action.starts_with("OWNER/")) {
            let commit = action.split_once('@').map(|(_, commit)| commit);
            assert!(commit.is_some_and(is_commit), "{path}: {action}");
            assert!(text.contains(&format!("{action} # v")), "{path}: {action} says which version it is");
        }
    }
}

pub(crate) fn nothing_is_spliced_into_a_shell() {
    for path in workflows() {
        let workflow = yaml(&path);
        for run in steps(&workflow).into_iter().filter_map(|step| step["run"].as_str()) {
            assert!(!run.contains("${{"), "{path}: {run}");
        }
    }
}

pub(crate) fn a_workflow_may_do_what_it_must() {
    for path in workflows() {
        let workflow = yaml(&path);
        let may = |value: &Value| value.as_object().map(|may| may.values().filter(|may| *may != "read").count());
        assert_eq!(may(&workflow["permissions"]), Some(0), "{path}");
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            let publishes = path.ends_with("release.yml") && name == "publish";
            assert_eq!(may(&job["permissions"]).unwrap_or(0), usize::from(publishes), "{path}: {name}");
            assert!(job["timeout-minutes"].is_u64(), "{path}: {name} has no end");
        }
        let checkouts = steps(&workflow)
            .into_iter()
            .filter(|step| step["uses"].as_str().is_some_and(|action| action.starts_with("actions/checkout@")));
        assert!(checkouts.into_iter().all(|step| step["with"]["persist-credentials"] == false), "{path}");
    }
}
