//! A run as annotations.

use crate::made_up;
use chaos_model::{Event, Record, Verdict};
use chaos_report::annotations::{Annotations, Step};

fn steps(records: &[Record]) -> Vec<Step> {
    let mut annotations = Annotations::default();
    records.iter().flat_map(|record| annotations.on(record)).collect()
}

#[test]
fn faults_are_opened_and_closed_phases_and_the_verdict_are_posted() {
    insta::assert_debug_snapshot!(steps(&made_up::failing()));
}

#[test]
fn a_fault_that_was_in_place_as_the_run_was_cut_off_ends_with_it() {
    let mut records = made_up::passing();
    let applied = records.iter().position(|record| matches!(record.event, Event::FaultApplied { .. }));
    records.truncate(applied.expect("a fault") + 1);
    let since = records.last().expect("an event").at_us / 1000;
    records.push(Record { at_us: (since + 700) * 1000, event: Event::End { verdict: None } });
    let steps = steps(&records);
    let [Step::Open(opened, from), Step::Close(closed, to), Step::Post(end)] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!((opened.as_str(), closed.as_str()), ("outage", "outage"));
    assert_eq!(to.to_ms, Some(from.from_ms + 700));
    assert!(to.text.ends_with("cut off by the run's end"), "{to:?}");
    assert_eq!(end.tags[2], "no-verdict");
}

#[test]
fn the_second_run_knows_nothing_of_the_first() {
    let both: Vec<Record> = made_up::failing().into_iter().chain(made_up::passing()).collect();
    let second = steps(&made_up::passing());
    assert!(steps(&both).ends_with(&second));
    let Some(Step::Post(verdict)) = second.last() else { panic!("{second:?}") };
    assert_eq!(verdict.tags[2], Verdict::Pass.to_string());
}
