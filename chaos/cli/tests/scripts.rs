//! What scripts take from elsewhere is what was looked at; and locks of scripts are their user's own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{
    collections::BTreeMap,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[test]
fn images_are_named_by_digest_and_alike_everywhere() {
    let pair = |text: &str, between: &str| {
        let (variable, image) = text.split_once(between)?;
        Some((variable.to_owned(), image.to_owned()))
    };
    let script = read("scripts/base-images");
    let rows = script.split("readonly images=\"\n").nth(1).unwrap().split('"').next().unwrap();
    let rows = rows.lines().map(|row| row.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    let table: BTreeMap<String, String> = rows.filter_map(|row| pair(&row, " ")).collect();
    assert!(table.len() > 5, "{table:?}");
    for (variable, image) in &table {
        let digest = image.split_once("@sha256:").map(|(_, digest)| digest);
        assert!(digest.is_some_and(|digest| is_hex(digest, 64)), "{variable} is {image}");
    }
    let (compose, dockerfile) = (read("docker-compose.yml"), read("Dockerfile"));
    let in_compose = compose.split("image: \"${").skip(1).filter_map(|rest| pair(rest.split('}').next()?, ":-"));
    let in_dockerfile = dockerfile.lines().filter_map(|line| pair(line.strip_prefix("ARG ")?, "="));
    assert_eq!(in_compose.chain(in_dockerfile).collect::<BTreeMap<_, _>>(), table);
}

/// Takes the lock `it` as a script does, where folders for locks are these.
fn lock(runtime: &Path, temporary: &Path) -> Output {
    let script = "set -euo pipefail; fail() { echo \"$*\" >&2; exit 1; }; . scripts/lock; lock it; echo taken";
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(root());
    command.env("XDG_RUNTIME_DIR", runtime).env("TMPDIR", temporary).output().unwrap()
}

fn is_taken(output: &Output) -> bool {
    output.status.success() && output.stdout == b"taken\n"
}

fn folder(path: &Path, mode: u32) -> PathBuf {
    std::fs::create_dir(path).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.to_owned()
}

#[test]
fn locks_are_in_a_folder_of_the_users_own_and_empty_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let own = folder(&scratch.path().join("own"), 0o700);
    std::fs::write(own.join("chaos-it.lock"), "kept").unwrap();
    assert!(is_taken(&lock(&own, scratch.path())));
    assert_eq!(std::fs::read_to_string(own.join("chaos-it.lock")).unwrap(), "kept");
    // Where others can write, it makes a folder where they can't.
    let open = folder(&scratch.path().join("open"), 0o777);
    assert!(is_taken(&lock(&open, scratch.path())));
    assert!(std::fs::read_dir(&open).unwrap().next().is_none());
    let user = std::fs::metadata(&own).unwrap().uid();
    let made = scratch.path().join(format!(".chaos-scripts.{user}"));
    assert!(made.join("chaos-it.lock").is_file());
    assert_eq!(std::fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o700);
    // And none that somebody else has put there for it.
    let planted = folder(&scratch.path().join("planted"), 0o777);
    std::os::unix::fs::symlink(&own, planted.join(format!(".chaos-scripts.{user}"))).unwrap();
    let refused = lock(&open, &planted);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("has to be a folder of yours"), "{refused:?}");
}

#[test]
fn grafana_is_not_published_with_the_password_that_everybody_knows() {
    let start = |bind: &str, password: &str| {
        let mut command = Command::new("bash");
        // Without an engine it goes no further.
        command.arg(root().join("start_with_monitoring.sh")).env("DOCKER_HOST", "unix:///nowhere");
        let output = command.env("GRAFANA_BIND", bind).env("GRAFANA_PASSWORD", password).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for password in ["", "admin123"] {
        for bind in ["0.0.0.0", "192.168.0.7", "::"] {
            let (code, said) = start(bind, password);
            assert!(code == Some(2) && said.contains("set GRAFANA_PASSWORD"), "{bind}: {said}");
        }
        for bind in ["", "127.0.0.1", "::1"] {
            assert_eq!(start(bind, password).0, Some(3), "{bind}");
        }
    }
    assert_eq!(start("0.0.0.0", "another").0, Some(3));
}
