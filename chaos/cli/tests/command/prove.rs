//! `chaos prove`: guards that break what they name, and guards that don't.

use crate::support::{Sandbox, scenarios};

#[tokio::test]
async fn a_guard_that_breaks_what_it_names_is_proven() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::proven());
    let run = sandbox.chaos(&format!("prove {file}")).run().await;
    run.exited(0)
        .said("PASS in ")
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
async fn a_guard_of_a_scenario_that_fails_with_its_protection_proves_nothing_and_is_not_tried() {
    let sandbox = Sandbox::new();
    let text = scenarios::proven().replace("unanswered.any = \">= 100%\"", "unanswered.any = \"< 1%\"");
    let file = sandbox.write("broken.toml", text);
    let run = sandbox.chaos(&format!("prove --world sim {file}")).run().await;
    run.exited(1).said("PROVES NOTHING  without its users (broken.toml, ").said("with the protection too: FAIL");
    run.said("fails, and must hold: nobody is answered without it").said("FAIL: 0 of 1 guards");
    assert!(!run.out.contains("on purpose without"), "the guard was tried:\n{run}");
}

#[tokio::test]
async fn what_may_break_is_told_and_decides_nothing() {
    let sandbox = Sandbox::new();
    let breaks = r#"breaks = ["all are answered before"]"#;
    let guard = |may_break: &str| {
        let all = r#"breaks = ["all are answered before", "all are answered again"]"#;
        scenarios::proven().replace(all, &format!("{breaks}\n{may_break}"))
    };
    let may = sandbox.write("may.toml", guard(r#"may-break = ["all are answered again"]"#));
    let run = sandbox.chaos(&format!("prove --world sim {may}")).run().await;
    run.exited(0).said("broke, as it must: all are answered before").said("broke, as it may: all are answered again");
    let must_not = sandbox.write("must_not.toml", guard(""));
    let run = sandbox.chaos(&format!("prove --world sim {must_not}")).run().await;
    run.exited(1).said("BROKE, and must hold: all are answered again");
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
