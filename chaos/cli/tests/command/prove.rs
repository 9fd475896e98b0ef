//! `chaos prove`: guards that break what they name, and guards that don't.

use crate::support::{Sandbox, scenarios};

#[tokio::test]
async fn a_guard_that_breaks_what_it_names_is_proven() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::proven());
    let run = sandbox.chaos(&format!("prove {file}")).run().await;
    run.exited(0)
        .said("on purpose without: its users")
        .said("PROVEN")
        .said("broke, as it must: all are answered before");
    run.said("broke, as it must: all are answered again").said("PASS: 1 of 1 guards broke exactly what they name");
    assert!(!run.out.contains(".log"), "what a guard breaks is meant to break, and needs no logs:\n{run}");
    sandbox.assert_clean();
}

#[tokio::test]
async fn a_guard_that_breaks_nothing_fails_with_what_held() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("bad.toml", scenarios::unproven());
    let run = sandbox.chaos(&format!("prove {file}")).run().await;
    run.exited(1).said("NOT PROVEN").said("without its users (bad.toml, ");
    run.said("HELD, and must break: all are answered before").said("FAIL: 0 of 1 guards");
    sandbox.assert_clean();
}

#[tokio::test]
async fn scenarios_without_guards_prove_nothing() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("plain.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("prove {file}")).run().await;
    run.exited(2).complained("there is no guard in these scenarios");
    assert_eq!(run.out, "", "it started something");
    sandbox.assert_clean();
}
