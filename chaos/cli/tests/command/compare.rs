//! `chaos run --world sim,local`: one scenario in two worlds.

use crate::support::{Sandbox, scenarios};

#[tokio::test]
async fn worlds_that_agree_exit_0_and_both_are_reported_with_the_same_seed() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file} --world sim,local --seed 7 --json events.jsonl")).run().await;
    run.exited(0).said("world sim, seed 7").said("world local, seed 7");
    run.said("AGREES  good.toml (sim and local, ").said("PASS: the worlds agree, in ");
    run.said("the same: 3 verdicts, ");
    let events = std::fs::read_to_string(sandbox.path().join("events.jsonl")).expect("it was recorded");
    let begins: Vec<_> = events.lines().filter(|line| line.contains("\"event\":\"begin\"")).collect();
    assert!(begins.len() == 2 && begins.iter().all(|begin| begin.contains("\"seed\":7,")), "{begins:?}");
    sandbox.assert_clean();
}

#[tokio::test]
async fn worlds_whose_verdicts_differ_exit_1_and_it_is_said_which() {
    let sandbox = Sandbox::new();
    // A simulation computes in no time, and is late by less than a millisecond, in which it counts. A machine has to
    // connect, and to build the first response.
    let expectation = "[[expect]]\nthat = \"no time\"\nduring = \"baseline\"\nlatency.max = \"<= 1ms\"\n";
    let file = sandbox.write("quick.toml", scenarios::with(expectation));
    let run = sandbox.chaos(&format!("run {file} --world local,sim")).run().await;
    run.exited(1).said("DIFFERS  quick.toml (local and sim, ");
    run.said("verdict: no time (baseline): fail in local, pass in sim (latency.max");
    run.said("FAIL: the worlds do not agree, in ");
}

#[tokio::test]
async fn a_folder_is_compared_scenario_by_scenario_and_what_is_not_valid_is_said() {
    let sandbox = Sandbox::new();
    let good = sandbox.write("good.toml", scenarios::passing());
    let bad = sandbox.write("bad.toml", "title = 1\n");
    let run = sandbox.chaos(&format!("run {bad} {good} --world sim,local")).run().await;
    run.exited(2).said("INVALID  bad.toml (sim and local, 0s)").said("AGREES   good.toml (sim and local, ");
    run.said("INVALID: the worlds agree on 1 of 2, in ");
}

#[tokio::test]
async fn what_can_not_be_compared_is_refused() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let refused = async |options: &str, why: &str| {
        sandbox.chaos(&format!("run {file} --world {options}")).run().await.exited(2).complained(why);
    };
    refused("sim,sim", "--world names a world twice").await;
    refused("sim,local --control", "are for one world").await;
    refused("sim,local --seeds 1..2", "are for one world").await;
    refused("sim,mars", "possible values: local, ").await;
    let prove = sandbox.chaos(&format!("prove {file} --world sim,local")).run().await;
    prove.exited(2).complained("guards are proven in one world at a time");
}
