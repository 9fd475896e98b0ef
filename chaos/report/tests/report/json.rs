//! Recordings: what is written is read back, and what can't be read is refused with the reason.

use crate::made_up;
use chaos_model::effect::{Blackhole, Hang, Latency, Refuse, Reset};
use chaos_model::{
    ArrivalId, Directions, Distribution, Effect, Event, Fault, Impact, Injection, KeyKind, OpenConnections, PhaseKind,
    Pulse, Record, Slice, Spread, Target, Verdict,
    check::reading::{ScrapeSide, SeriesKind},
    event::{
        Begin, Counted, EarlyEnd, EndedEarly, FORMAT, Fired, LinkCounts, Probed, ProxyCounts, Sample, Scrape, Scraped,
        ScrapedSeries,
    },
    ledger::{Injected, Joined},
    slice::PartCounts,
};
use chaos_report::{
    Outcome,
    json::{self, ReadError, Reader, Writer},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

fn injection(n: Option<u64>) -> Joined {
    let arrival = n.map(|n| ArrivalId::of_seed(1, n));
    let injection = Injection {
        fault: "outage".to_owned(),
        link: "gateway -> redis".to_owned(),
        at: made_up::ms(4100),
        key: if arrival.is_some() { KeyKind::NumberedRequest } else { KeyKind::Command },
        subject: "GET profile:7".to_owned(),
        arrival,
        idle: false,
        attempt: 1,
        asked: arrival.map(|_| made_up::ms(200)),
        achieved: arrival.map(|_| made_up::ms(201)),
        bystanders: 3,
    };
    Joined {
        injection,
        met: n.map(Into::into),
        impact: if arrival.is_some() { Impact::Slower } else { Impact::Background },
    }
}

fn counted() -> Event {
    let link =
        LinkCounts { connections: 2, messages: BTreeMap::from([("SETEX".to_owned(), 40)]), ..LinkCounts::default() };
    let counts = ProxyCounts {
        links: BTreeMap::from([("gateway -> redis".to_owned(), link)]),
        faults: BTreeMap::from([("outage".to_owned(), Fired { refused: 7, ..Fired::default() })]),
    };
    Event::Counted(Counted { at: made_up::ms(5000), counts })
}

fn scraped() -> Event {
    let series = |name: &str, kind| ScrapedSeries { selector: name.to_owned(), kind };
    let series = vec![series("cache_hits_total{tier=\"memory\"}", Some(SeriesKind::Counter)), series("no_such", None)];
    let whole = Scrape {
        at: made_up::ms(4000),
        taken: Some(made_up::ms(4002)),
        side: ScrapeSide::After,
        values: vec![Some(Sample(812.0)), None],
        failed: None,
        faults: vec!["line 7 can't be read: `hits_total{`".to_owned()],
    };
    let why = "http://127.0.0.1:23005/metrics did not answer in 500 ms";
    let failed = Scrape {
        at: made_up::ms(5000),
        side: ScrapeSide::Both,
        values: Vec::new(),
        failed: Some(why.to_owned()),
        faults: Vec::new(),
        ..whole
    };
    Event::Scraped(Scraped { service: "gateway".to_owned(), series, scrapes: vec![whole, failed] })
}

fn probed(why: Option<&str>) -> Probed {
    let why = why.map(str::to_owned);
    Probed { service: "gateway".to_owned(), at: made_up::ms(4500), took: made_up::ms(3), why }
}

/// Every kind of event, and every effect.
fn every_kind() -> Vec<Record> {
    let mut begin = made_up::begin();
    let latency = Effect::Latency(Latency::of(
        Spread { mean: made_up::ms(200), jitter: made_up::ms(50), distribution: Distribution::Normal },
        Directions::Both,
    ));
    let effects = [
        latency,
        Effect::Refuse(Refuse { open: OpenConnections::Keep }),
        Effect::Hang(Hang {}),
        Effect::Blackhole(Blackhole {}),
    ];
    begin.faults.extend(effects.map(|effect| made_up::plan("another", effect)));
    begin.faults.push(made_up::plan("last", Effect::Reset(Reset::after(made_up::ms(70)))));
    begin.faults[1].on = Target::Service("redis".to_owned());
    begin.without = Some("the memory tier".to_owned());
    let more = vec![
        Event::Begin(begin),
        Event::Waiting { holder: Some(4711) },
        Event::Waiting { holder: None },
        made_up::slice(0, 1, 7, 2),
        counted(),
        scraped(),
        Event::Probed(probed(None)),
        Event::Probed(probed(Some("it did not answer in a second"))),
        Event::Injected(Injected {
            fault: "outage".to_owned(),
            link: "gateway -> redis".to_owned(),
            injections: vec![injection(Some(812)), injection(None)],
            rest: BTreeMap::from([(Impact::Unnoticed, 7)]),
        }),
        Event::EndedEarly(EndedEarly {
            by: EarlyEnd::Abort,
            that: Some("up".to_owned()),
            seen: "availability >= 99%, and it was 0%".to_owned(),
        }),
        Event::Held,
        Event::Interrupted { by: "SIGINT".to_owned() },
        Event::TornDown { took: made_up::ms(9), left: vec!["x".to_owned()], unseen: None, logs: BTreeMap::new() },
        Event::End { verdict: None },
        Event::ServiceKilled { service: "shop".to_owned(), after: made_up::ms(3000) },
        Event::ServiceBack { service: "shop".to_owned(), took: made_up::ms(412), times: 1 },
        Event::End { verdict: Some(Verdict::Inconclusive) },
    ];
    [made_up::failing(), made_up::inconclusive(), made_up::world_failed(), made_up::slow(), made_up::late(more)]
        .concat()
}

fn written(records: &[Record]) -> String {
    let mut writer = Writer::new(Vec::new());
    records.iter().for_each(|record| writer.on(record).unwrap());
    String::from_utf8(writer.into_inner()).unwrap()
}

#[test]
fn every_kind_of_event_is_read_back_as_it_was() {
    let records = every_kind();
    let text = written(&records);
    assert_eq!(text.lines().count(), records.len(), "one line each");
    assert_eq!(json::read(text.as_bytes()).unwrap(), records);
    let mut kinds: Vec<_> = records.iter().map(|record| record.event.name()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut names = Event::NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(kinds, names, "each kind is here, and known by its name to readers");
    for (record, line) in records.iter().zip(text.lines()) {
        assert!(line.contains(&format!("\"event\":\"{}\"", record.event.name())), "{line}");
    }
}

#[test]
fn the_lines_of_a_recording() {
    // A change here is a change of the format: readers of today must still understand it, or FORMAT goes up.
    insta::assert_snapshot!(written(&[made_up::failing(), made_up::world_failed()].concat()));
}

#[test]
fn the_lines_of_a_ledger() {
    let of_ledger = |record: &Record| matches!(record.event.name(), "injected" | "fault_figures");
    insta::assert_snapshot!(written(&every_kind().into_iter().filter(of_ledger).collect::<Vec<_>>()));
}

#[test]
fn the_lines_of_counts_and_scrapes() {
    insta::assert_snapshot!(written(&made_up::late(vec![Event::Begin(made_up::begin()), counted(), scraped()])[1..]));
}

#[test]
fn another_format_is_refused_before_anything_else_is_looked_at() {
    let other = r#"{"at_us":0,"event":"begin","format":1,"whatever":[]}"#;
    let error = json::read(other.as_bytes()).unwrap_err();
    assert!(matches!(error, ReadError::Format { line: 1, found: 1 }), "{error:?}");
    insta::assert_snapshot!(error, @"line 1: the recording has format 1, and this program reads format 2; use the version of chaos that wrote it");
    let second = format!("{}{other}\n", written(&made_up::passing()));
    assert!(matches!(json::read(second.as_bytes()).unwrap_err(), ReadError::Format { found: 1, .. }));
    assert_eq!(FORMAT, 2);
}

#[test]
fn what_is_no_recording_is_refused() {
    let end = r#"{"at_us":0,"event":"end","verdict":"pass"}"#;
    let first = json::read(&b"{\"at_us\":0,\"eve"[..]).unwrap_err();
    assert!(matches!(first, ReadError::CutOff { line: 1 }), "{first:?}");
    for text in ["", "\n\n", "hello\n", "{}\n", "[1]\n", end] {
        let error = json::read(text.as_bytes()).unwrap_err();
        assert!(matches!(error, ReadError::NoBegin), "{text:?}: {error:?}");
    }
}

#[test]
fn a_line_that_is_no_event_is_named() {
    let begin = written(&made_up::passing()[..1]);
    let error = json::read(format!("{begin}\n{{\"at_us\":1,\"event\":\"ready\"}}\n").as_bytes()).unwrap_err();
    assert!(matches!(error, ReadError::NoEvent { line: 3, .. }), "{error:?}");
    assert!(error.to_string().starts_with("line 3: this is no event of a run: missing field `took_us`"), "{error}");
}

#[test]
fn what_a_later_program_tells_is_passed_over() {
    let records = made_up::failing();
    let later = written(&records).lines().fold(String::new(), |text, line| {
        let wider = line.replacen(r#""event":"#, r#""mood":{"as":["if"]},"event":"#, 1);
        text + &wider + "\n{\"at_us\":1,\"event\":\"sneeze\",\"loud\":true}\n"
    });
    assert_eq!(json::read(later.as_bytes()).unwrap(), records);
}

#[test]
fn what_a_plan_does_not_say_is_nothing() {
    let begin = Begin { format: FORMAT, plan: Arc::default(), ..made_up::begin() };
    let text = written(&[Record { at_us: 0, event: Event::Begin(begin.clone()) }]);
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["plan"] = serde_json::json!({});
    assert_eq!(json::read(value.to_string().as_bytes()).unwrap()[0].event, Event::Begin(begin));
}

/// Injections of a fault, each a millisecond after the other: every hundredth failed.
fn many(count: u64) -> Injected {
    let joined = |n: u64| {
        let one = injection(Some(n));
        let impact = if n % 100 == 50 { Impact::Failed } else { Impact::Unnoticed };
        Joined { injection: Injection { at: made_up::ms(n), ..one.injection }, impact, ..one }
    };
    let (fault, link) = ("outage".to_owned(), "gateway -> redis".to_owned());
    Injected { fault, link, injections: (0..count).map(joined).collect(), rest: BTreeMap::new() }
}

fn kept_of(count: u64, faults: usize) -> Injected {
    let begin = Begin { faults: vec![made_up::begin().faults[0].clone(); faults], ..made_up::begin() };
    let records = [Event::Begin(begin), Event::Injected(many(count))].map(|event| Record { at_us: 0, event });
    let Event::Injected(kept) = json::read(written(&records).as_bytes()).unwrap().pop().unwrap().event else {
        panic!("it was written last")
    };
    kept
}

#[test]
fn of_many_injections_the_first_the_last_and_those_that_hurt_are_written_in_full() {
    assert_eq!(kept_of(1000, 1), many(1000), "as many as that are written");
    let kept = kept_of(5000, 1);
    let numbers: Vec<u64> = kept.injections.iter().filter_map(|one| one.met).map(|met| met.n).collect();
    assert_eq!(numbers.len(), 1000);
    assert!(numbers.is_sorted());
    assert_eq!(
        (&numbers[..250], &numbers[750..]),
        (&*(0..250).collect::<Vec<_>>(), &*(4750..5000).collect::<Vec<_>>())
    );
    let failed = kept.injections.iter().filter(|one| one.impact == Impact::Failed).count();
    assert_eq!((failed, kept.rest), (50, BTreeMap::from([(Impact::Unnoticed, 4000)])), "none that failed is left out");
    let kept = kept_of(5000, 8);
    assert_eq!((kept.injections.len(), kept.rest.values().sum::<u64>()), (250, 4750), "many faults share the room");
}

#[test]
fn of_a_recording_that_is_cut_off_the_whole_lines_can_be_used() {
    let records = made_up::passing();
    let text = written(&records);
    for cut in [5, 40, text.lines().next_back().unwrap().len() + 1] {
        let recording = &text.as_bytes()[..text.len() - cut];
        let mut events: Vec<_> = Reader::new(recording).collect();
        let last = events.pop().unwrap();
        if recording.ends_with(b"\n") {
            assert!(last.is_ok());
        } else {
            assert!(matches!(last, Err(ReadError::CutOff { line }) if line == records.len()), "{last:?}");
        }
        let whole: Vec<_> = events.into_iter().map(Result::unwrap).collect();
        assert!(records.starts_with(&whole));
        assert_eq!(Outcome::of(&whole), Outcome::Interrupted);
    }
}

/// A minute in which all of this happens each second.
fn minute(begin: Begin, each_second: impl Fn(u64) -> Vec<(u64, Event)>) -> Vec<Record> {
    let mut records =
        vec![Record { at_us: 0, event: Event::Begin(begin) }, Record { at_us: 500_000, event: Event::TimelineBegan }];
    for second in 0..60 {
        let at = |ms: u64| 500_000 + second * 1_000_000 + ms * 1000;
        records.extend(each_second(second).into_iter().map(|(ms, event)| Record { at_us: at(ms), event }));
    }
    records.push(Record { at_us: 61_000_000, event: Event::End { verdict: Some(Verdict::Pass) } });
    records
}

fn minute_long(faults: &[Fault]) -> Begin {
    let phases = vec![made_up::phase("run", PhaseKind::Run, 0, 60_000)];
    Begin { faults: faults.to_vec(), phases, ..made_up::begin() }
}

/// Bytes of a minute's recording that go to what is not told at its end, and to nothing that is known as it begins.
const MOST: usize = 240_000;

/// What is read back of a recording, which must be small.
fn small(records: &[Record]) -> Vec<Record> {
    let text = written(records);
    let bytes: usize = text.lines().skip(1).map(|line| line.len() + 1).sum();
    assert!(bytes < MOST, "{bytes} bytes");
    let read = json::read(text.as_bytes()).unwrap();
    assert!(read.is_sorted_by_key(|record| record.at_us), "in the order of time");
    read
}

#[test]
fn many_pulses_are_put_together_and_none_is_lost() {
    let plan = |n: u64| {
        let pulse = Some(Pulse { on: made_up::ms(10), every: made_up::ms(20) });
        Fault {
            at: made_up::ms(0),
            lasts: made_up::ms(60_000),
            pulse,
            ..made_up::plan(&format!("f{n}"), Hang {}.into())
        }
    };
    let faults: Vec<Fault> = (0..8).map(plan).collect();
    let records = minute(minute_long(&faults), |_| {
        let pulse = |at: u64, n: u64| {
            let (fault, fired) = (format!("f{n}"), Fired { chunks: n, messages: 1, ..Fired::default() });
            let links = BTreeMap::from([("a -> b".to_owned(), fired)]);
            let removed = Event::FaultRemoved { fault: fault.clone(), fired, times: 1, links };
            [(at, Event::FaultApplied { fault }), (at + 10, removed)]
        };
        let mut all: Vec<_> = (0..50).flat_map(|nth| (0..8).flat_map(move |n| pulse(nth * 20, n))).collect();
        all.sort_by_key(|(at, _)| *at);
        all
    });
    let read = small(&records);
    let mut all = BTreeMap::<&str, (u64, Fired)>::new();
    let mut told = 0;
    for record in &read {
        if let Event::FaultRemoved { fault, fired, times, links } = &record.event {
            assert_eq!(links.values().copied().collect::<Vec<_>>(), [*fired], "each link's are put together, too");
            let (sum, sums) = all.entry(fault).or_default();
            *sum += times;
            *sums += *fired;
            told += 1;
        }
    }
    let each = |n: u64| (3000_u64, Fired { chunks: 3000 * n, messages: 3000, ..Fired::default() });
    assert_eq!(all.values().copied().collect::<Vec<_>>(), (0..8).map(each).collect::<Vec<_>>());
    assert!(told > 8 * 50, "and about each second they are told: {told}");
    let Event::FaultRemoved { times, .. } = read[read.len() - 2].event else { panic!("{:?}", read[read.len() - 2]) };
    assert!(times < 300, "what is left is told at the end");
    let begun = read.iter().filter(|record| record.event.name() == "fault_applied").count();
    assert_eq!(begun, 8 * 12, "the first ones are there as they came");
}

#[test]
fn counts_by_name_are_put_together_where_there_are_many_and_none_is_lost() {
    let records = minute(minute_long(&[]), |second| {
        let of = |n: u64| {
            let Event::Slice(slice) = made_up::slice(second * 1000, second * 1000 + 1000, 100, 1) else {
                panic!("it is a slice")
            };
            (format!("the request of kind {n}"), PartCounts { counts: slice.counts, ..PartCounts::default() })
        };
        let Event::Slice(slice) = made_up::slice(second * 1000, second * 1000 + 1000, 100, 1) else {
            panic!("it is a slice")
        };
        let instances = (0..9).map(|n| (format!("web-{n}"), of(n).1)).collect();
        vec![(999, Event::Slice(Slice { requests: (0..60).map(of).collect(), instances, ..slice }))]
    });
    let read = small(&records);
    let slices = read.iter().filter_map(|record| match &record.event {
        Event::Slice(slice) => Some(slice),
        _ => None,
    });
    assert_eq!(slices.clone().count(), 60, "each second has its slice");
    let mut until = Duration::ZERO;
    let (mut sum, mut told) = (BTreeMap::<&str, u64>::new(), 0);
    for slice in slices.filter(|slice| !slice.requests.is_empty()) {
        assert_eq!(slice.parts_from.unwrap_or(slice.from), until, "without gaps");
        (until, told) = (slice.to, told + 1);
        let parts = slice.requests.iter().chain(&slice.instances);
        parts.for_each(|(name, of)| *sum.entry(name).or_default() += of.counts.due);
    }
    assert_eq!((sum.len(), until), (69, made_up::ms(60_000)));
    assert!(sum.values().all(|due| *due == 6000), "{sum:?}");
    assert!((5..40).contains(&told), "{told}");
}

#[test]
fn many_counts_and_scrapes_are_put_together_and_the_last_is_told() {
    let name = |n: u64| format!("gateway -> service-{n}");
    let count = |second: u64, nth: u64| {
        let link = LinkCounts {
            connections: second + 1,
            messages: BTreeMap::from([("GET /".to_owned(), nth)]),
            ..LinkCounts::default()
        };
        let links = (0..30).map(|n| (name(n), link.clone())).collect();
        let counts = ProxyCounts { links, faults: BTreeMap::new() };
        Event::Counted(Counted { at: made_up::ms(second * 1000 + nth), counts })
    };
    let scrapes = |second: u64, service: u64| {
        let series = |n: u64| ScrapedSeries { selector: format!("a_metric_{n}"), kind: Some(SeriesKind::Counter) };
        #[expect(clippy::cast_precision_loss, reason = "it is small")]
        let scrape = |nth: u64| Scrape {
            at: made_up::ms(second * 1000 + nth),
            taken: None,
            side: ScrapeSide::Both,
            values: vec![Some(Sample((second * 1000 + nth) as f64)); 20],
            failed: None,
            faults: Vec::new(),
        };
        let scrapes = (0..10).map(|nth| scrape(nth * 100)).collect();
        Event::Scraped(Scraped { service: format!("s{service}"), series: (0..20).map(series).collect(), scrapes })
    };
    let records = minute(minute_long(&[]), |second| {
        let counts = (0..20).map(|nth| (nth * 50, count(second, nth * 50)));
        counts.chain((0..3).map(|service| (999, scrapes(second, service)))).collect()
    });
    let read = small(&records);
    let mut counts = ProxyCounts::default();
    let mut last = BTreeMap::new();
    for record in &read {
        match &record.event {
            Event::Counted(counted) => counts.update(&counted.counts),
            Event::Scraped(scraped) => {
                drop(last.insert(scraped.service.clone(), scraped.scrapes.last().unwrap().clone()))
            }
            _ => {}
        }
    }
    assert_eq!(counts.links.len(), 30);
    assert!(counts.links.values().all(|link| (link.connections, link.messages["GET /"]) == (60, 950)), "{counts:?}");
    assert_eq!(last.len(), 3);
    assert!(last.values().all(|last| last.values[0] == Some(Sample(59_900.0))), "{last:?}");
}

#[test]
fn what_is_put_together_is_told_where_a_run_is_interrupted() {
    let records = minute(minute_long(&[]), |_| {
        let back = |n: u64| Event::ServiceBack { service: "shop".to_owned(), took: made_up::ms(n), times: 1 };
        (0..40).map(|nth| (nth * 25, back(nth))).collect()
    });
    let read = small(&records);
    let back = read.iter().filter_map(|record| match record.event {
        Event::ServiceBack { times, took, .. } => Some((times, took)),
        _ => None,
    });
    assert_eq!(back.clone().map(|(times, _)| times).sum::<u64>(), 40 * 60);
    assert_eq!(back.clone().map(|(_, took)| took).max(), Some(made_up::ms(39)));
    assert!(back.count() < 200);
}

#[test]
fn counts_that_are_zero_may_be_written_or_not() {
    let of = |fired: &str| {
        let begin = written(&made_up::passing()[..1]);
        let removed = format!(r#"{{"at_us":1,"event":"fault_removed","fault":"outage","fired":{fired}}}"#);
        json::read(format!("{begin}{removed}\n").as_bytes()).unwrap().pop().unwrap().event
    };
    let fired = Fired { refused: 41, ..Fired::default() };
    let removed = Event::FaultRemoved { fault: "outage".to_owned(), fired, times: 1, links: BTreeMap::new() };
    assert_eq!(of(r#"{"refused":41}"#), removed);
    let zeros =
        r#""connections":0,"chunks":0,"resets":0,"closes":0,"dropped":0,"messages":0,"bystanders":0,"services":0"#;
    assert_eq!(of(&format!(r#"{{"refused":41,{zeros}}}"#)), removed);
}
