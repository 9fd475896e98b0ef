//! Folders of runs and of guards at a glance.

use crate::made_up;
use chaos_model::{
    Event, Fault, Guard, Impact, OpenConnections, Record, Span, Spread, Target, Verdict,
    effect::{Delay, Kill, Refuse},
    event::{Cause, Counted, Fired, LinkCounts, ProxyCounts},
    ledger::FaultFigures,
    plan::PlannedLink,
    protocol::Transport,
};
use chaos_report::{ControlResult, GuardResult, Outcome, RunResult, Style, summary};
use std::{collections::BTreeMap, sync::Arc};

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
        unharmed: RunResult::of(&made_up::passing()),
        expected: names(expected),
        may_break: Vec::new(),
        broke: names(broke),
        unsure: Vec::new(),
        inconclusive: Vec::new(),
        run: Outcome::Verdict(verdict),
        took: made_up::ms(12_900),
    }
}

fn doubt(cause: Cause, why: &str) -> Vec<(Cause, String)> {
    vec![(cause, why.to_owned())]
}

fn made_up_guard(breaks: &[&str]) -> Guard {
    Guard {
        without: "the memory tier".to_owned(),
        set: Vec::new(),
        breaks: breaks.iter().map(|&that| that.to_owned()).collect(),
        may_break: Vec::new(),
        span: Span::default(),
    }
}

/// The same run with a fault whose injections came to this.
fn with_impacts(mut records: Vec<Record>, impacts: &[(Impact, u64)]) -> Vec<Record> {
    records.retain(|record| !matches!(record.event, Event::FaultFigures(_)));
    let impacts: BTreeMap<_, _> = impacts.iter().copied().collect();
    let figures = FaultFigures {
        fault: "outage".to_owned(),
        injections: impacts.values().sum(),
        impacts,
        ..FaultFigures::default()
    };
    records.insert(records.len() - 2, Record { at_us: 12_000_000, event: Event::FaultFigures(figures) });
    records
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
        GuardResult { inconclusive: doubt(Cause::Other, "the load was not reached"), ..guard(&names[..1], &[]) },
        GuardResult { run: Outcome::WorldFailed, ..guard(&names, &[]) },
        GuardResult { may_break: vec![names[1].to_owned()], ..guard(&names[..1], &names) },
        GuardResult::not_tried(&made_up_guard(&names[..1]), &RunResult::of(&made_up::failing())),
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
    let doubtful = |broke: &[&str]| GuardResult { inconclusive: doubt(Cause::Other, "why"), ..guard(&["a"], broke) };
    assert_eq!(of(doubtful(&["a"])), Outcome::Verdict(Verdict::Inconclusive));
    assert_eq!(of(doubtful(&[])), Outcome::Verdict(Verdict::Inconclusive), "it may have held because nothing happened");
    assert_eq!(of(doubtful(&["b"])), Outcome::Verdict(Verdict::Fail));
    assert_eq!(of(GuardResult { run: Outcome::Interrupted, ..guard(&["a"], &["a"]) }), Outcome::Interrupted);
}

#[test]
fn nothing_is_proven_where_the_scenario_does_not_pass_with_the_protection() {
    let [passing, failing, inconclusive, world_failed, interrupted] = all();
    let with = |unharmed: &[Record]| {
        let unharmed = RunResult::of(unharmed);
        GuardResult { unharmed, ..guard(&["a"], &["a"]) }.outcome()
    };
    assert_eq!(with(&passing), Outcome::Verdict(Verdict::Pass));
    assert_eq!(with(&failing), Outcome::Verdict(Verdict::Fail));
    assert_eq!(with(&inconclusive), Outcome::Verdict(Verdict::Inconclusive));
    assert_eq!((with(&world_failed), with(&interrupted)), (Outcome::WorldFailed, Outcome::Interrupted));
}

#[test]
fn what_may_break_proves_nothing_either_way() {
    let may = |result: GuardResult| GuardResult { may_break: vec!["b".to_owned()], ..result }.outcome();
    assert_eq!(may(guard(&["a"], &["a", "b"])), Outcome::Verdict(Verdict::Pass));
    assert_eq!(may(guard(&["a"], &["a"])), Outcome::Verdict(Verdict::Pass));
    assert_eq!(may(guard(&["a"], &["b"])), Outcome::Verdict(Verdict::Fail), "a has to break all the same");
    assert_eq!(may(guard(&["a"], &["a", "c"])), Outcome::Verdict(Verdict::Fail), "c is not named");
    let unsure = GuardResult { unsure: vec!["b".to_owned()], ..guard(&["a"], &["a"]) };
    assert_eq!(may(unsure), Outcome::Verdict(Verdict::Pass));
}

#[test]
fn a_fault_that_met_nobody_is_no_doubt_where_all_broke_that_must() {
    let with = |cause, broke: &[&str]| {
        GuardResult { inconclusive: doubt(cause, "why"), ..guard(&["a", "b"], broke) }.outcome()
    };
    assert_eq!(with(Cause::NeverFired, &["a", "b"]), Outcome::Verdict(Verdict::Pass));
    assert_eq!(
        with(Cause::NeverFired, &["a"]),
        Outcome::Verdict(Verdict::Inconclusive),
        "b may hold for want of a fault"
    );
    assert_eq!(with(Cause::Other, &["a", "b"]), Outcome::Verdict(Verdict::Inconclusive));
}

#[test]
fn results_are_made_from_events() {
    let failing = RunResult::of(&made_up::failing());
    assert_eq!(failing.failed, ["clients never notice"]);
    assert_eq!(failing.took, made_up::ms(12_845));
    let unharmed = RunResult::of(&made_up::passing());
    let guard = GuardResult::of(&made_up_guard(&["clients never notice"]), &unharmed, &made_up::failing());
    assert_eq!(guard.unsure, ["memory answers in Redis's place"]);
    assert_eq!(guard.outcome(), Outcome::Verdict(Verdict::Inconclusive));
    let guard = GuardResult::of(&made_up_guard(&[]), &unharmed, &made_up::inconclusive());
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
        ControlResult::of(&passing, Some(&with_counts(&passing, 0, 0))),
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
fn injections_that_joined_requests_show_something_though_all_comes_out_alike() {
    let of = |impacts: &[(Impact, u64)]| {
        let run = with_impacts(delaying(), impacts);
        ControlResult::of(&run, Some(&delaying())).outcome()
    };
    let [shows, shows_nothing, unsure] = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive].map(Outcome::Verdict);
    assert_eq!(of(&[(Impact::Unnoticed, 1)]), shows, "somebody met it, and all held");
    assert_eq!(of(&[(Impact::SharedFlight, 1), (Impact::Background, 7)]), shows);
    assert_eq!(of(&[(Impact::Background, 7)]), shows_nothing);
    assert_eq!(of(&[(Impact::Background, 7), (Impact::Unknown, 3)]), unsure, "whom three met is not known");
    assert_eq!(of(&[]), shows_nothing);
}

/// A run with another fault, that fires so often.
fn passing_with(fault: Fault, fired: Fired) -> Vec<Record> {
    let mut records = made_up::passing();
    for record in &mut records {
        match &mut record.event {
            Event::Begin(begin) => {
                begin.faults = vec![fault.clone()];
                let link = PlannedLink {
                    link: "gateway -> redis".to_owned(),
                    protocol: None,
                    transport: Transport::default(),
                };
                Arc::make_mut(&mut begin.plan).system.links = vec![link];
            }
            Event::FaultRemoved { fired: told, .. } => *told = fired,
            _ => {}
        }
    }
    records
}

/// A run whose fault delays.
fn delaying() -> Vec<Record> {
    let delay = Delay { delay: Spread::constant(made_up::ms(200)) };
    passing_with(made_up::plan("outage", delay.into()), Fired { connections: 3, messages: 801, ..Fired::default() })
}

/// A run whose fault refuses new connections alone.
fn keeping() -> Vec<Record> {
    passing_with(
        made_up::plan("outage", Refuse { open: OpenConnections::Keep }.into()),
        Fired { refused: 41, ..Fired::default() },
    )
}

/// A run whose fault kills a service.
fn killing() -> Vec<Record> {
    let kill = Fault { on: Target::Service("redis".to_owned()), ..made_up::plan("outage", Kill {}.into()) };
    passing_with(kill, Fired { services: 1, ..Fired::default() })
}

/// The run, in which so many connections were opened and messages came on `gateway -> redis` while the fault was due.
fn with_counts(records: &[Record], connections: u64, messages: u64) -> Vec<Record> {
    let counted = |at: u64, connections, messages: u64| {
        let messages = [("GET".to_owned(), 500 + messages)].into();
        let link = LinkCounts { connections: 4 + connections, messages, ..LinkCounts::default() };
        let counts = ProxyCounts { links: [("gateway -> redis".to_owned(), link)].into(), ..ProxyCounts::default() };
        Record { at_us: 0, event: Event::Counted(Counted { at: made_up::ms(at), counts }) }
    };
    let mut records = records.to_vec();
    let end = records.len() - 2;
    // What came before the fault and after it is no evidence.
    let counts = [counted(4001, 0, 0), counted(8002, connections, messages), counted(9000, 9, 999)];
    records.splice(end..end, counts);
    records
}

#[test]
fn faults_without_lines_in_the_ledger_show_something_where_they_stood_in_the_way() {
    let [shows, shows_nothing, unsure] = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive].map(Outcome::Verdict);
    let with = |run: &[Record], control: &[Record]| {
        let result = ControlResult::of(run, Some(control));
        (result.outcome(), controls(&[result]))
    };
    // Attempts to connect were refused, which the ledger does not tell.
    let refuses = made_up::passing();
    let (outcome, text) = with(&refuses, &refuses);
    assert_eq!(outcome, unsure, "nobody counts");
    assert!(text.contains("can't be said") && text.contains("INCONCLUSIVE: it can't be said whether"), "{text}");
    let (outcome, text) = with(&refuses, &with_counts(&refuses, 0, 40));
    assert_eq!(outcome, shows, "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = "but without `outage` (3 connections reset, at most 41 refused), 40 messages would have come on gateway -> redis at that time";
    assert!(words.contains(said), "{text}");
    assert_eq!(with(&refuses, &with_counts(&refuses, 0, 0)).0, shows_nothing, "nothing goes there");
    // Where only new connections are refused, messages on those that are open say nothing.
    let keeps = keeping();
    assert_eq!(with(&keeps, &with_counts(&keeps, 0, 40)).0, shows_nothing);
    assert_eq!(with(&keeps, &with_counts(&keeps, 1, 0)).0, shows);
    // A service that was killed.
    let killed = killing();
    assert_eq!(with(&killed, &with_counts(&killed, 0, 40)).0, shows);
    assert_eq!(with(&killed, &with_counts(&killed, 0, 0)).0, shows_nothing);
}

#[test]
fn one_control() {
    let shows = ControlResult::of(&made_up::passing(), Some(&made_up::control()));
    assert!(controls(&[shows]).ends_with("\nPASS: the scenario shows something, in 25.7s\n"));
    let nothing = ControlResult::of(&made_up::passing(), Some(&with_counts(&made_up::passing(), 0, 0)));
    assert!(controls(&[nothing]).ends_with("\nFAIL: the scenario does not show what it says, in 25.7s\n"));
}
