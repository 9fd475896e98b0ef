//! One scenario in two worlds.

use crate::made_up::{self, check, figures, judged, ms};
use chaos_model::{
    Event, Record, Verdict,
    event::{Begin, Cause, Fired, PhaseFigures},
};
use chaos_report::{
    ComparisonResult, Outcome, Style,
    summary::{Weight, comparisons},
};
use std::collections::BTreeMap;

fn in_world(world: &str, records: Vec<Record>) -> Vec<Record> {
    let rename = |mut record: Record| {
        if let Event::Begin(begin) = &mut record.event {
            begin.world = world.to_owned();
        }
        record
    };
    records.into_iter().map(rename).collect()
}

/// A run whose outage has these figures and this verdict, and whose fault fired so often.
fn run(world: &str, outage: PhaseFigures, verdict: Verdict, fired: Fired) -> Vec<Record> {
    let seen = if verdict == Verdict::Pass { "3ms" } else { "61.2ms" };
    let checks = vec![
        check("status.200 >= 100%", "100% (801 of 801)", Verdict::Pass),
        check("latency.p99 < 50ms", seen, verdict),
    ];
    let ends = vec![
        Event::Phase(figures("baseline", 796, 1180, 4300)),
        Event::Phase(outage),
        judged(0, "clients never notice", "outage", checks),
        judged(1, "it recovers", "within 2s after outage", vec![check("errors == 0%", "0%", Verdict::Pass)]),
    ];
    let begin = Begin { world: world.to_owned(), ..made_up::begin() };
    let end = made_up::end(Some(Verdict::of_all([verdict, Verdict::Pass])));
    [made_up::start(begin), made_up::timeline(fired), made_up::late(ends), end].concat()
}

fn sim() -> Vec<Record> {
    let outage = PhaseFigures { partial: Some(100), oldest: Some(ms(4000)), ..figures("outage", 800, 1000, 3000) };
    run("sim", outage, Verdict::Pass, made_up::FIRED)
}

/// Everything is otherwise, and by more than chance explains.
fn otherwise() -> Vec<Record> {
    let outage = PhaseFigures {
        statuses: BTreeMap::from([(200, 700), (503, 60)]),
        good: 700,
        unanswered: BTreeMap::from([("timed out".to_owned(), 42)]),
        oldest: Some(ms(9000)),
        ..figures("outage", 802, 1300, 61_200)
    };
    run("local", outage, Verdict::Fail, Fired { refused: 410, messages: 90, ..made_up::FIRED })
}

fn show(results: &[ComparisonResult]) -> String {
    let mut out = Vec::new();
    comparisons(&mut out, Style::default(), results).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_differs_is_told_by_its_weight() {
    let result = ComparisonResult::of([&sim(), &otherwise()]);
    assert!(result.differences.is_sorted_by_key(|difference| difference.weight));
    assert_eq!(result.differences[0].weight, Weight::Verdict);
    assert_eq!(result.outcome(), Outcome::Verdict(Verdict::Fail));
    insta::assert_snapshot!(show(&[result]));
}

#[test]
fn what_chance_and_clocks_explain_is_counted_and_not_told() {
    // Some requests more, some partial responses fewer, latencies in whole milliseconds.
    let outage = PhaseFigures { partial: Some(88), oldest: Some(ms(4900)), ..figures("outage", 803, 210, 9_900) };
    let local = run("local", outage, Verdict::Pass, Fired { chunks: 9, refused: 60, ..made_up::FIRED });
    let result = ComparisonResult::of([&sim(), &local]);
    assert_eq!(result.differences, []);
    assert_eq!(result.outcome(), Outcome::Verdict(Verdict::Pass));
    insta::assert_snapshot!(show(&[result]));
}

#[test]
fn a_folder_of_every_outcome() {
    let passing = in_world("sim", made_up::passing());
    let figures_alone = {
        let outage = PhaseFigures { partial: Some(20), oldest: Some(ms(4000)), ..figures("outage", 800, 1000, 3000) };
        run("local", outage, Verdict::Pass, made_up::FIRED)
    };
    let results = [
        ComparisonResult::of([&passing, &made_up::passing()]),
        ComparisonResult::of([&sim(), &figures_alone]),
        ComparisonResult::of([&passing, &made_up::failing()]),
        ComparisonResult::of([&passing, &made_up::world_failed()]),
        ComparisonResult::of([&passing, &made_up::interrupted()]),
        ComparisonResult::invalid("scenarios/oops.toml", ["sim", "local"]),
    ];
    let outcomes: Vec<_> = results.iter().map(ComparisonResult::outcome).collect();
    let (pass, fail) = (Outcome::Verdict(Verdict::Pass), Outcome::Verdict(Verdict::Fail));
    let [failed, interrupted] = [Outcome::WorldFailed, Outcome::Interrupted];
    assert_eq!(
        outcomes,
        [pass, pass, fail, failed, interrupted, Outcome::Invalid],
        "figures alone are no disagreement"
    );
    insta::assert_snapshot!(show(&results));
}

#[test]
fn both_may_fail_and_agree() {
    let result = ComparisonResult::of([&in_world("sim", made_up::failing()), &made_up::failing()]);
    assert!(!result.disagrees());
    assert_eq!(result.outcome(), Outcome::Verdict(Verdict::Fail), "the runs failed all the same");
    assert!(show(&[result]).contains("AGREES"));
}

#[test]
fn an_expectation_that_a_world_leaves_to_others_is_no_difference() {
    let without: Vec<Record> = sim().into_iter().filter(|record| !is_of(record, "it recovers")).collect();
    let local = in_world("local", sim());
    let result = ComparisonResult::of([&without, &local]);
    assert!(!result.disagrees());
    assert_eq!(result.expectations.alone, [vec![], vec!["it recovers".to_owned()]]);
    assert!(show(&[result]).contains("judged in local alone: it recovers"));
}

fn is_of(record: &Record, that: &str) -> bool {
    matches!(&record.event, Event::Judged(judged) if judged.that == that)
}

#[test]
fn a_doubt_in_one_world_alone_is_a_difference_of_the_runs() {
    let mut doubtful = in_world("local", sim());
    let why = "the load was not reached".to_owned();
    let end = doubtful.len() - 1;
    doubtful[end].event = Event::End { verdict: Some(Verdict::Inconclusive) };
    doubtful.insert(end, Record { at_us: 12_800_001, event: Event::Inconclusive { why, cause: Cause::Other } });
    let result = ComparisonResult::of([&sim(), &doubtful]);
    assert!(result.disagrees());
    let text = show(&[result]);
    assert!(text.contains("verdict: the run as a whole: pass in sim, inconclusive in local (the\n"), "{text}");
}
