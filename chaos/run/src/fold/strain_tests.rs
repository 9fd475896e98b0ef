//! Verdicts over what the harness could not make and what the machine had no time for, on made-up outcomes.

use super::*;
use crate::{
    judge::{Known, judge},
    observe::Scrapes,
    responses::{FAILED, Unseen},
    shown::Requests,
};
use chaos_load::{Error, Marks, Rest, Schedule};
use chaos_model::{Slice, Verdict, language::load};
use std::{io, path::Path};

/// 400 arrivals, 100 of them in the second second.
fn scenario(check: &str) -> Scenario {
    let scope = if check.contains("across") { "" } else { "during = \"slow\"" };
    let text = format!(
        "title = \"it\"\nentry = \"web\"\n[service.web]\nprogram = \"gateway\"\n[responses]\npartial.status = \"== 206\"\n[load]\nrequest = \"GET /\"\nrate = \
         \"100/s\"\narrivals = \"constant\"\nduration = \"4s\"\ntimeout = \"2s\"\n[[fault]]\nname = \"slow\"\non = \"client -> \
         web\"\neffect = \"delay\"\ndelay = \"1ms\"\nat = \"1s\"\nfor = \"2s\"\n[[expect]]\nthat = \"it\"\n{scope}\n\
         {check}\n"
    );
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(text.clone()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    load(Path::new("it.toml"), &[], &read).unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 100)))
}

/// Outcomes that are all answered within 5 ms, but for those that `change` changes, by number.
fn outcomes(scenario: &Scenario, change: impl Fn(u64, &mut Outcome)) -> Vec<Outcome> {
    let one = |(n, intended): (u64, Duration)| {
        let ended = intended + Duration::from_millis(5);
        let (started, marks, rest) = (Some(intended), Marks::default(), Rest::Nothing);
        let (step, result, retried) = (0, Ok(200), false);
        let mut outcome = Outcome { n, step, request: 0, intended, started, ended, result, retried, marks, rest };
        change(n, &mut outcome);
        outcome
    };
    Schedule::new(&scenario.load, 1).map(one).collect()
}

fn fails(outcome: &mut Outcome, after: u64) {
    outcome.result = Ok(503);
    outcome.marks.bits |= FAILED;
    outcome.ended = outcome.intended + Duration::from_millis(after);
}

fn late(outcome: &mut Outcome, by: u64) {
    outcome.started = Some(outcome.intended + Duration::from_millis(by));
    outcome.ended = outcome.intended + Duration::from_millis(by + 5);
}

fn not_made(outcome: &mut Outcome) {
    outcome.started = None;
    outcome.result = Err(Error::NotMade);
}

/// The judgement of the check, and the slices; `bit` is that of its test of responses, and `machine` tells of the machine at
/// each tenth of a second.
fn judged(
    check: &str,
    bit: Option<u32>,
    machine: impl Fn(u64) -> (u64, Option<u64>),
    change: impl Fn(u64, &mut Outcome),
) -> (Verdict, String, Vec<Slice>) {
    let scenario = scenario(check);
    let mut fold = Fold::new(&scenario, 1, |_| bit);
    let slices = play(&scenario, &mut fold, machine, change, |_, _| {});
    let (verdict, words) = asked(&scenario, &fold);
    (verdict, words, slices)
}

/// Plays a run to the fold, a tenth of a second at a time; after each, `then` may look at it.
fn play<'a>(
    scenario: &'a Scenario,
    fold: &mut Fold<'a>,
    machine: impl Fn(u64) -> (u64, Option<u64>),
    change: impl Fn(u64, &mut Outcome),
    mut then: impl FnMut(u64, &Fold<'a>),
) -> Vec<Slice> {
    let mut edges = edges::edges(scenario).into_keys().peekable();
    let mut slices = Vec::new();
    let mut all = outcomes(scenario, change);
    all.sort_by_key(|outcome| outcome.ended);
    let mut all = all.into_iter().peekable();
    for tenth in 0..=70 {
        let now = Duration::from_millis(100 * tenth);
        while let Some(edge) = edges.next_if(|edge| *edge <= now) {
            fold.pass(edge, None);
        }
        while let Some(outcome) = all.next_if(|outcome| outcome.ended <= now) {
            fold.add(outcome);
        }
        let (late, stalled) = machine(tenth);
        fold.note_machine(now, Duration::from_millis(late), stalled.map(Duration::from_millis));
        slices.extend(std::iter::from_fn(|| fold.next(now.min(scenario.timeline.duration))));
        then(tenth, fold);
    }
    slices
}

/// The only check's verdict by what is known so far, and its words.
fn asked(scenario: &Scenario, fold: &Fold<'_>) -> (Verdict, String) {
    let requests = Requests::new(&scenario.load, 1, &[]);
    let (scrapes, blames) = (Scrapes::default(), Blames::default());
    let unseen = Unseen::default();
    let (scrapes, unseen, blames, requests) = (&scrapes, &unseen, &blames, &requests);
    let probes = &BTreeMap::new();
    let known = Known { scenario, fold, scrapes, probes, unseen, blames, requests, kept_away: None, weaker: &[] };
    let judged = judge(&known).remove(0);
    let check = judged.checks.into_iter().next().expect("there is one");
    (check.verdict, format!("{}: {}", check.seen, check.note.unwrap_or_default()))
}

fn idle(_: u64) -> (u64, Option<u64>) {
    (0, None)
}

/// A second in which some task always waits, and in half of which the runner itself is late.
fn pressed(tenth: u64) -> (u64, Option<u64>) {
    (if (12..17).contains(&tenth) { 60 } else { 0 }, Some(100 * (tenth.clamp(10, 20) - 10)))
}

#[test]
fn arrivals_that_were_not_made_may_have_come_to_anything() {
    let of = |check: &str| {
        judged(check, None, idle, |n, one| {
            if (150..160).contains(&n) {
                not_made(one)
            }
        })
    };
    // 200 arrivals are judged, and ten of them are unknown.
    assert_eq!(of("status.200 = \">= 95%\"").0, Verdict::Pass, "they can't matter");
    assert_eq!(of("status.200 = \">= 96%\"").0, Verdict::Inconclusive);
    assert_eq!(of("status.503 = \">= 6%\"").0, Verdict::Fail, "however they would have come out");
    assert_eq!(of("status.503 = \"<= 4%\"").0, Verdict::Inconclusive);
    assert_eq!(of("latency.p90 = \"< 20ms\"").0, Verdict::Pass);
    assert_eq!(of("latency.p99 = \"< 20ms\"").0, Verdict::Inconclusive);
    assert_eq!(of("latency.p50 = \"> 20ms\"").0, Verdict::Fail);
    let (_, words, slices) = of("status.200 = \">= 96%\"");
    assert_eq!(
        words,
        "95% to 100% (190 to 200 of 200): 10 of 200 requests could not be made: raise `ulimit -n`, or lower the rate"
    );
    assert_eq!(slices.iter().map(|slice| slice.counts.missed).sum::<u64>(), 10);
}

#[test]
fn what_failed_where_others_could_not_be_made_is_unknown_too() {
    let of = |beside| {
        let change = |n, one: &mut Outcome| match n {
            150 => not_made(one),
            n if (beside..beside + 10).contains(&n) => fails(one, 3),
            _ => {}
        };
        judged("status.200 = \">= 99%\"", None, idle, change).0
    };
    assert_eq!(of(160), Verdict::Inconclusive, "its proxies lacked what the runner lacked");
    assert_eq!(of(250), Verdict::Fail, "another second lacked nothing");
}

#[test]
fn a_pressed_machine_excuses_what_waited() {
    let of = |check: &str, after| {
        judged(check, None, pressed, |n, one| {
            if (150..160).contains(&n) {
                fails(one, after)
            }
        })
    };
    let (verdict, words, slices) = of("status.200 = \">= 99%\"", 300);
    assert_eq!(verdict, Verdict::Inconclusive, "{words}");
    assert!(words.contains("10 of 200 requests came out badly because the machine was pressed"), "{words}");
    assert!(words.contains("the runner itself was 60ms late"), "{words}");
    assert_eq!(slices[1].latest, Duration::from_millis(60));
    assert_eq!(slices[1].cpu_stalled, Some(Duration::from_secs(1)));
    assert_eq!(slices[0].cpu_stalled, Some(Duration::ZERO));
    assert_eq!(of("status.200 = \">= 99%\"", 3).0, Verdict::Fail, "it was refused at once");
    assert_eq!(of("status.200 = \">= 99%\"", 1900).0, Verdict::Fail, "nobody waits for so long");
    assert_eq!(of("status.200 = \">= 95%\"", 300).0, Verdict::Pass, "they can't matter");
}

#[test]
fn requests_that_a_fault_finds_under_way_are_excused_as_long_as_they_last() {
    let of = |machine: fn(u64) -> (u64, Option<u64>)| {
        // They begin before it, and fail in its first second.
        let failing = |n: u64, one: &mut Outcome| {
            if (90..100).contains(&n) {
                fails(one, 300)
            }
        };
        judged("across = \"slow\"\navailability = \">= 99%\"", None, machine, failing).0
    };
    assert_eq!((of(idle), of(pressed)), (Verdict::Fail, Verdict::Inconclusive));
}

#[test]
fn a_partial_response_has_the_status_that_it_would_have_had_in_full() {
    let with = |check: &str, before: u64| {
        let partial = move |n: u64, one: &mut Outcome| {
            if (120..190).contains(&n) || n < before {
                one.marks.bits |= crate::responses::PARTIAL;
                one.ended = one.intended + Duration::from_millis(100);
            }
        };
        judged(check, None, pressed, partial).0
    };
    let of = |check: &str| with(check, 0);
    assert_eq!(of("status.200 = \">= 100%\""), Verdict::Pass);
    assert_eq!(of("availability = \">= 100%\""), Verdict::Pass);
    assert_eq!(of("unanswered.any = \"> 1%\""), Verdict::Fail);
    assert_eq!(of("partial = \"< 10%\""), Verdict::Inconclusive);
    assert_eq!(of("partial = \"> 10%\""), Verdict::Pass, "it was seen as expected");
    assert_eq!(with("partial = \"> 10%\"", 1), Verdict::Inconclusive, "and is so without the fault, too");
}

#[test]
fn latencies_on_a_pressed_machine_may_have_been_shorter() {
    let of = |check: &str, took: u64| {
        let slow = move |n, one: &mut Outcome| {
            if (100..190).contains(&n) {
                one.ended = one.intended + Duration::from_millis(took);
            }
        };
        judged(check, None, pressed, slow)
    };
    let (verdict, words, _) = of("latency.p90 = \"< 50ms\"", 300);
    assert_eq!(verdict, Verdict::Inconclusive, "{words}");
    assert!(words.contains("100 of 200 requests may have been slow because the machine was pressed"), "{words}");
    assert_eq!(of("latency.p90 = \"< 400ms\"", 300).0, Verdict::Pass, "it was in time all the same");
    assert_eq!(of("latency.p90 = \"< 50ms\"", 1900).0, Verdict::Fail, "twenty waits of 60 ms are no 1.8 s");
    assert_eq!(of("latency.p90 = \"> 200ms\"", 300).0, Verdict::Pass, "without the fault none took longer than 5 ms");
    let slow_before = |n: u64, one: &mut Outcome| {
        if n == 50 || (100..190).contains(&n) {
            one.ended = one.intended + Duration::from_millis(300);
        }
    };
    assert_eq!(judged("latency.p90 = \"> 200ms\"", None, pressed, slow_before).0, Verdict::Inconclusive);
}

#[test]
fn the_same_on_an_idle_machine_fails() {
    let failing = |n, one: &mut Outcome| {
        if (150..160).contains(&n) {
            fails(one, 300)
        }
    };
    assert_eq!(judged("status.200 = \">= 99%\"", None, idle, failing).0, Verdict::Fail);
    assert_eq!(judged("latency.p99 = \"< 50ms\"", None, idle, failing).0, Verdict::Fail);
    // Something runs beside it now and then.
    let busy = |tenth| (20, Some(40 * tenth));
    assert_eq!(judged("status.200 = \">= 99%\"", None, busy, failing).0, Verdict::Fail);
    let compiling = |tenth| (5, Some(90 * tenth));
    assert_eq!(
        judged("status.200 = \">= 99%\"", None, compiling, |n, one| {
            if (150..160).contains(&n) {
                fails(one, 150)
            }
        })
        .0,
        Verdict::Inconclusive,
        "the runner was in time, and others may not have been"
    );
}

#[test]
fn a_generator_that_stood_still_excuses_its_second_and_no_other() {
    let of = |failing: u64| {
        let change = |n, one: &mut Outcome| match n {
            140 => late(one, 120),
            n if (failing..failing + 10).contains(&n) => fails(one, 300),
            _ => {}
        };
        judged("status.200 = \">= 99%\"", None, idle, change).0
    };
    assert_eq!(of(150), Verdict::Inconclusive);
    assert_eq!(of(250), Verdict::Fail);
}

#[test]
fn a_wrong_body_is_excused_by_nothing() {
    let check = "body.\"$.user\" = \"== 7\"";
    let of = |saw: &'static str, result| {
        let change = move |n, one: &mut Outcome| {
            one.marks.bits = 1 << 4;
            if n == 150 {
                fails(one, 300);
                one.result = result;
                one.marks.bits = crate::responses::PARTIAL | if result == Ok(200) { 0 } else { FAILED };
                one.marks.notes = vec![(4, saw.to_owned())];
            }
        };
        judged(check, Some(4), pressed, change)
    };
    let (verdict, words, _) = of("8", Ok(200));
    assert_eq!(verdict, Verdict::Fail, "another user's data, in a response that is good: {words}");
    assert_eq!(of("nothing there", Ok(200)).0, Verdict::Inconclusive, "a part is missing, which load can do");
    assert_eq!(of("\"busy\"", Ok(503)).0, Verdict::Inconclusive, "the body of a failure is none of its own");
}

#[test]
fn what_is_told_by_other_means_is_in_doubt_where_the_machine_was_pressed() {
    // No arrival is bad, so that nothing is detected.
    let of = |machine: fn(u64) -> (u64, Option<u64>)| judged("detect.time = \"< 1s\"", None, machine, |_, _| {});
    assert_eq!(of(idle).0, Verdict::Fail);
    let (verdict, words, _) = of(pressed);
    assert_eq!(verdict, Verdict::Inconclusive, "{words}");
    assert!(words.ends_with("a quieter machine or a lower rate helps"), "{words}");
}

#[test]
fn a_check_can_be_asked_at_any_moment_and_says_what_is_known_by_then() {
    // The fault's second second goes wrong.
    let failing = |n: u64, one: &mut Outcome| {
        if n >= 250 {
            fails(one, 3)
        }
    };
    for check in
        ["status.200 = \">= 99%\"", "latency.p50 = \"< 50ms\"", "availability = \">= 99%\"", "detect.time = \"< 1s\""]
    {
        let scenario = scenario(check);
        let mut fold = Fold::new(&scenario, 1, |_| None);
        let mut told = Vec::new();
        play(&scenario, &mut fold, idle, failing, |tenth, fold| told.push((tenth, asked(&scenario, fold))));
        let unasked = judged(check, None, idle, failing);
        assert_eq!(
            told.last().map(|(_, said)| said.clone()),
            Some((unasked.0, unasked.1)),
            "{check}: asking changes nothing"
        );
        let by = |tenth: usize| told[tenth].1.0;
        assert_eq!(by(5), Verdict::Inconclusive, "{check}: its phase has not begun: {:?}", told[5]);
        if check.starts_with("status") || check.starts_with("availability") {
            assert_eq!((by(22), by(40)), (Verdict::Pass, Verdict::Fail), "{check}");
        }
    }
}
