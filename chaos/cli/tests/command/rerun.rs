//! `chaos rerun`: recorded runs once more, from their recordings alone.

use crate::support::{Finished, Sandbox, scenarios};
use std::fs;

async fn chaos(sandbox: &Sandbox, arguments: &str) -> Finished {
    sandbox.chaos(arguments).run().await
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.path().join(name)).expect("it was written")
}

fn remove(sandbox: &Sandbox, name: &str) {
    fs::remove_file(sandbox.path().join(name)).expect("it was there");
}

/// Both recordings are the same, byte for byte.
#[track_caller]
fn assert_same(sandbox: &Sandbox, what: &str) {
    let [first, again] = ["first.jsonl", "again.jsonl"].map(|name| read(sandbox, name));
    let differs = first.lines().zip(again.lines()).position(|(one, other)| one != other);
    assert!(first == again, "{what}: line {differs:?} differs");
}

fn failing() -> String {
    scenarios::passing().replace("unanswered.any = \">= 100%\"", "unanswered.any = \"< 1%\"")
}

/// A scenario with a system in a file of its own, and with secrets in both.
fn in_two_files(sandbox: &Sandbox) {
    let text = scenarios::passing();
    let (system, rest) = text.split_once("\n[load]").expect("there is a load");
    let title = "title = \"One service\"";
    sandbox.write("system.toml", format!("{}\nenv.AUTH_KEY = \"sesame\"\n", system.replace(title, "")));
    let authorization = "headers.authorization = \"Bearer of-news\"";
    sandbox.write("good.toml", format!("{title}\n[load]\n{authorization}\n{rest}"));
}

/// Whatever a run was made of, its recording makes it again: settings, expectations, seeds, guards, controls.
#[tokio::test]
async fn a_simulation_from_its_recording_is_the_same_byte_for_byte() {
    let sandbox = Sandbox::new();
    for (command, code) in [
        ("run good.toml", 0),
        ("run good.toml --seed 7 --set load.rate=50/s --set load.duration=1400ms -e before", 0),
        ("run good.toml bad.toml", 1),
        ("run good.toml --control", 0),
        ("run bad.toml --seeds 4..9", 1),
        ("prove good.toml", 0),
    ] {
        sandbox.write("good.toml", scenarios::proven());
        sandbox.write("bad.toml", failing());
        let run = chaos(&sandbox, &format!("{command} --world sim --json first.jsonl")).await;
        run.exited(code);
        remove(&sandbox, "good.toml");
        remove(&sandbox, "bad.toml");
        let again = chaos(&sandbox, "rerun first.jsonl --json again.jsonl").await;
        assert_eq!(again.exited(code).err, "", "{command}");
        assert_same(&sandbox, command);
        if command.starts_with("run good.toml --seed") || command.starts_with("prove") {
            assert_eq!(again.out, run.out, "people read the same too");
        }
    }
}

#[tokio::test]
async fn a_bundled_scenario_is_made_again_without_its_files() {
    let sandbox = Sandbox::new();
    let files = ["redis_down.toml", "tokens.toml", "system.toml"];
    let copy = |file: &&str| {
        let text = fs::read_to_string(scenarios::shipped().join(file)).expect("it ships");
        sandbox.write(file, text);
    };
    for (scenario, gone) in [(files[0], &files[..]), (files[1], &files[2..])] {
        files.iter().for_each(copy);
        chaos(&sandbox, &format!("run {scenario} --world sim --json first.jsonl")).await.exited(0);
        // One has a secret, which its recording hides: it stays.
        gone.iter().for_each(|file| remove(&sandbox, file));
        chaos(&sandbox, "rerun first.jsonl --json again.jsonl").await.exited(0);
        assert_same(&sandbox, scenario);
    }
}

#[tokio::test]
async fn only_what_did_not_pass_is_made_again() {
    let sandbox = Sandbox::new();
    sandbox.write("good.toml", scenarios::proven());
    sandbox.write("bad.toml", failing());
    sandbox.write("unproven.toml", scenarios::unproven());
    chaos(&sandbox, "run good.toml bad.toml --world sim --json run.jsonl").await.exited(1);
    chaos(&sandbox, "prove good.toml unproven.toml --world sim --json proof.jsonl").await.exited(1);
    chaos(&sandbox, "run good.toml --world sim --json good.jsonl").await.exited(0);
    let again = chaos(&sandbox, "rerun --failed good.jsonl run.jsonl proof.jsonl --json again.jsonl").await;
    again.exited(1).said("bad.toml").said("unproven.toml");
    assert!(!again.out.contains("good.toml"), "{again}");
    let begins = |name| read(&sandbox, name).matches("\"event\":\"begin\"").count();
    assert_eq!((begins("proof.jsonl"), begins("again.jsonl")), (4, 3), "with the guard that is not proven");
    let none = chaos(&sandbox, "rerun --failed good.jsonl --json again.jsonl").await;
    assert_eq!(none.exited(0).out, "nothing to run: all 1 passed\n");
}

/// Secrets come from the files again, from the environment, or by hand; else they are asked for by name.
#[tokio::test]
async fn a_secret_is_had_again_or_named() {
    let sandbox = Sandbox::new();
    in_two_files(&sandbox);
    chaos(&sandbox, "run good.toml --world sim --json first.jsonl").await.exited(0);
    let first = read(&sandbox, "first.jsonl");
    assert!(!first.contains("sesame") && !first.contains("of-news"), "{first}");
    let same = async |arguments: &str| {
        let again = sandbox.chaos(&format!("rerun first.jsonl --json again.jsonl{arguments}")).run().await;
        again.exited(0);
        assert_same(&sandbox, arguments);
    };
    same("").await;
    // The scenario was changed, and its system too.
    let [scenario, system] = ["good.toml", "system.toml"].map(|name| read(&sandbox, name));
    sandbox.write("good.toml", scenario.replace("rate      = \"100/s\"", "rate      = \"1/s\""));
    sandbox.write("system.toml", format!("# New.\n{system}"));
    same("").await;
    remove(&sandbox, "good.toml");
    remove(&sandbox, "system.toml");
    let again = chaos(&sandbox, "rerun first.jsonl --json never.jsonl").await;
    let missing = again.exited(2).complained("chaos rerun: good.toml: a recording holds no secrets");
    missing.complained("good.toml:3: load.headers.authorization\n").complained("system.toml:");
    missing.complained(": service.users.env.AUTH_KEY\n").complained("--set KEY=VALUE");
    assert!(again.out.is_empty() && !sandbox.path().join("never.jsonl").exists(), "nothing is started: {again}");
    let given = "rerun first.jsonl --json again.jsonl --set load.headers.authorization=other";
    chaos(&sandbox, given).await.exited(2).complained(": service.users.env.AUTH_KEY\n");
    sandbox.chaos(given).env("AUTH_KEY", "mesase").run().await.exited(0);
    let again = read(&sandbox, "again.jsonl");
    assert!(again.contains("\"load.headers.authorization=*****\""), "{again}");
}

#[tokio::test]
async fn a_setting_that_is_masked_is_given_again_or_named() {
    let sandbox = Sandbox::new();
    sandbox.write("good.toml", scenarios::passing());
    let secret = "--set service.users.env.API_TOKEN=sesame --set load.rate=50/s";
    chaos(&sandbox, &format!("run good.toml --world sim {secret} --json first.jsonl")).await.exited(0);
    let again = chaos(&sandbox, "rerun first.jsonl").await;
    again.exited(2).complained("--set:1: service.users.env.API_TOKEN\n");
    let again = sandbox.chaos("rerun first.jsonl --json again.jsonl").env("API_TOKEN", "mesase").run().await;
    again.exited(0);
    assert_same(&sandbox, "a secret");
    let given = "--set service.users.env.API_TOKEN=mesase --json again.jsonl";
    chaos(&sandbox, &format!("rerun first.jsonl {given}")).await.exited(0);
    assert_same(&sandbox, "a secret");
    // Any setting can be another one this time.
    chaos(&sandbox, &format!("rerun first.jsonl {given} --set load.rate=70/s")).await.exited(0);
    assert!(read(&sandbox, "again.jsonl").contains("\"load.rate=70/s\""));
}

#[tokio::test]
async fn what_is_no_recording_is_refused_and_one_that_was_cut_off_is_made_whole() {
    let sandbox = Sandbox::new();
    sandbox.write("good.toml", scenarios::passing());
    chaos(&sandbox, "run good.toml --world sim --json first.jsonl").await.exited(0);
    let whole = read(&sandbox, "first.jsonl");
    sandbox.write("cut.jsonl", &whole[..whole.len() - 60]);
    let again = chaos(&sandbox, "rerun --failed cut.jsonl --json again.jsonl").await;
    again.exited(0).complained("cut.jsonl: line ").complained("is cut off here");
    assert!(read(&sandbox, "again.jsonl") == whole, "it is another run");
    sandbox.write("begun.jsonl", &whole[..200]);
    chaos(&sandbox, "rerun begun.jsonl").await.exited(2).complained("begun.jsonl: line 1: ");
    chaos(&sandbox, "rerun good.toml").await.exited(2).complained("this is no recording of a run");
    chaos(&sandbox, "rerun nowhere.jsonl").await.exited(2).complained("can't read nowhere.jsonl: No such file");
    sandbox.write("other.jsonl", whole.replacen("\"world\":\"sim\"", "\"world\":\"moon\"", 1));
    chaos(&sandbox, "rerun other.jsonl").await.exited(2).complained("good.toml: this build has no world `moon`");
    let (before, rest) = whole.split_once("\"sources\":[").expect("the texts");
    let (_, after) = rest.split_once("],\"masked\"").expect("what was masked");
    sandbox.write("old.jsonl", format!("{before}\"sources\":[],\"masked\"{after}"));
    chaos(&sandbox, "rerun old.jsonl").await.exited(2).complained("has no text of its scenario");
}

/// In processes too: with the command of the recording, in the folder that it was made in.
#[tokio::test]
async fn a_run_in_processes_is_made_again_from_another_folder() {
    let sandbox = Sandbox::new();
    let program = env!("CARGO_BIN_EXE_chaos");
    sandbox.write("serve", format!("#!/bin/sh\nexec {program} serve user-service\n"));
    let words = r#"["sh", "./serve"]"#;
    sandbox.write("good.toml", scenarios::by_command(words));
    chaos(&sandbox, "run good.toml --seed 3 --json first.jsonl").await.exited(0);
    let other = Sandbox::new();
    let recording = sandbox.path().join("first.jsonl").display().to_string();
    let again = chaos(&other, &format!("rerun {recording} --json again.jsonl")).await;
    again.exited(0).said("world local, seed 3");
    assert!(!other.path().join("first.jsonl").exists());
    remove(&sandbox, "good.toml");
    let lost = chaos(&other, &format!("rerun {recording}")).await;
    lost.exited(2).complained("`users` is a command, and runs in the folder of its file: good.toml is neither in ");
    other.assert_clean();
}
