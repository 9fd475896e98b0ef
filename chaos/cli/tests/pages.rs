//! Completions, manual pages and schemas come from the command itself, so that nobody needs the sources for them.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, helpers included")]

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Commands for people; the hidden ones are the command's own.
const COMMANDS: [&str; 12] =
    ["run", "prove", "init", "explore", "check", "explain", "rerun", "cleanup", "proxy", "serve", "man", "schema"];

fn chaos(arguments: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_chaos")).args(arguments).output().unwrap();
    let told = if output.status.success() { output.stdout } else { output.stderr };
    (String::from_utf8(told).unwrap(), output.status.code())
}

#[test]
fn schemas_are_those_that_ship() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    for name in ["scenario", "system", "attach", "proxies"] {
        let shipped = std::fs::read_to_string(folder.join(format!("{name}.schema.json"))).unwrap();
        let (printed, code) = chaos(&["schema", name]);
        assert_eq!(code, Some(0), "{printed}");
        assert!(
            printed == shipped,
            "scenarios/{name}.schema.json is old: cargo run -p chaos-cli -- schema {name} > scenarios/{name}.schema.json"
        );
    }
    let (told, code) = chaos(&["schema", "lease"]);
    assert!(code == Some(2) && told.contains("[possible values: scenario, system, attach, proxies]"), "{told}");
}

#[test]
fn shells_complete_every_command_and_value() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (script, code) = chaos(&["completions", shell]);
        assert_eq!(code, Some(0), "{script}");
        for word in COMMANDS.into_iter().chain(["--world", "dry-run"]) {
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(script.contains(word), "{shell}: no {word}");
        }
        for hidden in ["supervisor", "pid"] {
            assert!(!script.contains(&format!("chaos {hidden}")), "{shell}: {hidden}");
        }
    }
    let script = chaos(&["completions", "bash"]).0;
    // Bash reads it without a complaint, where there is one.
    let mut bash = Command::new("bash");
    bash.args(["-n", "-c", &script]).stderr(Stdio::piped());
    if let Ok(output) = bash.output() {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn there_is_a_manual_page_of_every_command() {
    let (page, code) = chaos(&["man"]);
    assert_eq!(code, Some(0), "{page}");
    assert!(page.contains(".TH chaos 1") && page.contains("Exit codes"), "{page}");
    for command in COMMANDS {
        assert!(page.contains(&format!("chaos\\-{command}(1)")), "{command} is not in\n{page}");
        let (page, code) = chaos(&["man", command]);
        assert!(code == Some(0) && page.contains(&format!("chaos\\-{command}")), "{page}");
    }
    assert!(!page.contains("supervisor"), "hidden commands have no page");
    for none in ["supervisor", "heal"] {
        let (told, code) = chaos(&["man", none]);
        assert!(code == Some(2) && told.contains(&format!("there is no command `{none}`")), "{told}");
    }
}

#[test]
fn manual_pages_are_written_to_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (told, code) = chaos(&["man", "--to", folder.path().to_str().unwrap()]);
    assert_eq!(code, Some(0), "{told}");
    for page in ["chaos.1", "chaos-run.1", "chaos-schema.1"] {
        assert!(folder.path().join(page).is_file(), "{page}");
    }
    let (told, code) = chaos(&["man", "--to", "/dev/null/man"]);
    assert!(code == Some(3) && told.contains("can't write to /dev/null/man"), "{told}");
}
