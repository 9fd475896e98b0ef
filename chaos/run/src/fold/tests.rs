use super::*;
use crate::{blame::Blame, responses::FAILED};
use chaos_load::{Error, Marks, Rest, Schedule};
use chaos_model::{PhaseSum, Slice, check::Example, language::load, slice::Counts};
use proptest::prelude::*;
use std::{io, path::Path};

const TEXT: &str = r#"
title = "it"
entry = "web"
[service.web]
program = "gateway"
[load]
request = "GET /"
rate = "50/s"
duration = "8s"
warmup = "500ms"
timeout = "2s"
[[fault]]
name = "one"
on = "client -> web"
effect = "refuse"
at = "2s"
for = "1500ms"
[[fault]]
name = "two"
on = "web"
effect = "stop"
at = "5300ms"
for = "1s"
[[expect]]
that = "window"
during = "1s..6s"
status.200 = ">= 99%"
[[expect]]
that = "across"
across = "two"
unanswered.any = "== 0%"
[[expect]]
that = "after"
after = "one"
within = "500ms"
status.200 = ">= 99%"
"#;

fn scenario() -> Scenario {
    scenario_of(TEXT)
}

fn scenario_of(text: &str) -> Scenario {
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(text.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    load(Path::new("it.toml"), &[], &read).unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 100)))
}

/// Outcomes of all arrivals, by the milliseconds that they took and by how they ended.
fn outcomes(scenario: &Scenario, each: &[(u64, u8)]) -> Vec<Outcome> {
    let due = Schedule::new(&scenario.load, 1).zip(each.iter().cycle());
    let outcome = |((n, intended), (took, how)): ((u64, Duration), &(u64, u8))| Outcome {
        n,
        step: 0,
        request: 0,
        intended,
        started: Some(intended).filter(|_| *how != 0),
        ended: intended + Duration::from_millis(*took),
        retried: n % 7 == 3,
        result: match how {
            0 => Err(Error::NotMade),
            1 => Err(Error::Timeout),
            2 => Ok(503),
            _ => Ok(200),
        },
        marks: Marks { bits: if *how == 2 { FAILED } else { 0 }, ..Marks::default() },
        rest: Rest::Nothing,
    };
    due.map(outcome).collect()
}

/// Acknowledgements of all edges at which something changes, so many milliseconds late.
fn acknowledged(scenario: &Scenario, late: &[u64]) -> Acknowledged {
    let edges = edges::edges(scenario).into_iter().filter(|(_, edge)| *edge != edges::Edge::default());
    edges.zip(late.iter().cycle()).map(|((at, _), late)| (at, at + Duration::from_millis(*late))).collect()
}

/// The fold of a run in which outcomes come in as they end, some of them before a late edge is passed.
fn folded<'a>(
    scenario: &'a Scenario,
    outcomes: &[Outcome],
    acknowledged: &Acknowledged,
    (ends, takes): (Duration, Duration),
) -> (Fold<'a>, Vec<Slice>, Option<Duration>) {
    let mut fold = Fold::new(scenario, 1, |_| None);
    let mut slices = Vec::new();
    let mut edges = edges::edges(scenario).into_keys().peekable();
    let pass = |fold: &mut Fold<'a>, edge| {
        if edge == ends && !takes.is_zero() {
            fold.restarts(1, edge);
        }
        fold.pass(edge, acknowledged.get(&edge).copied());
    };
    let mut back = None;
    let mut in_order: Vec<&Outcome> = outcomes.iter().collect();
    in_order.sort_by_key(|outcome| (outcome.ended, outcome.n));
    for outcome in in_order {
        let at = outcome.ended.saturating_sub(scenario.load.warmup);
        // The edge's own task may come a little later than what ended meanwhile.
        while let Some(edge) = edges.next_if(|edge| *edge + Duration::from_millis(3) <= at) {
            pass(&mut fold, edge);
        }
        fold.add(outcome.clone());
        // Another that the fault has ended is back before: as long as one is away, nothing has ended.
        if at >= ends && back.is_none() {
            fold.is_back("web", |service| service == "web", at);
        }
        // It is noticed when what has ended by then has come in.
        if at >= ends + takes && back.is_none() && edges.peek().is_none_or(|edge| *edge > at) {
            back = Some(at);
            fold.is_back("web", |_| false, at);
        }
        slices.extend(std::iter::from_fn(|| fold.next(at)));
    }
    edges.for_each(|edge| pass(&mut fold, edge));
    slices.extend(std::iter::from_fn(|| fold.next(scenario.timeline.duration)));
    (fold, slices, back.filter(|_| !takes.is_zero()))
}

/// Arrivals of a window as they are defined: those that belong to it, and the number of those that are counted apart.
fn by_definition<'o>(
    scenario: &Scenario,
    outcomes: &'o [Outcome],
    acknowledged: &Acknowledged,
    (starts, back): (Duration, Duration),
    (from, to, kind): (Duration, Duration, PhaseKind),
) -> (Vec<&'o Outcome>, u64) {
    let began = acknowledged.get(&from).copied().unwrap_or(from).max(from);
    let warmup = scenario.load.warmup;
    let straddles = |at: Duration, ended: Duration| {
        let inside = scenario.faults.iter().any(|fault| fault.at <= at && at < fault.ends());
        !inside && scenario.faults.iter().any(|fault| at < fault.at && ended >= fault.at)
    };
    let (mut belong, mut apart) = (Vec::new(), 0);
    for outcome in outcomes {
        let Some(at) = outcome.intended.checked_sub(warmup).filter(|at| *at >= from && *at < to) else { continue };
        let is_starting = starts <= at && at < back;
        if (kind == PhaseKind::Restarting && !is_starting) || (kind == PhaseKind::Recovery && is_starting) {
            continue;
        }
        let is_apart = match kind {
            PhaseKind::Run | PhaseKind::Restarting => false,
            PhaseKind::Fault => at < began,
            _ => at < began || straddles(at, outcome.ended.saturating_sub(warmup)),
        };
        if is_apart { apart += 1 } else { belong.push(outcome) }
    }
    (belong, apart)
}

fn good(outcomes: &[&Outcome]) -> u64 {
    outcomes.iter().filter(|outcome| outcome.result == Ok(200)).count() as u64
}

/// The recovery as it is defined, over all arrivals after the fault.
fn recovery_by_definition(fold: &Fold<'_>, after: &[&Outcome], fault: usize, warmup: Duration) -> Recovery {
    let bad = |outcome: &&&Outcome| outcome.result != Ok(200);
    let at = |outcome: &Outcome| outcome.intended - warmup;
    let (Some(first), Some(last)) = (after.first(), after.last()) else { return Recovery::NoRequests };
    let removed = fold.faults[fault].clients[ALL].after.phase.from;
    let good_from = (0..after.len()).find(|from| {
        let rest = &after[*from..];
        Share { parts: rest.iter().filter(bad).count() as u64, whole: rest.len() as u64 } <= fold.usual[ALL]
    });
    match good_from.map(|from| at(after[from])) {
        Some(due) if due == at(first) => Recovery::After { took: Duration::ZERO },
        Some(due) => Recovery::After { took: due.saturating_sub(removed) },
        None => Recovery::NotWithin { left: at(last).saturating_sub(removed) },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn windows_have_the_arrivals_that_they_are_defined_by(
        each in proptest::collection::vec((0_u64..1800, 0_u8..20), 1..60),
        late in proptest::collection::vec(0_u64..400, 1..6),
        takes in prop_oneof![Just(0_u64), 1_u64..1500],
    ) {
        let scenario = scenario();
        let (outcomes, acknowledged) = (outcomes(&scenario, &each), acknowledged(&scenario, &late));
        let (ends, takes) = (scenario.faults[1].ends(), Duration::from_millis(takes));
        let (fold, slices, back) = folded(&scenario, &outcomes, &acknowledged, (ends, takes));
        let never = if takes.is_zero() { ends } else { scenario.timeline.duration };
        let restarting = (ends, back.map_or(never, |at| at + Duration::from_micros(1)));
        let expected = |from, to, kind| by_definition(&scenario, &outcomes, &acknowledged, restarting, (from, to, kind));
        let told = fold.figures().collect::<Vec<_>>();
        let untold = scenario.timeline.phases.iter().filter(|phase| told.iter().all(|one| one.phase != phase.name));
        for phase in untold {
            prop_assert_eq!(phase.kind, PhaseKind::Restarting);
            prop_assert_eq!(expected(phase.from, phase.to, phase.kind).0.len(), 0, "{}", &phase.name);
        }
        for figures in told {
            let phase = scenario.timeline.phase(&figures.phase).unwrap();
            let (belong, apart) = expected(phase.from, phase.to, phase.kind);
            let all = (figures.arrivals, figures.straddled, figures.statuses.get(&200).copied().unwrap_or(0));
            prop_assert_eq!(all, (belong.len() as u64, apart, good(&belong)), "{}", &phase.name);
            // A recording that ends before its figures has them from its slices.
            let mut sum = PhaseSum::new(phase);
            slices.iter().for_each(|slice| sum.add(slice));
            prop_assert_eq!(sum.figures(&scenario.system.responses.markers()), figures);
        }
        let (from, to, tally) = fold.scope(2).unwrap();
        let (belong, _) = expected(from, to, PhaseKind::After);
        // Where nothing belongs to it, nothing is kept.
        let marked = fold.marked(tally, CheckId(2)).cloned().unwrap_or_default();
        prop_assert_eq!((tally.counts.due, marked.with), (belong.len() as u64, good(&belong)));
        let first = belong.iter().find(|outcome| outcome.result != Ok(200)).map(|outcome| outcome.n);
        prop_assert_eq!(marked.first_without.as_ref().map(|Example { arrival, .. }| arrival.n), first);
        let moment = scenario.load.warmup + acknowledged[&scenario.faults[1].at];
        let across = outcomes.iter().filter(|outcome| outcome.intended < moment && outcome.ended >= moment);
        prop_assert_eq!(fold.scope(1).unwrap().2.counts.due, across.count() as u64);
        for fault in [0, 1] {
            let after = &fold.faults[fault].clients[ALL].after.phase;
            let (belong, _) = expected(after.from, after.to, PhaseKind::After);
            let expected = recovery_by_definition(&fold, &belong, fault, scenario.load.warmup);
            let noticed = Blame { first_bad: Some(Duration::ZERO), uncharged: None };
            let seen = fold.fault(fault, &Blames(vec![vec![noticed; 2]]));
            prop_assert_eq!(seen.recovery, expected);
            if let Recovery::After { took } = expected {
                prop_assert!(seen.at_least.is_some_and(|least| least <= took), "{:?} of {took:?}", seen.at_least);
            }
        }
        check_slices(&scenario, &outcomes, &slices)?;
    }
}

/// Slices follow each other without gaps, and have every arrival of the timeline once.
fn check_slices(scenario: &Scenario, outcomes: &[Outcome], slices: &[Slice]) -> Result<(), TestCaseError> {
    prop_assert_eq!((slices[0].from, slices[slices.len() - 1].to), (Duration::ZERO, scenario.timeline.duration));
    prop_assert!(slices.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].from < pair[0].to));
    prop_assert!(slices.iter().all(|slice| slice.to - slice.from <= Duration::from_secs(1)));
    let warmup = scenario.load.warmup;
    for slice in slices {
        let due = |outcome: &&Outcome| outcome.intended >= warmup + slice.from && outcome.intended < warmup + slice.to;
        let mut sum = Counts::default();
        sum.add(&slice.counts);
        sum.add(&slice.straddled);
        prop_assert_eq!(sum.due, outcomes.iter().filter(due).count() as u64);
        prop_assert_eq!((sum.sent + sum.missed, sum.latency.count()), (sum.due, sum.due));
        let retried = outcomes.iter().filter(due).filter(|outcome| outcome.retried).count() as u64;
        prop_assert_eq!(sum.retried, retried);
        let under_way = |outcome: &&Outcome| outcome.intended < warmup + slice.to && outcome.ended >= warmup + slice.to;
        let under_way = outcomes.iter().filter(under_way).filter(|outcome| outcome.started.is_some());
        prop_assert_eq!(slice.in_flight, under_way.count() as u64, "at {:?}", slice.to);
    }
    Ok(())
}

#[test]
fn slices_are_told_as_soon_as_they_can_not_change() {
    let scenario = scenario();
    let outcomes = outcomes(&scenario, &[(10, 9)]);
    let mut fold = Fold::new(&scenario, 1, |_| None);
    let mut told = 0;
    fold.pass(Duration::ZERO, None);
    let ms = Duration::from_millis;
    for outcome in outcomes.iter().filter(|outcome| outcome.intended < ms(1500)) {
        assert!(fold.next(outcome.ended.saturating_sub(ms(500))).is_none(), "{outcome:?}");
        fold.add(outcome.clone());
    }
    told += std::iter::from_fn(|| fold.next(ms(999))).count();
    assert_eq!(told, 0, "an arrival may still be due");
    told += std::iter::from_fn(|| fold.next(ms(1000))).count();
    assert_eq!(told, 1);
}

#[test]
fn what_is_sent_behind_the_end_of_the_fault_in_which_it_was_due_is_none_of_its() {
    let scenario = scenario();
    let mut outcomes = outcomes(&scenario, &[(1, 9)]);
    let acknowledged = acknowledged(&scenario, &[0]);
    let ends = scenario.load.warmup + scenario.faults[0].ends();
    let last = outcomes.iter_mut().rfind(|outcome| outcome.intended < ends).unwrap();
    last.started = Some(ends + Duration::from_millis(2));
    last.ended = ends + Duration::from_millis(3);
    let (fold, _, _) = folded(&scenario, &outcomes, &acknowledged, (Duration::MAX, Duration::ZERO));
    let figures = fold.figures().find(|figures| figures.phase == "one").unwrap();
    let due = outcomes.iter().filter(|outcome| {
        let at = outcome.intended.saturating_sub(scenario.load.warmup);
        scenario.faults[0].at <= at && at < scenario.faults[0].ends()
    });
    assert_eq!((figures.arrivals + 1, figures.straddled), (due.count() as u64, 1));
}

/// However many faults come and go, there are about as many slices as seconds.
#[test]
fn slices_are_cut_at_the_slowest_pulses_and_no_more_often_than_twice_a_second() {
    let pulsing = |name: &str, at: &str, pulse: &str| {
        format!(
            "[[fault]]\nname = \"{name}\"\non = \"client -> web\"\neffect = \"latency\"\ndelay = \"1ms\"\n\
             at = \"{at}\"\nfor = \"4s\"\npulse = \"{pulse}\"\n"
        )
    };
    let slow = [pulsing("b", "1010ms", "300ms of 1s"), pulsing("a", "30ms", "1s of 2s")].concat();
    let many = (0..9).map(|n| pulsing(&format!("c{n}"), &format!("{}ms", 70 + n), "400ms of 1s")).collect::<String>();
    let fast = pulsing("d", "90ms", "20ms of 50ms");
    let edges_of = |more: &str| {
        let (head, expectations) = TEXT.split_at(TEXT.find("[[expect]]").unwrap());
        let scenario = scenario_of(&format!("{head}{more}{expectations}"));
        phase_edges(&scenario).map(|at| at.as_millis()).collect::<std::collections::BTreeSet<_>>()
    };
    let all = edges_of(&[slow, many, fast].concat());
    assert!([30, 1030, 2030, 3030, 1010, 1310, 4010, 4310].iter().all(|at| all.contains(at)), "{all:?}");
    let within: Vec<u128> = all.range(1400..3900).copied().filter(|at| !(3470..3479).contains(at)).collect();
    assert_eq!(within, [2000, 2010, 2030, 2310, 3010, 3030, 3310, 3500], "no others");
    assert!([4060, 3474].iter().all(|at| all.contains(at)), "but where the last pulse of each ends: {all:?}");
}
