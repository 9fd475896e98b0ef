//! Runs against earlier ones.

use crate::made_up;
use chaos_model::{Event, Record, Verdict};
use chaos_report::{
    Style,
    against::{self, Compared, Direction, Earlier},
};

/// A run with this many bad responses in the fault's phase, which began at this time.
fn run(bad: u64, unix_ms: u64) -> Vec<Record> {
    let mut records = made_up::passing();
    for record in &mut records {
        match &mut record.event {
            Event::Begin(begin) => begin.unix_ms = unix_ms,
            Event::Slice(slice) if slice.from == made_up::ms(5000) => {
                slice.counts.due = 2000;
                slice.counts.good = 2000 - bad;
            }
            _ => {}
        }
    }
    records
}

fn compare(earlier: &[Vec<Record>], now: &[Record]) -> Vec<Compared> {
    let mut fold = Earlier::default();
    earlier.iter().flatten().for_each(|record| fold.on(record));
    fold.compare(now)
}

fn text(compared: &[Compared]) -> String {
    let mut out = Vec::new();
    against::write(&mut out, Style::default(), compared).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_latest_run_of_the_same_scenario_is_what_counts() {
    let earlier = [run(0, 2000), run(400, 1000)];
    let worse = compare(&earlier, &run(100, 3000));
    assert_eq!(worse.len(), 1);
    assert_eq!(worse[0].earlier_unix_ms, Some(2000));
    assert!(worse[0].is_worse());
    let what: Vec<_> = worse[0].changes.iter().map(|change| (change.direction, change.what.as_str())).collect();
    assert_eq!(what, [(Direction::Worse, "all but recoveries: available"), (Direction::Worse, "outage: available")]);
    insta::assert_snapshot!(text(&worse));
    let better = compare(&[run(400, 1000)], &run(0, 3000));
    assert!(!better[0].is_worse() && !better[0].changes.is_empty());
    let same = compare(&[run(3, 1000)], &run(5, 3000));
    assert_eq!(same[0].changes, []);
}

#[test]
fn a_verdict_that_was_a_pass_is_worse_and_one_that_cannot_be_said_is_neither() {
    let failing = compare(&[made_up::passing()], &made_up::failing());
    let verdicts: Vec<_> = failing[0].changes.iter().filter(|change| change.what.contains("(outage)")).collect();
    let seen: Vec<_> = verdicts.iter().map(|change| (change.direction, change.seen[1].as_str())).collect();
    assert_eq!(seen, [(Direction::Worse, "fail"), (Direction::Changed, "inconclusive")]);
}

#[test]
fn runs_that_are_no_whole_ones_are_not_compared() {
    let cut: Vec<_> = run(0, 2000).into_iter().take(14).collect();
    assert_eq!(compare(&[run(0, 1000)], &cut), []);
    assert_eq!(compare(&[cut], &run(0, 3000))[0].earlier_unix_ms, None, "nor is one of them an earlier run");
    assert_eq!(compare(&[made_up::control()], &run(0, 3000))[0].earlier_unix_ms, None);
    let mut failed = run(0, 2000);
    failed.last_mut().unwrap().event = Event::End { verdict: None };
    assert_eq!(compare(&[failed], &run(0, 3000))[0].earlier_unix_ms, None);
    let unsure = Event::End { verdict: Some(Verdict::Inconclusive) };
    let mut inconclusive = run(0, 2000);
    inconclusive.last_mut().unwrap().event = unsure;
    assert!(compare(&[inconclusive], &run(0, 3000))[0].earlier_unix_ms.is_some(), "its figures are whole");
}
