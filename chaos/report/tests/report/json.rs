//! Recordings: what is written is read back, and what can't be read is refused with the reason.

use crate::made_up;
use chaos_model::effect::{Blackhole, Hang, Latency, Refuse, Reset};
use chaos_model::{
    ArrivalId, Directions, Distribution, Effect, Event, Impact, Injection, KeyKind, OpenConnections, Record, Spread,
    Target, Verdict,
    check::reading::{ScrapeSide, SeriesKind},
    event::{Begin, Counted, FORMAT, Fired, LinkCounts, Probed, ProxyCounts, Sample, Scrape, Scraped, ScrapedSeries},
    ledger::{Injected, Joined},
};
use chaos_report::{
    Outcome,
    json::{self, ReadError, Reader, Writer},
};
use std::{collections::BTreeMap, sync::Arc};

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
    Joined { injection, met: n, impact: if arrival.is_some() { Impact::Slower } else { Impact::Background } }
}

fn counted() -> Event {
    let link = LinkCounts { connections: 2, messages: BTreeMap::from([("SETEX".to_owned(), 40)]) };
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
    let latency = Effect::Latency(Latency {
        delay: Spread { mean: made_up::ms(200), jitter: made_up::ms(50), distribution: Distribution::Normal },
        direction: Directions::Both,
    });
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
        Event::Held,
        Event::Interrupted { by: "SIGINT".to_owned() },
        Event::TornDown { took: made_up::ms(9), left: vec!["x".to_owned()], logs: BTreeMap::new() },
        Event::End { verdict: None },
        Event::ServiceKilled { service: "shop".to_owned(), after: made_up::ms(3000) },
        Event::ServiceBack { service: "shop".to_owned(), took: made_up::ms(412) },
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
    let numbers: Vec<u64> = kept.injections.iter().filter_map(|one| one.met).collect();
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
