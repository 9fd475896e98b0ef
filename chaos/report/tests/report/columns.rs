//! Nothing is wider than the terminal, however long names are; and no number is ever cut.

use crate::made_up;
use chaos_model::effect::Latency;
use chaos_model::{
    Directions, Distribution, Effect, Event, Impact, PhaseKind, Record, Share, Spread, Verdict,
    event::{Cause, Fired, InstanceFigures, PhaseFigures, Spared, Unreadable},
    ledger::{Delays, FaultFigures, Recovery},
};
use chaos_report::{ControlResult, GuardResult, Outcome, RunResult, Style, Terminal, summary, summary::Compared};
use std::{collections::BTreeMap, time::Duration};

const LONG: &str =
    "a-name-that-goes-on-and-on-and-on-and-on-and-on-until-it-is-wider-than-any-line-could-ever-be-in-here";
const WORDS: &str = "a title of very many words, which no line of eighty columns can hold, and which therefore has to be \
                     broken in two or three of them";

fn taken() -> FaultFigures {
    let hour = made_up::ms(3_599_000);
    FaultFigures {
        fault: LONG.to_owned(),
        injections: 1_234_567_890,
        left_out: 123_456_789,
        impacts: Impact::ALL.into_iter().map(|impact| (impact, 123_456_789)).collect(),
        retries: Some(12_345_678),
        uncharged: None,
        delays: Some(Delays { samples: 1, asked_p50: hour, asked_p99: hour, achieved_p50: hour, achieved_p99: hour }),
        detected: Some(hour),
        recovery: Recovery::NotWithin { left: hour },
    }
}

/// Figures with as many digits as there may be, and names of any length.
fn figures() -> PhaseFigures {
    let latency = made_up::figures("run", 1, 999_400, 123_456_789).latency;
    let instance = InstanceFigures { responses: 123_456_789, good: 1, latency };
    PhaseFigures {
        straddled: 123_456,
        missed: 12_345_678,
        statuses: (200..260).map(|status| (status * 2, 1_234_567)).collect(),
        unanswered: BTreeMap::from([(WORDS.to_owned(), 1_234_567), (LONG.to_owned(), 1)]),
        good: 61_728_350,
        partial: Some(1),
        stale: Some(1),
        oldest: Some(made_up::ms(86_400_000)),
        instances: [LONG, WORDS, "web-1", "web-2", "web-3"].map(|name| (name.to_owned(), instance.clone())).into(),
        ..made_up::figures(LONG, 123_456_789, 999_400, 123_456_789)
    }
}

/// A run in which everything that has a name has a long one, and every number is large.
fn long() -> Vec<Record> {
    let mut begin = made_up::begin();
    begin.title = WORDS.to_owned();
    begin.file = format!("scenarios/{LONG}.toml");
    begin.seed = u64::MAX;
    begin.without = Some(WORDS.to_owned());
    begin.phases.push(made_up::phase(LONG, PhaseKind::Fault, 4000, 3_599_000));
    let latency = Effect::Latency(Latency::of(
        Spread { mean: made_up::ms(200), jitter: made_up::ms(50), distribution: Distribution::Normal },
        Directions::Upstream,
    ));
    let mut plan = made_up::plan(LONG, latency);
    plan.share = Share { parts: 1, whole: 3 };
    begin.faults.push(plan);
    let fired = Fired {
        connections: 123_456_789,
        chunks: 987_654_321,
        resets: 1,
        closes: 0,
        refused: 123_456_789,
        dropped: 12_345,
        messages: 98_765,
        bystanders: 123_456,
        throttled: 0,
        services: 0,
        spared: Spared::NONE.with(Unreadable::Tls, 123_456).with(Unreadable::OtherProtocol, 987_654),
    };
    let figures = figures();
    let mut check = made_up::check(WORDS, WORDS, Verdict::Fail);
    check.note = Some(format!("{WORDS} {LONG}"));
    check.against = made_up::shown();
    check.against.responses[1].body = Some(LONG.repeat(3));
    check.against.responses[1].request = format!("GET /{LONG}");
    check.file.clone_from(&begin.file);
    let end = |left: &str| {
        let took = Duration::from_secs(5);
        vec![
            Event::TornDown { took, left: vec![left.to_owned()], unseen: None, logs: BTreeMap::new() },
            Event::End { verdict: Some(Verdict::Fail) },
        ]
    };
    begin.unix_ms = 0;
    let mut records = made_up::start(begin);
    records.insert(4, Record { at_us: 0, event: made_up::service(LONG, LONG, 65_535, 3_599_000) });
    records.extend(made_up::late(vec![
        made_up::slice(3_499_000, 3_500_000, 12_345_678_901, 12_345_678),
        Event::FaultApplied { fault: LONG.to_owned() },
        Event::FaultRemoved { fault: LONG.to_owned(), fired, times: 1, links: BTreeMap::new() },
        Event::Inconclusive { why: format!("{WORDS} {LONG}"), cause: Cause::Other },
        Event::ServiceDied {
            service: LONG[..40].to_owned(),
            how: WORDS.to_owned(),
            last_lines: vec![LONG.repeat(3), String::new()],
        },
        Event::Phase(figures),
        Event::FaultFigures(taken()),
        made_up::judged(
            0,
            WORDS,
            LONG,
            vec![check.clone(), made_up::check("latency.p99 < 50ms", "1.51s", Verdict::Fail)],
        ),
        made_up::judged(1, LONG, WORDS, vec![made_up::check(LONG, LONG, Verdict::Pass)]),
    ]));
    records.extend(made_up::late(end(WORDS)));
    records
}

fn widest(text: &str) -> (usize, &str) {
    let plain = |line: &str| anstream::adapter::strip_str(line).to_string().chars().count();
    text.lines().flat_map(|line| line.split('\r')).map(|line| (plain(line), line)).max().unwrap()
}

fn shown(style: Style) -> String {
    let mut terminal = Terminal::new(Vec::new(), style);
    long().iter().for_each(|record| terminal.on(record).unwrap());
    String::from_utf8(terminal.into_inner()).unwrap()
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [39, 60, 80, 100, 132] {
        for (colour, live) in [(false, false), (true, false), (false, true)] {
            let text = shown(Style { colour, live, width, verbose: true });
            // The command to copy stands whole, as paths of logs do.
            let text: String =
                text.lines().filter(|line| !line.contains("--seed")).map(|line| format!("{line}\n")).collect();
            let (columns, line) = widest(&text);
            assert!(columns <= width, "{columns} columns of {width}: {line:?}");
        }
    }
}

#[test]
fn no_number_is_cut() {
    for width in [39, 80] {
        let text = shown(Style { width, ..Style::default() });
        for number in
            ["123456789", "33.33%", "123s", "999ms", "987654321", "12345678901", "18446744073709551615", "4s..3599s"]
        {
            assert!(text.contains(number), "{number} is not in:\n{text}");
        }
    }
}

#[test]
fn a_run_at_39_columns() {
    let mut terminal = Terminal::new(Vec::new(), Style { width: 39, ..Style::default() });
    made_up::failing().iter().for_each(|record| terminal.on(record).unwrap());
    insta::assert_snapshot!(String::from_utf8(terminal.into_inner()).unwrap());
}

#[test]
fn long_names_at_80_columns() {
    insta::assert_snapshot!(shown(Style::default()));
}

#[test]
fn columns_of_numbers_end_in_one_place() {
    let mut terminal = Terminal::new(Vec::new(), Style::default());
    made_up::failing().iter().for_each(|record| terminal.on(record).unwrap());
    let text = String::from_utf8(terminal.into_inner()).unwrap();
    let head = text.lines().find(|line| line.starts_with("  phase ")).unwrap();
    let rows =
        text.lines().filter(|line| ["  baseline ", "  outage   ", "  run "].iter().any(|name| line.starts_with(name)));
    let rows: Vec<_> = rows.filter(|line| line.contains("/s")).collect();
    assert_eq!(rows.len(), 3, "{text}");
    let ends = |line: &str| {
        let bytes = line.as_bytes();
        let ends = |at: &usize| bytes[*at] != b' ' && bytes.get(at + 1).is_none_or(|next| *next == b' ');
        (0..line.len()).filter(ends).skip(1).collect::<Vec<_>>()
    };
    for row in rows {
        assert_eq!(ends(row), ends(head), "{text}");
    }
}

#[test]
fn summaries_fit_too() {
    let all = [
        Outcome::Verdict(Verdict::Pass),
        Outcome::Verdict(Verdict::Inconclusive),
        Outcome::Verdict(Verdict::Fail),
        Outcome::Invalid,
        Outcome::WorldFailed,
        Outcome::Interrupted,
    ];
    let names = || vec![WORDS.to_owned(), LONG.to_owned()];
    let run = |outcome| RunResult {
        file: format!("{LONG}/x.toml"),
        title: WORDS.to_owned(),
        outcome,
        took: made_up::ms(12_345),
        failed: names(),
    };
    let unharmed = RunResult::of(&made_up::passing());
    let guard = |run| GuardResult {
        file: format!("{LONG}/x.toml"),
        without: WORDS.to_owned(),
        unharmed: unharmed.clone(),
        expected: vec![WORDS.to_owned(), "another".to_owned()],
        may_break: Vec::new(),
        broke: names(),
        unsure: names(),
        inconclusive: names().into_iter().map(|why| (Cause::Other, why)).collect(),
        run,
        took: made_up::ms(12_345),
    };
    let harmed = all.map(|outcome| GuardResult { unharmed: run(outcome), ..guard(outcome) });
    let compared = |without| Compared { that: WORDS.to_owned(), with: Verdict::Pass, without, seen: LONG.to_owned() };
    let control = |control| ControlResult {
        file: format!("{LONG}/x.toml"),
        run: Outcome::Verdict(Verdict::Pass),
        control: Some(control),
        expectations: vec![compared(Verdict::Pass), compared(Verdict::Fail)],
        met: 7,
        untold: Vec::new(),
        took: made_up::ms(12_345),
    };
    for width in [39, 80] {
        let (mut out, style) = (Vec::new(), Style { width, ..Style::default() });
        summary::runs(&mut out, style, &all.map(run)).unwrap();
        summary::guards(&mut out, style, &all.map(guard)).unwrap();
        summary::guards(&mut out, style, &harmed).unwrap();
        summary::controls(&mut out, style, &all.map(control)).unwrap();
        let text = String::from_utf8(out).unwrap();
        let (columns, line) = widest(&text);
        assert!(columns <= width, "{columns} columns of {width}: {line:?}");
        assert!(text.contains("/x.toml  12.3s"), "the end of a path and the time are whole:\n{text}");
    }
}
