//! Runs that never happened, event by event, for the tests and the example.

use chaos_model::effect::{Latency, Refuse};
use chaos_model::{
    Directions, Effect, Event, Fault, Histogram, Impact, Margin, OpenConnections, Plan, Rate, Record, Room, Slice,
    Source, Sources, Span, Spread, Target, Verdict,
    event::{
        Begin, Cause, FORMAT, Fired, Judged, JudgedCheck, LatencyFigures, PhaseFigures, Shown, ShownResponse, Spared,
    },
    ledger::{Delays, FaultFigures, Recovery},
    phase::{Phase, PhaseKind},
    plan::{PlannedLoad, PlannedSystem},
    responses::Marker,
    slice::Counts,
    system::{Endpoint, Link},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn phase(name: &str, kind: PhaseKind, from: u64, to: u64) -> Phase {
    Phase { name: name.to_owned(), kind, from: ms(from), to: ms(to) }
}

pub(crate) fn plan(name: &str, effect: Effect) -> Fault {
    let link = Link { from: Endpoint::Service("gateway".to_owned()), to: "redis".to_owned(), label: None };
    Fault { at: ms(4000), lasts: ms(4000), ..Fault::new(name, Target::Link(link), effect) }
}

pub(crate) fn begin() -> Begin {
    Begin {
        format: FORMAT,
        file: "scenarios/redis_down.toml".to_owned(),
        title: "Redis goes down under load".to_owned(),
        world: "local".to_owned(),
        seed: 42,
        unix_ms: 1_760_000_000_000,
        plan: plan_of_load(),
        phases: vec![
            phase("run", PhaseKind::Run, 0, 12_000),
            phase("baseline", PhaseKind::Baseline, 0, 4000),
            phase("outage", PhaseKind::Fault, 4000, 8000),
            phase("recovery", PhaseKind::Recovery, 8000, 12_000),
        ],
        faults: vec![plan("outage", Effect::Refuse(Refuse { open: OpenConnections::Reset }))],
        ..Begin::default()
    }
}

/// A load of 200 requests a second.
fn plan_of_load() -> Arc<Plan> {
    let rate = Rate { times: 200, per: ms(1000) };
    let load = PlannedLoad { rate, warmup: ms(500), duration: ms(12_000), ..PlannedLoad::default() };
    let system = PlannedSystem { markers: Marker::ALL.to_vec(), ..PlannedSystem::default() };
    Arc::new(Plan { system, load, ..Plan::default() })
}

pub(crate) fn figures(phase: &str, arrivals: u64, p50_us: u64, p99_us: u64) -> PhaseFigures {
    let us = Duration::from_micros;
    let latency =
        LatencyFigures { p50: us(p50_us), p90: us(p99_us / 2), p99: us(p99_us), p999: us(p99_us), max: us(p99_us * 2) };
    PhaseFigures {
        time: None,
        phase: phase.to_owned(),
        arrivals,
        statuses: BTreeMap::from([(200, arrivals)]),
        good: arrivals,
        partial: Some(0),
        stale: Some(0),
        latency: Some(latency),
        ..PhaseFigures::default()
    }
}

pub(crate) fn check(expected: &str, seen: &str, verdict: Verdict) -> JudgedCheck {
    let key = expected.split(' ').next().unwrap_or(expected);
    let start = FILE.find(key).map_or(0, |at| at + FILE[at..].find('"').unwrap_or(0));
    let length = FILE[start..].find('\n').unwrap_or(0);
    let place = Span { source: 0, range: start..start + length };
    JudgedCheck {
        expected: expected.to_owned(),
        seen: seen.to_owned(),
        verdict,
        margin: None,
        note: None,
        file: "scenarios/redis_down.toml".to_owned(),
        line: 23,
        span: place,
        against: Shown::default(),
    }
}

/// The same where so much of the bound's room was used, in thousandths.
pub(crate) fn using(used_permille: u32, check: JudgedCheck) -> JudgedCheck {
    JudgedCheck { margin: Some(Margin { used_permille, room: Room::Bound }), ..check }
}

/// The part of the file that the comparisons stand in.
const FILE: &str = r#"[[expect]]
that   = "clients never notice"
during = "outage"
status.200  = ">= 100%"
latency.p99 = "< 50ms"
stale       = "<= 1%"
"#;

pub(crate) fn sources() -> Sources {
    Sources(vec![Source { name: "scenarios/redis_down.toml".to_owned(), text: FILE.into() }])
}

/// Gives these runs the texts that their comparisons stand in, as real ones have them.
pub(crate) fn give_sources(records: &mut [Record]) {
    for record in records {
        if let Event::Begin(begin) = &mut record.event {
            Arc::make_mut(&mut begin.plan).sources = sources();
        }
    }
}

pub(crate) fn judged(index: usize, that: &str, when: &str, checks: Vec<JudgedCheck>) -> Event {
    let verdict = Verdict::of_all(checks.iter().map(|check| check.verdict));
    Event::Judged(Judged { index, that: that.to_owned(), when: when.to_owned(), verdict, checks })
}

pub(crate) fn service(service: &str, what: &str, port: u16, took: u64) -> Event {
    let address = format!("127.0.0.1:{port}");
    Event::ServiceReady { service: service.to_owned(), what: what.to_owned(), address, took: ms(took) }
}

/// A slice with so many arrivals, some of them answered 500, in 3.2 ms.
pub(crate) fn slice(from: u64, to: u64, due: u64, bad: u64) -> Event {
    let mut latency = Histogram::default();
    latency.record(Duration::from_micros(3200));
    let statuses = BTreeMap::from([(200, due - bad), (500, bad)]);
    let counts = Counts { due, sent: due, good: due - bad, statuses, latency, ..Counts::default() };
    Event::Slice(Slice { from: ms(from), to: ms(to), counts, ..Slice::default() })
}

/// The events until the timeline begins, 300 ms in.
pub(crate) fn start(begin: Begin) -> Vec<Record> {
    let at = |ms: u64, event| Record { at_us: ms * 1000, event };
    vec![
        at(0, Event::Begin(begin)),
        at(20, service("redis", "redis-server 7.0.15", 23001, 12)),
        at(60, service("user-service", "user-service (built in)", 23002, 31)),
        at(61, service("order-service", "order-service (built in)", 23003, 29)),
        at(62, service("product-service", "product-service (built in)", 23004, 30)),
        at(63, Event::LinkReady { link: "gateway -> redis".to_owned(), address: "127.0.0.1:23010".to_owned() }),
        at(110, service("gateway", "gateway (built in)", 23005, 45)),
        at(120, Event::Ready { took: ms(118) }),
        at(300, Event::TimelineBegan),
    ]
}

/// The events of the timeline, with a fault that fires so often.
pub(crate) fn timeline(fired: Fired) -> Vec<Record> {
    let at = |ms: u64, event| Record { at_us: (300 + ms) * 1000, event };
    vec![
        at(1000, slice(0, 1000, 201, 0)),
        at(3900, slice(1000, 3900, 579, 0)),
        at(4001, Event::FaultApplied { fault: "outage".to_owned() }),
        at(5000, slice(4000, 5000, 222, 3)),
        at(6000, slice(5000, 6000, 201, 2)),
        at(8002, Event::FaultRemoved { fault: "outage".to_owned(), fired, times: 1, links: BTreeMap::new() }),
        at(9000, slice(8000, 9000, 597, 7)),
        at(11_000, slice(9000, 11_000, 400, 0)),
    ]
}

pub(crate) const FIRED: Fired = Fired {
    connections: 3,
    chunks: 0,
    resets: 3,
    closes: 0,
    refused: 41,
    dropped: 0,
    messages: 0,
    bystanders: 0,
    throttled: 0,
    services: 0,
    spared: Spared::NONE,
};

pub(crate) fn end(verdict: Option<Verdict>) -> Vec<Record> {
    let logs = [("gateway", "/tmp/chaos-4711/gateway.log"), ("redis", "/tmp/chaos-4711/redis.log")];
    let logs = logs.into_iter().map(|(service, path)| (service.to_owned(), path.to_owned())).collect();
    vec![
        Record { at_us: 12_800_000, event: Event::TornDown { took: ms(45), left: Vec::new(), unseen: None, logs } },
        Record { at_us: 12_845_000, event: Event::End { verdict } },
    ]
}

pub(crate) fn late(events: Vec<Event>) -> Vec<Record> {
    events.into_iter().map(|event| Record { at_us: 12_700_000, event }).collect()
}

pub(crate) fn passing() -> Vec<Record> {
    let ends = vec![
        Event::Phase(figures("run", 2391, 1210, 4800)),
        Event::Phase(PhaseFigures { straddled: 4, ..figures("baseline", 796, 1180, 4300) }),
        Event::Phase(figures("outage", 801, 912, 12_400)),
        Event::Phase(figures("recovery", 794, 1190, 4800)),
        judged(
            0,
            "clients never notice",
            "outage",
            vec![
                check("status.200 >= 100%", "100% (801 of 801)", Verdict::Pass),
                using(248, check("latency.p99 < 50ms", "12.4ms", Verdict::Pass)),
                check("partial == 0%", "0% (0 of 801)", Verdict::Pass),
            ],
        ),
        judged(
            1,
            "memory answers in Redis's place",
            "outage",
            vec![check("metric.cache_hits_total{tier=\"memory\"} > 0", "612", Verdict::Pass)],
        ),
        judged(
            2,
            "Redis is used again within two seconds",
            "within 2s after outage",
            vec![check("metric.cache_hits_total{tier=\"redis\"} > 0", "7, after 310ms", Verdict::Pass)],
        ),
    ];
    [start(begin()), timeline(FIRED), late(ends), end(Some(Verdict::Pass))].concat()
}

pub(crate) fn failing() -> Vec<Record> {
    let outage = PhaseFigures {
        missed: 1,
        statuses: BTreeMap::from([(200, 680), (404, 9), (502, 70), (503, 21)]),
        unanswered: BTreeMap::from([("timed out".to_owned(), 17), ("connection reset".to_owned(), 4)]),
        good: 689,
        partial: Some(88),
        stale: Some(3),
        ..figures("outage", 802, 1912, 1_512_000)
    };
    let note = "request 812: 502, no response from redis within 25 ms and nothing in memory";
    let lame = JudgedCheck {
        note: Some(note.to_owned()),
        against: shown(),
        ..check("status.200 >= 100%", "84.8% (680 of 802)", Verdict::Fail)
    };
    let few = "the selector matches no series of the scrape; the nearest is cache_hits_total{tier=\"memory\"}";
    let unsure = JudgedCheck {
        note: Some(few.to_owned()),
        line: 31,
        ..check("metric.cache_hit_total{tier=\"memory\"} > 0", "nothing", Verdict::Inconclusive)
    };
    let ends = vec![
        Event::Phase(figures("run", 2391, 1210, 1_512_000)),
        Event::Phase(PhaseFigures { straddled: 1, ..figures("baseline", 796, 1180, 4300) }),
        Event::Phase(outage),
        Event::Phase(figures("recovery", 794, 1190, 4800)),
        judged(
            0,
            "clients never notice",
            "outage",
            vec![
                lame,
                using(30_240, check("latency.p99 < 50ms", "1.51s", Verdict::Fail)),
                using(374, check("stale <= 1%", "0.37%", Verdict::Pass)),
            ],
        ),
        judged(1, "memory answers in Redis's place", "outage", vec![unsure]),
        judged(
            2,
            "it recovers",
            "within 2s after outage",
            vec![check("status.200 >= 100%", "100% (794 of 794)", Verdict::Pass)],
        ),
    ];
    [start(begin()), timeline(FIRED), late(ends), end(Some(Verdict::Fail))].concat()
}

/// Responses that speak against a comparison, of two instances.
pub(crate) fn shown() -> Shown {
    let response = ShownResponse {
        n: 812,
        step: 0,
        at: ms(4060),
        request: "GET /api/profile/7?token=***".to_owned(),
        vars: BTreeMap::from([("user".to_owned(), "7".to_owned())]),
        instance: Some("gateway-2".to_owned()),
        status: Some(502),
        unanswered: None,
        latency: ms(25),
        body: Some(
            "{\"error\":\"no response from redis within 25 ms\",\"detail\":\"nothing in memory\u{1b}[2J\"}".to_owned(),
        ),
        uncaptured: None,
        met: vec!["outage".to_owned(), "slow".to_owned()],
    };
    let silent = ShownResponse {
        n: 815,
        instance: None,
        status: None,
        unanswered: Some("timeout".to_owned()),
        latency: ms(5000),
        body: None,
        met: Vec::new(),
        ..response.clone()
    };
    let again = ShownResponse { n: 813, at: ms(4065), vars: BTreeMap::new(), ..response.clone() };
    Shown { instances: BTreeMap::from([("gateway-2".to_owned(), 121)]), responses: vec![silent, response, again] }
}

/// A delay that is asked for and achieved, a ledger of what it came to, and responses that say their age.
pub(crate) fn slow() -> Vec<Record> {
    let mut begin = begin();
    let delay = Latency::of(Spread::constant(ms(200)), Directions::Downstream);
    begin.faults =
        vec![plan("slow", delay.into()), plan("brief", Effect::Refuse(Refuse { open: OpenConnections::Keep }))];
    begin.phases[2].name = "slow".to_owned();
    let aged = |figures, oldest| PhaseFigures { oldest: Some(ms(oldest)), ..figures };
    let taken = FaultFigures {
        fault: "slow".to_owned(),
        injections: 801,
        left_out: 12,
        impacts: Impact::ALL.into_iter().zip([410, 201, 7, 31, 2, 140, 4, 6]).collect(),
        retries: Some(9),
        uncharged: None,
        delays: Some(Delays {
            samples: 801,
            asked_p50: ms(200),
            asked_p99: ms(200),
            achieved_p50: Duration::from_micros(200_062),
            achieved_p99: Duration::from_micros(201_340),
        }),
        detected: Some(ms(12)),
        recovery: Recovery::After { took: ms(310) },
    };
    let brief = FaultFigures { fault: "brief".to_owned(), recovery: Recovery::Unnoticed, ..FaultFigures::default() };
    let removed =
        |fault: &str, fired| Event::FaultRemoved { fault: fault.to_owned(), fired, times: 1, links: BTreeMap::new() };
    let chunks = Fired { connections: 3, chunks: 801, ..Fired::default() };
    let ends = vec![
        removed("slow", chunks),
        removed("brief", FIRED),
        // One that comes and goes: its counts add up.
        removed("brief", FIRED),
        Event::Phase(aged(figures("run", 2391, 1210, 212_000), 31_000)),
        Event::Phase(aged(figures("baseline", 796, 1180, 4300), 4000)),
        Event::Phase(PhaseFigures {
            partial: Some(31),
            stale: Some(7),
            ..aged(figures("slow", 801, 1912, 212_000), 31_000)
        }),
        Event::Phase(figures("recovery", 794, 1190, 4800)),
        Event::FaultFigures(taken),
        Event::FaultFigures(brief),
        judged(
            0,
            "responses are whole again within a second",
            "after slow",
            vec![
                check("recovery.time < 1s", "310ms", Verdict::Pass),
                check("herd.http_requests_total <= 1.25", "1.12 (38/s, and 34/s in the baseline)", Verdict::Pass),
            ],
        ),
    ];
    [start(begin), late(ends), end(Some(Verdict::Pass))].concat()
}

/// The same load as in [`passing`], and no fault.
pub(crate) fn control() -> Vec<Record> {
    let begin = Begin { control: true, ..begin() };
    let ends = vec![
        Event::Phase(figures("run", 2391, 1210, 4800)),
        Event::Phase(figures("outage", 801, 1190, 4400)),
        judged(
            0,
            "clients never notice",
            "outage",
            vec![check("status.200 >= 100%", "100% (801 of 801)", Verdict::Pass)],
        ),
        judged(
            1,
            "memory answers in Redis's place",
            "outage",
            vec![check("metric.cache_hits_total{tier=\"memory\"} > 0", "+0", Verdict::Fail)],
        ),
        judged(
            2,
            "Redis is used again within two seconds",
            "within 2s after outage",
            vec![check("metric.cache_hits_total{tier=\"redis\"} > 0", "+612", Verdict::Pass)],
        ),
    ];
    [start(begin), late(ends), end(Some(Verdict::Fail))].concat()
}

/// The fault never fired.
pub(crate) fn inconclusive() -> Vec<Record> {
    let why = "the fault `outage` never fired, so that its phase shows nothing".to_owned();
    let ends = vec![
        Event::Inconclusive { why, cause: Cause::NeverFired },
        Event::Phase(figures("run", 2391, 1210, 4800)),
        Event::Phase(figures("baseline", 796, 1180, 4300)),
        Event::Phase(figures("outage", 801, 1180, 4400)),
        Event::Phase(figures("recovery", 794, 1190, 4800)),
        judged(
            0,
            "clients never notice",
            "outage",
            vec![check("status.200 >= 100%", "100% (801 of 801)", Verdict::Pass)],
        ),
    ];
    let quiet = Fired { connections: 2, ..Fired::default() };
    [start(begin()), timeline(quiet), late(ends), end(Some(Verdict::Inconclusive))].concat()
}

pub(crate) fn world_failed() -> Vec<Record> {
    let lines = [
        "\u{1b}[33mWARN\u{1b}[0m REDIS_URL has no database number",
        "{\"level\":\"error\",\"message\":\"listen: address 127.0.0.1:23005 is in use by another process of this machine\",\"code\":98}",
    ];
    let died = Event::ServiceDied {
        service: "gateway".to_owned(),
        how: "exit status: 1".to_owned(),
        last_lines: lines.map(str::to_owned).to_vec(),
    };
    let mut records = start(begin());
    records.truncate(5);
    let at = |ms: u64, event| Record { at_us: ms * 1000, event };
    records.push(at(90, died));
    records.push(at(91, Event::WorldFailed { why: "the service `gateway` ended before it was ready".to_owned() }));
    let mut ends = end(None);
    ends[0].at_us = 130_000;
    ends[1].at_us = 131_000;
    [records, ends].concat()
}

pub(crate) fn interrupted() -> Vec<Record> {
    let mut records = [start(begin()), timeline(FIRED)].concat();
    records.truncate(records.len() - 3);
    records.push(Record { at_us: 7_000_000, event: Event::Interrupted { by: "SIGINT".to_owned() } });
    let mut ends = end(None);
    ends[0].at_us = 7_050_000;
    ends[1].at_us = 7_051_000;
    [records, ends].concat()
}
