//! One request, step by step.

use crate::made_up::{self, ms};
use chaos_model::{
    Impact, KeyKind,
    ledger::{Injection, Joined},
};
use chaos_report::{Style, Trace, TraceStep, trace};
use std::time::Duration;

fn step(at: u64, is_guess: bool, place: &str, what: &str) -> TraceStep {
    TraceStep { at: Duration::from_micros(at), is_guess, place: place.to_owned(), what: what.to_owned() }
}

fn show(trace: &Trace) -> String {
    let mut out = Vec::new();
    trace::write(&mut out, Style::default(), trace).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    text
}

fn partial() -> Trace {
    let steps = vec![
        step(312, false, "client", "begins"),
        step(312, false, "client -> gateway", "GET /api/profile/42"),
        step(312, true, "gateway -> redis", "GET gateway:profile:42"),
        step(312, true, "gateway -> redis", "silence acts on GET gateway:profile:42 (partial)"),
        step(25_312, false, "gateway", "lookup redis: timeout after 25ms"),
        step(25_312, false, "gateway -> order-service.internal.example", "GET /orders/user/42"),
        step(31_312, false, "gateway", "logs `request`: status 200, outcome partial, cache gateway; fwd=uri-miss"),
        step(31_312, false, "client <- gateway", "200 to GET /api/profile/42"),
        step(31_312, false, "client", "is answered 200"),
    ];
    Trace {
        n: 812,
        due: Some(ms(4060)),
        faults: trace::faults(&made_up::passing(), (ms(4560), ms(4600)), ms(500)),
        steps,
    }
}

#[test]
fn a_request_that_was_answered_in_part() {
    insta::assert_snapshot!(show(&partial()));
}

#[test]
fn what_is_certain_needs_no_explanation_and_the_warm_up_is_before_the_timeline() {
    let text = show(&Trace { n: 0, due: None, faults: Vec::new(), steps: vec![step(0, false, "client", "begins")] });
    assert_eq!(text, "request 0, due in the warm-up\n  +0s   client  begins\n");
}

#[test]
fn tokens_of_requests_are_masked() {
    let steps = vec![step(0, false, "client -> gateway", "GET /login?token=abc&n=1")];
    let text = show(&Trace { n: 1, due: Some(ms(4)), faults: Vec::new(), steps });
    assert_eq!(text, "request 1, due at 4ms\n  +0s   client -> gateway  GET /login?token=***&n=1\n");
}

#[test]
fn a_fault_is_named_while_it_is_there_and_no_longer() {
    // It is there from 4 s to 8 s, behind a warm-up of half a second.
    let there = |from, to| trace::faults(&made_up::passing(), (ms(from), ms(to)), ms(500));
    assert_eq!(there(4000, 4499), [""; 0]);
    assert_eq!(there(4000, 4500), ["outage: refuse on gateway -> redis"]);
    assert_eq!(there(8499, 9000), ["outage: refuse on gateway -> redis"]);
    assert_eq!(there(8500, 9000), [""; 0]);
}

#[test]
fn an_injection_says_what_it_did_and_what_came_of_it() {
    let injection = Injection {
        fault: "slow".to_owned(),
        link: "gateway -> redis".to_owned(),
        at: ms(4001),
        key: KeyKind::Command,
        subject: "GET profile:7".to_owned(),
        arrival: None,
        idle: false,
        attempt: 0,
        asked: Some(ms(200)),
        achieved: Some(ms(201)),
        bystanders: 0,
    };
    let joined = Joined { injection, met: Some(7.into()), impact: Impact::Slower };
    assert_eq!(trace::injection(&joined), "slow acts on GET profile:7, for 201ms (slower)");
    let unknown = Joined { impact: Impact::Unknown, ..joined };
    assert_eq!(trace::injection(&unknown), "slow acts on GET profile:7, for 201ms");
}
