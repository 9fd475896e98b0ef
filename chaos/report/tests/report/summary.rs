//! Folders of runs and of guards at a glance.

use crate::made_up;
use chaos_model::{Record, Verdict};
use chaos_report::{ControlResult, GuardResult, Outcome, RunResult, Style, summary};

fn all() -> [Vec<Record>; 5] {
    [made_up::passing(), made_up::failing(), made_up::inconclusive(), made_up::world_failed(), made_up::interrupted()]
}

fn runs(results: &[RunResult]) -> String {
    let mut out = Vec::new();
    summary::runs(&mut out, Style::default(), results).unwrap();
    String::from_utf8(out).unwrap()
}

fn guards(results: &[GuardResult]) -> String {
    let mut out = Vec::new();
    summary::guards(&mut out, Style::default(), results).unwrap();
    String::from_utf8(out).unwrap()
}

fn guard(expected: &[&str], broke: &[&str]) -> GuardResult {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let verdict = if broke.is_empty() { Verdict::Pass } else { Verdict::Fail };
    GuardResult {
        file: "scenarios/redis_down.toml".to_owned(),
        without: "the memory tier".to_owned(),
        expected: names(expected),
        broke: names(broke),
        unsure: Vec::new(),
        inconclusive: Vec::new(),
        run: Outcome::Verdict(verdict),
        took: made_up::ms(12_900),
    }
}

#[test]
fn a_folder_of_runs() {
    let mut results: Vec<_> = all().iter().map(|run| RunResult::of(run)).collect();
    let invalid = RunResult {
        file: "scenarios/oops.toml".to_owned(),
        title: String::new(),
        outcome: Outcome::Invalid,
        took: made_up::ms(0),
        failed: Vec::new(),
    };
    results.insert(1, invalid);
    insta::assert_snapshot!(runs(&results));
}

#[test]
fn a_folder_of_runs_that_pass() {
    insta::assert_snapshot!(runs(&[RunResult::of(&made_up::passing()), RunResult::of(&made_up::passing())]));
}

#[test]
fn guards_of_every_outcome() {
    let names = ["memory answers in Redis's place", "clients never notice"];
    let results = [
        guard(&names[..1], &names[..1]),
        guard(&names[..1], &[]),
        guard(&names[..1], &names),
        GuardResult { unsure: vec![names[1].to_owned()], ..guard(&names, &names[..1]) },
        GuardResult { inconclusive: vec!["the load was not reached".to_owned()], ..guard(&names[..1], &[]) },
        GuardResult { run: Outcome::WorldFailed, ..guard(&names, &[]) },
    ];
    insta::assert_snapshot!(guards(&results));
}

#[test]
fn a_guard_is_proven_when_exactly_what_it_names_breaks() {
    let of = |guard: GuardResult| guard.outcome();
    assert_eq!(of(guard(&["a", "b"], &["b", "a"])), Outcome::Verdict(Verdict::Pass));
    assert_eq!(of(guard(&["a"], &[])), Outcome::Verdict(Verdict::Fail));
    assert_eq!(of(guard(&["a"], &["a", "b"])), Outcome::Verdict(Verdict::Fail));
    let unsure = |broke: &[&str]| GuardResult { unsure: vec!["b".to_owned()], ..guard(&["a"], broke) };
    assert_eq!(of(unsure(&["a"])), Outcome::Verdict(Verdict::Inconclusive));
    assert_eq!(of(unsure(&[])), Outcome::Verdict(Verdict::Fail), "whatever b came to, a held");
    let doubtful = |broke: &[&str]| GuardResult { inconclusive: vec!["why".to_owned()], ..guard(&["a"], broke) };
    assert_eq!(of(doubtful(&["a"])), Outcome::Verdict(Verdict::Inconclusive));
    assert_eq!(of(doubtful(&[])), Outcome::Verdict(Verdict::Inconclusive), "it may have held because nothing happened");
    assert_eq!(of(doubtful(&["b"])), Outcome::Verdict(Verdict::Fail));
    assert_eq!(of(GuardResult { run: Outcome::Interrupted, ..guard(&["a"], &["a"]) }), Outcome::Interrupted);
}

#[test]
fn results_are_made_from_events() {
    let failing = RunResult::of(&made_up::failing());
    assert_eq!(failing.failed, ["clients never notice"]);
    assert_eq!(failing.took, made_up::ms(12_845));
    let guard = GuardResult::of(&made_up::failing(), &["clients never notice".to_owned()]);
    assert_eq!(guard.unsure, ["memory answers in Redis's place"]);
    assert_eq!(guard.outcome(), Outcome::Verdict(Verdict::Inconclusive));
    let guard = GuardResult::of(&made_up::inconclusive(), &[]);
    assert_eq!(guard.inconclusive.len(), 1);
}

#[test]
fn nothing_to_sum_up() {
    assert_eq!(guards(&[]), "all guards\nPASS: there are no guards\n");
}

fn controls(results: &[ControlResult]) -> String {
    let mut out = Vec::new();
    summary::controls(&mut out, Style::default(), results).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn controls_of_every_outcome() {
    let [passing, failing, _, failed, interrupted] = all();
    let control = made_up::control();
    let results = [
        ControlResult::of(&passing, Some(&control)),
        ControlResult::of(&passing, Some(&passing)),
        ControlResult::of(&failing, Some(&control)),
        ControlResult::of(&failed, None),
        ControlResult::of(&passing, Some(&interrupted)),
    ];
    let outcomes: Vec<_> = results.iter().map(ControlResult::outcome).collect();
    let verdict = Outcome::Verdict;
    let (pass, fail) = (verdict(Verdict::Pass), verdict(Verdict::Fail));
    assert_eq!(outcomes, [pass, fail, fail, Outcome::WorldFailed, Outcome::Interrupted]);
    insta::assert_snapshot!(controls(&results));
}

#[test]
fn one_control() {
    let shows = ControlResult::of(&made_up::passing(), Some(&made_up::control()));
    assert!(controls(&[shows]).ends_with("\nPASS: the scenario shows something, in 25.7s\n"));
    let nothing = ControlResult::of(&made_up::passing(), Some(&made_up::passing()));
    assert!(controls(&[nothing]).ends_with("\nFAIL: the scenario does not show what it says, in 25.7s\n"));
}
