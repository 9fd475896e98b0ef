//! A run as Prometheus metrics.

use crate::made_up;
use chaos_model::{Event, Record, Verdict};
use chaos_report::Metrics;

/// The metrics after all events up to the first that is `last`.
fn until(records: &[Record], last: impl Fn(&Event) -> bool) -> String {
    let mut metrics = Metrics::default();
    for record in records {
        metrics.on(record);
        if last(&record.event) {
            return written(&metrics);
        }
    }
    panic!("there is no such event")
}

fn written(metrics: &Metrics) -> String {
    let mut out = Vec::new();
    metrics.write(&mut out).expect("a Vec takes all");
    String::from_utf8(out).expect("UTF-8")
}

/// The value of a series, written as it stands in the text.
fn value<'a>(text: &'a str, series: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("there is no {series} in\n{text}"))
}

#[test]
fn before_the_first_run_there_is_nothing() {
    assert_eq!(written(&Metrics::default()), "");
}

#[test]
fn the_metrics_of_a_run_that_has_ended() {
    insta::assert_snapshot!(until(&made_up::failing(), |event| matches!(event, Event::End { .. })));
}

#[test]
fn a_fault_is_active_until_it_is_taken_back_and_has_fired_then() {
    let (active, fired) = ("chaos_run_fault_active{fault=\"outage\"", "chaos_run_fault_fired_total{fault=\"outage\"}");
    let begins = until(&made_up::passing(), |event| matches!(event, Event::FaultApplied { .. }));
    assert!(begins.lines().any(|line| line.starts_with(active) && line.ends_with("} 1")), "{begins}");
    assert_eq!(value(&begins, fired), "0");
    let ends = until(&made_up::passing(), |event| matches!(event, Event::FaultRemoved { .. }));
    assert!(ends.lines().any(|line| line.starts_with(active) && line.ends_with("} 0")), "{ends}");
    assert_ne!(value(&ends, fired), "0");
}

#[test]
fn a_run_is_active_and_has_no_verdict_until_it_ends() {
    let began = until(&made_up::passing(), |event| matches!(event, Event::TimelineBegan));
    assert_eq!(value(&began, "chaos_run_active"), "1");
    assert_eq!(value(&began, "chaos_run_phase_active{phase=\"run\"}"), "1");
    assert_eq!(value(&began, "chaos_run_phase_active{phase=\"baseline\"}"), "1");
    assert_eq!(value(&began, "chaos_run_verdict{verdict=\"pass\"}"), "0");
    let ended = until(&made_up::passing(), |event| matches!(event, Event::End { .. }));
    assert_eq!(value(&ended, "chaos_run_active"), "0");
    assert_eq!(value(&ended, "chaos_run_phase_active{phase=\"run\"}"), "0");
    assert_eq!(value(&ended, "chaos_run_verdict{verdict=\"pass\"}"), "1");
}

#[test]
fn what_was_cut_off_has_no_fault_in_place_and_no_verdict() {
    let applied = |event: &Event| matches!(event, Event::FaultApplied { .. });
    let mut records = made_up::passing();
    let cut = records.iter().position(|record| applied(&record.event)).expect("a fault");
    records.truncate(cut + 1);
    records.push(Record { at_us: 0, event: Event::End { verdict: None } });
    let text = until(&records, |event| matches!(event, Event::End { .. }));
    assert!(!text.lines().any(|line| line.starts_with("chaos_run_fault_active") && line.ends_with(" 1")), "{text}");
    assert_eq!(value(&text, "chaos_run_verdict{verdict=\"none\"}"), "1");
}

#[test]
fn the_next_run_starts_anew() {
    let records: Vec<Record> = made_up::failing().into_iter().chain(made_up::passing()).collect();
    let ends = |event: &Event| matches!(event, Event::End { verdict: Some(Verdict::Pass) });
    assert_eq!(until(&records, ends), until(&made_up::passing(), ends));
}
