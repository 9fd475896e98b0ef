//! `chaos explore`: what is found, what is written, and what is refused.

use crate::support::{Finished, Sandbox, scenarios};
use serde_json::Value;

async fn explore(sandbox: &Sandbox, arguments: &str) -> Finished {
    sandbox.chaos(&format!("explore {arguments}")).run().await
}

/// One service, whose clients expect of it what it doesn't do.
fn expecting(sandbox: &Sandbox, expectation: &str) -> String {
    let text = format!(
        "{}\n[[expect]]\nthat = \"users have names\"\nduring = \"run\"\n{expectation}\n",
        scenarios::ONE_SERVICE
    );
    sandbox.write("one.toml", text)
}

#[tokio::test]
async fn one_command_says_the_same_twice() {
    let sandbox = Sandbox::new();
    let file = expecting(&sandbox, "status.418 = \"== 0%\"");
    let mut said = Vec::new();
    for json in ["a.json", "b.json"] {
        let run = explore(&sandbox, &format!("{file} --rate 5 --budget 30 --json {json}")).await;
        run.exited(0).said("client -> users").said("nothing found").said("users have names");
        said.push((run.out, std::fs::read_to_string(sandbox.path().join(json)).expect("it was written")));
    }
    assert_eq!(said[0], said[1]);
    let document: Value = serde_json::from_str(&said[0].1).expect("it is JSON");
    assert_eq!((&document["cases"], &document["seed"]), (&30.into(), &1.into()));
    let rows = document["matrix"]["effects"].as_array().expect("rows");
    let refuse = rows.iter().find(|row| row["effect"] == "refuse").expect("it was tried");
    assert_eq!(refuse["cells"]["client -> users"], "failed");
    sandbox.assert_clean();
}

#[tokio::test]
async fn a_page_for_a_browser_is_written_or_refused_at_once() {
    let sandbox = Sandbox::new();
    let file = expecting(&sandbox, "status.418 = \"== 0%\"");
    explore(&sandbox, &format!("{file} --rate 5 --budget 8 --html it.html")).await.exited(0).said("client -> users");
    let page = std::fs::read_to_string(sandbox.path().join("it.html")).expect("it was written");
    assert!(page.starts_with("<!doctype html>") && page.contains("client -&gt; users"), "{page}");
    let both = explore(&sandbox, &format!("{file} --json - --html -")).await;
    both.exited(2).complained("can't both be standard output");
    let nowhere = explore(&sandbox, &format!("{file} --html nowhere/it.html")).await;
    nowhere.exited(2).complained("--html: can't write nowhere/it.html");
}

#[tokio::test]
async fn what_is_no_subject_is_refused() {
    let sandbox = Sandbox::new();
    let file = expecting(&sandbox, "status.418 = \"== 0%\"");
    explore(&sandbox, "nowhere.toml").await.exited(2).complained("can't read nowhere.toml");
    explore(&sandbox, &format!("{file} --world local")).await.exited(2).complained("only a simulation has the time");
    explore(&sandbox, &format!("{file} --set load.rate=9/s")).await.exited(2).complained("`--rate`");
    explore(&sandbox, &format!("{file} --budget soon")).await.exited(2).complained("as `60s` or `5m`");
    explore(&sandbox, &format!("{file} --request GET")).await.exited(2).complained("which has a load");
    let system = sandbox.write("system.toml", "entry = \"users\"\nservice.users.program = \"user-service\"\n");
    explore(&sandbox, &system).await.exited(2).complained("add --request");
    let wrong = sandbox.write("wrong.toml", "title = \"it\"\n[load]\nrequest = \"GET /\"\n");
    explore(&sandbox, &wrong).await.exited(2).complained("`rate`");
}

#[tokio::test]
async fn a_system_that_is_not_well_is_not_explored() {
    let sandbox = Sandbox::new();
    let file = expecting(&sandbox, "status.418 = \"== 0%\"\n[responses]\ngood.status = \"== 201\"");
    let run = explore(&sandbox, &file).await;
    run.exited(4).complained("the system is not well without any fault");
}

#[tokio::test]
async fn a_system_is_explored_by_requests_of_the_command_line() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("system.toml", "entry = \"users\"\nservice.users.program = \"user-service\"\n");
    let mut command = sandbox.chaos(&format!("explore {file} --rate 5 --budget 8"));
    command = command.argument("--request").argument("GET /users/{user}");
    let run = command.argument("--var").argument("user=uniform 1..50").run().await;
    run.exited(0).said("responses are about what was asked for");
}
