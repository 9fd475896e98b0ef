use super::*;
use crate::responses::{FAILED, PARTIAL, SHARED, STALE};
use chaos_load::{Error, Marks, Rest};
use chaos_model::{ArrivalId, Arrivals, KeyKind, Load, Rate, Request, Span, Stages, Text, Variable, load::TextPiece};
use std::collections::BTreeMap;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A request that was due and begun at `from`, and answered 200 at `to`; in milliseconds of the timeline, which begins
/// after a warm-up of a second.
fn outcome(n: u64, from: u64, to: u64) -> Outcome {
    let (intended, ended) = (ms(1000 + from), ms(1000 + to));
    Outcome {
        n,
        step: 0,
        request: 0,
        intended,
        started: Some(intended),
        ended,
        retried: false,
        result: Ok(200),
        marks: Marks { bits: 0, ..Marks::default() },
        rest: Rest::Nothing,
    }
}

fn failed() -> Marks {
    Marks { bits: FAILED, ..Marks::default() }
}

fn injection(at: u64, n: Option<u64>) -> Injection {
    Injection {
        fault: "slow".to_owned(),
        link: "a -> b".to_owned(),
        at: ms(at),
        key: KeyKind::Command,
        subject: "PING".to_owned(),
        arrival: n.map(|n| ArrivalId::of_seed(1, n)),
        idle: false,
        attempt: 0,
        asked: None,
        achieved: None,
        bystanders: 0,
    }
}

/// `GET /users/{user}`, where the nth arrival asks for user 100 + n.
fn names() -> Names {
    names_of(&[("user", 100, 200), ("unused", 7, 7)], &["user"])
}

/// Requests whose path has those of the variables that are used; each is a sequence.
fn names_of(variables: &[(&str, u64, u64)], used: &[&str]) -> Names {
    let piece = |name: &&str| [TextPiece::Plain("/".to_owned()), TextPiece::Variable((*name).to_owned())];
    let request = Request {
        name: String::new(),
        method: "GET".to_owned(),
        path: Text { pieces: used.iter().flat_map(piece).collect() },
        headers: BTreeMap::new(),
        basic: None,
        body: None,
        weight: 1,
        step: chaos_model::load::Step::default(),
    };
    let sequence =
        |(name, low, high): &(&str, u64, u64)| ((*name).to_owned(), Variable::Sequence { low: *low, high: *high });
    let load = Load {
        requests: vec![request],
        stages: Stages::constant(Rate { times: 1, per: ms(1) }, ms(1)),
        arrivals: Arrivals::Constant,
        warmup: ms(1000),
        timeout: ms(1),
        vars: variables.iter().map(sequence).collect(),
        secrets: chaos_model::load::Secrets::default(),
        span: Span::default(),
    };
    Names::new(&load, 1)
}

/// Joins with a baseline of 2 ms in the median, 10 ms at p99 and 20 ms at the most.
fn join_all(outcomes: &[Outcome], injections: Vec<Injection>) -> Vec<(Option<u64>, Impact)> {
    let longest = outcomes.iter().map(Outcome::latency).max().unwrap_or_default();
    let baseline = Some(Usual { p50: ms(2), p99: ms(10), max: ms(20) });
    let places = places(outcomes);
    let (nonce, names, warmup) = (Nonce::of_seed(1), names(), ms(1000));
    let joined = Join { outcomes, places, nonce, names, warmup, longest, baseline }.join(injections);
    joined.into_iter().map(|joined| (joined.met.map(|met| met.n), joined.impact)).collect()
}

fn join(outcomes: &[Outcome], injection: Injection) -> (Option<u64>, Impact) {
    join_all(outcomes, vec![injection])[0]
}

/// Into a message that says so.
fn message(at: u64, subject: &str) -> Injection {
    Injection { subject: subject.to_owned(), ..injection(at, None) }
}

#[test]
fn what_strangers_send_is_background_though_it_carries_numbers_or_names() {
    let outcomes = [outcome(0, 100, 200)];
    let of_clients = |injection: Injection| Injection { link: "client -> a".to_owned(), ..injection };
    let replayed = Injection { arrival: Some(ArrivalId::of_seed(2, 0)), ..injection(150, None) };
    let named = message(150, "GET /users/100");
    let strangers = [of_clients(replayed.clone()), replayed, of_clients(named.clone())];
    let found = join_all(&outcomes, strangers.into_iter().chain([named, injection(150, Some(0))]).collect());
    let (background, ours) = ((None, Impact::Background), (Some(0), Impact::Slower));
    assert_eq!(found, [background, background, background, ours, ours]);
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
    assert_eq!(
        join(&all, injection(101, None)),
        (None, Impact::Unknown),
        "two are in flight, and one of them was slow"
    );
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
fn what_comes_after_the_response_is_in_the_background() {
    let all = [Outcome { result: Ok(503), marks: failed(), ..outcome(0, 0, 100) }];
    assert_eq!(join(&all, injection(99, Some(0))), (Some(0), Impact::Failed));
    assert_eq!(join(&all, injection(111, Some(0))), (Some(0), Impact::Background));
}

#[test]
fn the_worst_of_a_response_counts() {
    let with = |result, marks| {
        join(
            &[Outcome { result, marks: Marks { bits: marks, ..Marks::default() }, ..outcome(0, 0, 1) }],
            injection(1, None),
        )
        .1
    };
    assert_eq!(with(Ok(200), 0), Impact::Unnoticed);
    assert_eq!(with(Ok(404), 0), Impact::Unnoticed, "a user that doesn't exist was served");
    assert_eq!(with(Ok(200), STALE), Impact::Stale);
    assert_eq!(with(Ok(200), STALE | PARTIAL), Impact::Partial);
    assert_eq!(with(Ok(500), FAILED | PARTIAL), Impact::Failed);
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
    let join = Join {
        outcomes: &outcomes,
        places: places(&outcomes),
        nonce: Nonce::of_seed(1),
        names: names(),
        warmup: ms(1000),
        longest: ms(1),
        baseline: None,
    };
    assert_eq!(join.join(vec![injection(1, None)])[0].impact, Impact::Unknown);
    // But for a delay that it surely waited for, or surely did not.
    let took = |took| {
        let outcomes = [outcome(0, 0, took)];
        let join = Join {
            outcomes: &outcomes,
            places: places(&outcomes),
            nonce: Nonce::of_seed(1),
            names: names(),
            warmup: ms(1000),
            longest: ms(took),
            baseline: None,
        };
        let delayed = Injection { asked: Some(ms(300)), achieved: Some(ms(300)), ..injection(0, Some(0)) };
        join.join(vec![delayed])[0].impact
    };
    assert_eq!([149, 150, 299, 300].map(took), [Impact::Unnoticed, Impact::Unknown, Impact::Unknown, Impact::Slower]);
}

#[test]
fn a_response_from_anothers_flight_tells_nothing_unless_it_was_good() {
    let with = |to, marks| {
        join(&[Outcome { marks: Marks { bits: marks, ..Marks::default() }, ..outcome(0, 0, to) }], injection(1, None)).1
    };
    assert_eq!(with(300, SHARED), Impact::SharedFlight);
    assert_eq!(with(1, SHARED | PARTIAL), Impact::SharedFlight);
    assert_eq!(with(1, SHARED), Impact::Unnoticed);
}

#[test]
fn a_message_is_that_of_the_request_it_names() {
    let all = [outcome(0, 0, 300), outcome(1, 10, 12), outcome(2, 10, 300)];
    assert_eq!(join(&all, message(11, "GET profile:101")), (Some(1), Impact::Unnoticed));
    assert_eq!(join(&all, message(11, "GET profile:102")), (Some(2), Impact::Slower));
    assert_eq!(join(&all, message(20, "SET profile:101")), (Some(1), Impact::Unnoticed), "clocks differ");
    // Variables that the request doesn't use tell nothing.
    assert_eq!(join(&all, message(11, "GET profile:7")), (None, Impact::Unknown));
    let bytes = Injection { key: KeyKind::Connection, ..message(11, "GET profile:102") };
    assert_eq!(join(&all, bytes), (Some(2), Impact::Slower));
    // A connection's number is no name.
    let connection = Injection { key: KeyKind::Connection, ..message(11, "connection 102") };
    assert_eq!(join(&all, connection), (None, Impact::Unknown));
}

#[test]
fn several_that_are_named_asked_for_the_same() {
    // The sequence begins anew after 101 arrivals.
    let slow = |n| outcome(n, 0, 300);
    assert_eq!(join(&[slow(1), slow(102)], message(1, "GET profile:101")), (None, Impact::Slower));
    // Nobody says that one message served both: each may have made its own.
    let all = [slow(1), outcome(102, 0, 2)];
    assert_eq!(join(&all, message(1, "GET profile:101")), (None, Impact::Unknown));
    let marks = Marks { bits: SHARED, ..Marks::default() };
    let all = [slow(1), Outcome { marks, ..outcome(102, 0, 400) }];
    assert_eq!(join(&all, message(1, "GET profile:101")), (None, Impact::SharedFlight));
}

/// 200 requests, one each 10 ms, for the users 100 to 200 over and over; each is under way for 5 ms.
fn steady() -> Vec<Outcome> {
    (0..200).map(|n| outcome(n, 10 * n, 10 * n + 5)).collect()
}

/// Impacts of the messages of all requests, where each of them meets one a millisecond after its begin.
fn join_each(subject: impl Fn(u64) -> String) -> Vec<(Option<u64>, Impact)> {
    join_all(&steady(), (0..200).map(|n| message(10 * n + 1, &subject(n))).collect())
}

#[test]
fn a_number_that_all_messages_have_names_nobody() {
    let all_met = |found: Vec<(Option<u64>, Impact)>| {
        assert_eq!(found.len(), 200);
        let others = (0..200).zip(&found).find(|(n, found)| **found != (Some(*n), Impact::Unnoticed));
        assert_eq!(others, None, "each is of the only request that was under way");
    };
    // 101, 110 and 150 are users too.
    for path in ["/api/101/p", "/p?version=150", "//10.0.101.110:150/p", "/12345678-1234-4123-8123-000000000101"] {
        all_met(join_each(|_| format!("GET {path}")));
        all_met(join_each(|n| format!("GET {path}/users/{}", 100 + n % 101)));
    }
    // Numbers that are none of the requests' differ too: of a sequence of orders, of three shards.
    all_met(join_each(|n| format!("GET /orders/{}", 100 + (n * 37 + 11) % 101)));
    all_met(join_each(|n| format!("GET /{}/p", 100 + n % 3)));
}

#[test]
fn a_message_with_several_names_is_of_the_one_that_it_names_in_full() {
    // The friend of one user is the user of the next request.
    let all = [outcome(0, 0, 300), outcome(1, 0, 2)];
    let names = names_of(&[("user", 100, 200), ("friend", 101, 201)], &["user", "friend"]);
    let baseline = Some(Usual { p50: ms(2), p99: ms(10), max: ms(20) });
    let (places, nonce) = (places(&all), Nonce::of_seed(1));
    let join = Join { outcomes: &all, places, nonce, names, warmup: ms(1000), longest: ms(300), baseline };
    let joined = join.join(vec![message(1, "GET /users/101/friends/102"), message(1, "GET /users/100/friends/101")]);
    let met: Vec<_> = joined.iter().map(|one| (one.met, one.impact)).collect();
    assert_eq!(met, [(Some(1.into()), Impact::Unnoticed), (Some(0.into()), Impact::Slower)]);
}

#[test]
fn one_alone_is_no_name_of_a_request_that_is_over() {
    assert_eq!(join(&steady(), message(1501, "GET /api/101/p")), (Some(150), Impact::Unnoticed));
    assert_eq!(join(&steady(), message(1501, "GET /api/250/p")), (Some(150), Impact::Unnoticed), "nor of nobody");
}

#[test]
fn what_goes_on_behind_the_responses_of_those_it_names_is_in_the_background() {
    let after = (0..200).map(|n| message(10 * n + 18, &format!("SET profile:{}", 100 + n % 101))).collect();
    assert_eq!(join_all(&steady(), after), vec![(None, Impact::Background); 200]);
}

#[test]
fn an_idle_connection_is_nobodys() {
    let idle = Injection { key: KeyKind::Connection, idle: true, ..message(1, "connection 3") };
    assert_eq!(join(&[outcome(0, 0, 300)], idle), (None, Impact::Background));
}

#[test]
fn several_that_came_to_the_same_tell_what_it_came_to() {
    let all = [outcome(0, 0, 3), outcome(1, 0, 2)];
    assert_eq!(join(&all, injection(1, None)), (None, Impact::Unnoticed));
    let all = [outcome(0, 0, 300), outcome(1, 0, 200)];
    assert_eq!(join(&all, injection(1, None)), (None, Impact::Slower));
}

#[test]
fn what_others_explain_is_not_laid_to_one_without_a_name() {
    let all = [outcome(0, 0, 300), outcome(1, 0, 2)];
    let explained = vec![message(1, "GET profile:100"), message(1, "PING")];
    let slower = (Some(0), Impact::Slower);
    assert_eq!(join_all(&all, explained.clone()), [slower, (None, Impact::Background)]);
    // Not where somebody else was hurt too,
    let all = [outcome(0, 0, 300), outcome(1, 0, 200)];
    assert_eq!(join_all(&all, explained), [slower, (None, Impact::Unknown)]);
    // and on a link where no message has a name it may have been anybody's.
    let all = [outcome(0, 0, 300), outcome(1, 0, 2)];
    let elsewhere = Injection { link: "a -> c".to_owned(), ..message(1, "PING") };
    assert_eq!(join_all(&all, vec![message(1, "GET profile:100"), elsewhere])[1], (None, Impact::Unnoticed));
    // What happened after a response explains nothing of it.
    let all = [Outcome { result: Ok(503), marks: failed(), ..outcome(0, 0, 100) }, outcome(1, 0, 200)];
    let late = Injection { arrival: Some(ArrivalId::of_seed(1, 0)), ..message(150, "GET profile:100") };
    let late = join_all(&all, vec![late, message(50, "PING")]);
    assert_eq!(late, [(Some(0), Impact::Background), (None, Impact::Unknown)]);
}

/// A delay explains a late response, and not what another fault did to it.
#[test]
fn a_bad_response_is_laid_to_the_fault_that_made_it() {
    let all = [Outcome { result: Ok(503), marks: failed(), ..outcome(0, 0, 100) }];
    let delayed = |fault: &str| Injection {
        fault: fault.to_owned(),
        asked: Some(ms(50)),
        achieved: Some(ms(50)),
        ..injection(10, Some(0))
    };
    let status = Injection { fault: "status".to_owned(), ..injection(90, Some(0)) };
    let (unknown, failed) = ((Some(0), Impact::Unknown), (Some(0), Impact::Failed));
    assert_eq!(join_all(&all, vec![delayed("slow"), status.clone()]), [unknown, failed]);
    assert_eq!(join_all(&all, vec![delayed("slow"), delayed("slower")]), [failed, failed], "either may have");
    assert_eq!(join_all(&all, vec![delayed("status"), status]), [failed, failed], "one fault does both");
}
