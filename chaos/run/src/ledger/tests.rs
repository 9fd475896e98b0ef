use super::*;
use crate::examine::{PARTIAL, SHARED, STALE};
use chaos_load::{Error, Marks};
use chaos_model::KeyKind;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A request that was due and begun at `from`, and answered 200 at `to`; in milliseconds of the timeline, which begins
/// after a warm-up of a second.
fn outcome(n: u64, from: u64, to: u64) -> Outcome {
    let (intended, ended) = (ms(1000 + from), ms(1000 + to));
    Outcome { n, request: 0, intended, started: Some(intended), ended, result: Ok(200), marks: Marks(0) }
}

fn injection(at: u64, arrival: Option<u64>) -> Injection {
    Injection {
        fault: "slow".to_owned(),
        link: "a -> b".to_owned(),
        at: ms(at),
        key: KeyKind::Command,
        subject: "GET x".to_owned(),
        arrival,
        attempt: 0,
        asked: None,
        achieved: None,
        bystanders: 0,
    }
}

/// Joins with a baseline of 2 ms in the median, 10 ms at p99 and 20 ms at the most.
fn join(outcomes: &[Outcome], injection: Injection) -> (Option<u64>, Impact) {
    let longest = outcomes.iter().map(Outcome::latency).max().unwrap_or_default();
    let baseline = Some(Usual { p50: ms(2), p99: ms(10), max: ms(20) });
    let joined = Join { outcomes, warmup: ms(1000), longest, baseline }.join(injection);
    (joined.met, joined.impact)
}

#[test]
fn a_number_names_the_request_that_met_it() {
    let all = [outcome(0, 0, 500), outcome(1, 10, 12), outcome(5, 20, 300)];
    assert_eq!(join(&all, injection(11, Some(1))), (Some(1), Impact::Unnoticed));
    assert_eq!(join(&all, injection(21, Some(5))), (Some(5), Impact::Slower));
    assert_eq!(join(&all, injection(21, Some(2))), (None, Impact::Unknown), "of another load");
}

#[test]
fn without_a_number_it_is_the_only_request_in_flight() {
    let all = [outcome(0, 0, 300), outcome(1, 100, 102), outcome(2, 600, 602)];
    assert_eq!(join(&all, injection(200, None)), (Some(0), Impact::Slower));
    assert_eq!(join(&all, injection(101, None)), (None, Impact::Unknown), "two are in flight");
    assert_eq!(join(&all, injection(400, None)), (None, Impact::Background), "none is");
    assert_eq!(join(&all, injection(602, None)), (Some(2), Impact::Unnoticed), "to its last moment");
    assert_eq!(join(&all, injection(603, None)), (None, Impact::Background), "and no longer");
    assert_eq!(join(&[], injection(1, None)), (None, Impact::Background));
}

#[test]
fn a_request_is_in_flight_from_when_it_was_begun() {
    let late = Outcome { started: Some(ms(1050)), ..outcome(0, 0, 100) };
    assert_eq!(join(std::slice::from_ref(&late), injection(20, None)), (None, Impact::Background));
    assert_eq!(join(&[late], injection(60, None)), (Some(0), Impact::Slower));
    let never = Outcome { started: None, result: Err(Error::NotMade), ..outcome(0, 0, 100) };
    assert_eq!(join(std::slice::from_ref(&never), injection(20, None)), (None, Impact::Background));
    assert_eq!(join(&[never], injection(20, Some(0))), (Some(0), Impact::Unknown), "it was never made");
}

#[test]
fn what_comes_after_the_answer_is_in_the_background() {
    let all = [Outcome { result: Ok(503), ..outcome(0, 0, 100) }];
    assert_eq!(join(&all, injection(99, Some(0))), (Some(0), Impact::Failed));
    assert_eq!(join(&all, injection(111, Some(0))), (Some(0), Impact::Background));
}

#[test]
fn the_worst_of_an_answer_counts() {
    let with =
        |result, marks| join(&[Outcome { result, marks: Marks(marks), ..outcome(0, 0, 1) }], injection(1, None)).1;
    assert_eq!(with(Ok(200), 0), Impact::Unnoticed);
    assert_eq!(with(Ok(404), 0), Impact::Unnoticed, "a user that doesn't exist was served");
    assert_eq!(with(Ok(200), STALE), Impact::Stale);
    assert_eq!(with(Ok(200), STALE | PARTIAL), Impact::Partial);
    assert_eq!(with(Ok(500), PARTIAL), Impact::Failed);
    assert_eq!(with(Err(Error::Timeout), 0), Impact::Failed);
}

#[test]
fn what_is_slower_depends_on_what_was_injected() {
    let took = |took, asked: Option<u64>, achieved: Option<u64>| {
        let delayed = Injection { asked: asked.map(ms), achieved: achieved.map(ms), ..injection(0, Some(0)) };
        join(&[outcome(0, 0, took)], delayed).1
    };
    // Half of 200 ms beyond the median.
    assert_eq!(took(102, Some(200), None), Impact::Slower);
    assert_eq!(took(101, Some(200), None), Impact::Unnoticed);
    // What was achieved counts, where it is known.
    assert_eq!(took(101, Some(200), Some(190)), Impact::Slower);
    // A small delay is only slower where it shows beyond the p99.
    assert_eq!(took(10, Some(4), None), Impact::Unnoticed);
    assert_eq!(took(11, Some(4), None), Impact::Slower);
    // Where nothing was delayed, it takes more than the slowest.
    assert_eq!(took(20, None, None), Impact::Unnoticed);
    assert_eq!(took(21, None, None), Impact::Slower);
}

#[test]
fn without_a_baseline_nobody_knows_what_is_slow() {
    let outcomes = [outcome(0, 0, 1)];
    let join = Join { outcomes: &outcomes, warmup: ms(1000), longest: ms(1), baseline: None };
    assert_eq!(join.join(injection(1, None)).impact, Impact::Unknown);
}

#[test]
fn an_answer_from_anothers_flight_tells_nothing_unless_it_was_good() {
    let with = |to, marks| join(&[Outcome { marks: Marks(marks), ..outcome(0, 0, to) }], injection(1, None)).1;
    assert_eq!(with(300, SHARED), Impact::SharedFlight);
    assert_eq!(with(1, SHARED | PARTIAL), Impact::SharedFlight);
    assert_eq!(with(1, SHARED), Impact::Unnoticed);
}

#[test]
fn sums_count_each_injection_once() {
    let joined = |impact, attempt, achieved: Option<Duration>| Joined {
        injection: Injection { attempt, asked: achieved.map(|_| ms(200)), achieved, ..injection(0, None) },
        met: None,
        impact,
    };
    let all = [
        joined(Impact::Slower, 0, Some(ms(200))),
        joined(Impact::Slower, 1, Some(ms(203))),
        joined(Impact::Background, 2, None),
    ];
    let figures = sums("slow", &all, 7);
    assert_eq!((figures.injections, figures.left_out, figures.retries), (3, 7, 2));
    assert_eq!(figures.impacts.into_iter().collect::<Vec<_>>(), [(Impact::Slower, 2), (Impact::Background, 1)]);
    let delays = figures.delays.unwrap();
    assert_eq!((delays.samples, delays.asked_p50, delays.asked_p99), (2, ms(200), ms(200)));
    assert_eq!((delays.achieved_p50, delays.achieved_p99), (ms(200), ms(203)));
    assert_eq!(sums("slow", &all[2..], 0).delays, None);
}
