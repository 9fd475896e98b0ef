//! The terminal's reports of runs that never happened.

use crate::made_up;
use chaos_model::{
    Calibration, Event, Pulse, Record, Share, Verdict,
    calibration::{LatencyAccuracy, Quantiles, RateAccuracy, ShareAccuracy},
    check::reading::ScrapeSide,
    event::{Judged, Scrape, Scraped},
};
use chaos_report::{Style, Terminal, failures};
use std::{sync::Arc, time::Duration};

fn shown(records: &[Record], style: Style) -> String {
    let mut terminal = Terminal::new(Vec::new(), style);
    records.iter().for_each(|record| terminal.on(record).unwrap());
    String::from_utf8(terminal.into_inner()).unwrap()
}

fn plain(records: &[Record]) -> String {
    shown(records, Style::default())
}

#[test]
fn a_run_that_passes() {
    insta::assert_snapshot!(plain(&made_up::passing()));
}

#[test]
fn a_run_that_fails() {
    insta::assert_snapshot!(plain(&made_up::failing()));
}

#[test]
fn the_command_for_another_run_carries_what_this_one_was_made_with() {
    let mut records = made_up::failing();
    let Event::Begin(begin) = &mut records[0].event else { unreachable!() };
    begin.sets = vec!["load.rate=500/s".to_owned(), "service.redis.env.MOTD=it's on".to_owned()];
    begin.only = vec!["never notice".to_owned()];
    let again = r"--seed 42 --set load.rate=500/s --set 'service.redis.env.MOTD=it'\''s on' -e 'never notice'";
    let text = plain(&records);
    assert!(text.contains(&format!("draws: chaos run scenarios/redis_down.toml {again}\n")), "{text}");
}

#[test]
fn what_injections_came_to_and_how_old_responses_were() {
    insta::assert_snapshot!(plain(&made_up::slow()));
}

/// A run of a system whose responses say nothing of parts or of age.
fn without_markers() -> Vec<Record> {
    let mut records = made_up::slow();
    for record in &mut records {
        match &mut record.event {
            Event::Begin(begin) => Arc::make_mut(&mut begin.plan).system.markers.clear(),
            Event::Phase(figures) => (figures.partial, figures.stale, figures.oldest) = (None, None, None),
            _ => {}
        }
    }
    records
}

/// Neither column nor word is there for what nobody looked at.
#[test]
fn what_no_marker_tells_is_not_said() {
    let text = plain(&without_markers());
    let (before, faults) = text.split_once("  faults").unwrap();
    assert!(before.contains("available") && !before.contains("partial") && !before.contains("stale"), "{before}");
    assert!(faults.contains("no response failed\n") && !faults.contains("was partial"), "{faults}");
}

/// What could not be read of a service's metrics is told once, whoever asked for it.
#[test]
fn pages_of_metrics_with_faults_are_told() {
    let fault = |line: u64| format!("line {line} can't be read: `hits_total{{`");
    let scrape = |faults| Scrape {
        at: Duration::ZERO,
        taken: None,
        side: ScrapeSide::Both,
        values: Vec::new(),
        failed: None,
        faults,
    };
    let scrapes = vec![scrape(Vec::new()), scrape(vec![fault(7), fault(9)]), scrape(vec![fault(8)])];
    let scraped = Scraped { service: "web".to_owned(), series: Vec::new(), scrapes };
    let mut records = made_up::slow();
    records.insert(5, Record { at_us: 300_000, event: Event::Scraped(scraped) });
    let text = plain(&records);
    assert!(text.contains("\n  metrics of web: line 7 can't be read: `hits_total{`\n"), "{text}");
    assert_eq!(text.matches("can't be read").count(), 1, "{text}");
}

#[test]
fn a_control() {
    insta::assert_snapshot!(plain(&made_up::control()));
}

#[test]
fn a_run_whose_fault_never_fired() {
    insta::assert_snapshot!(plain(&made_up::inconclusive()));
}

#[test]
fn a_run_whose_world_failed() {
    insta::assert_snapshot!(plain(&made_up::world_failed()));
}

#[test]
fn a_run_that_was_interrupted() {
    insta::assert_snapshot!(plain(&made_up::interrupted()));
}

#[test]
fn everything_that_there_is_to_say() {
    insta::assert_snapshot!(shown(&made_up::passing(), Style { verbose: true, ..Style::default() }));
}

#[test]
fn a_run_that_waits_and_leaves_something_behind() {
    let mut records = made_up::passing();
    records.insert(1, Record { at_us: 0, event: Event::Waiting { holder: Some(4711) } });
    let Some(Record { event: Event::TornDown { left, .. }, .. }) = records.iter_mut().rev().nth(1) else {
        unreachable!()
    };
    left.push("process 4712 (redis): it does not end".to_owned());
    let Event::Begin(begin) = &mut records[0].event else { unreachable!() };
    begin.without = Some("the memory tier".to_owned());
    insta::assert_snapshot!(plain(&records));
}

#[test]
fn what_may_be_left_and_can_not_be_seen_is_not_said_to_be_gone() {
    let mut records = made_up::passing();
    let mut end = |what: &[&str]| {
        let Some(Record { event: Event::TornDown { left, unseen, .. }, .. }) = records.iter_mut().rev().nth(1) else {
            unreachable!()
        };
        *left = what.iter().map(|what| (*what).to_owned()).collect();
        *unseen = Some("nobody saw\u{202e} it".to_owned());
        plain(&records)
    };
    let nothing = end(&[]);
    assert!(nothing.contains(", nothing left behind that can be seen (nobody saw it)\n"), "{nothing}");
    let something = end(&["process 7"]);
    assert!(something.contains("LEFT BEHIND:\n  process 7\n  what can't be seen: nobody saw it\n"), "{something}");
}

#[test]
fn a_guards_run_in_which_something_breaks() {
    let mut records = made_up::failing();
    let Event::Begin(begin) = &mut records[0].event else { unreachable!() };
    begin.without = Some("the memory tier".to_owned());
    insta::assert_snapshot!(plain(&records));
}

#[test]
fn a_run_says_what_its_machine_can_do_where_that_was_measured() {
    let mut records = made_up::passing();
    let Event::Begin(begin) = &mut records[0].event else { unreachable!() };
    let quantiles = |p50, p99| Quantiles { p50: Duration::from_micros(p50), p99: Duration::from_micros(p99) };
    begin.calibration = Some(Calibration {
        unix_ms: begin.unix_ms - 7_200_000,
        idle: quantiles(61, 148),
        latency: vec![LatencyAccuracy { asked: made_up::ms(10), achieved: quantiles(10_012, 10_240) }],
        transfer: None,
        bandwidth: RateAccuracy { asked: 1 << 20, achieved: 1 << 20 },
        share: ShareAccuracy { asked: Share { parts: 1, whole: 10 }, met: Share { parts: 1, whole: 10 } },
    });
    let text = plain(&records);
    let words = "
  this machine, 2 h before: an idle proxy added 0.061ms (p99 0.148ms); 10ms
  asked came as 10.012ms (p99 10.240ms)
";
    assert!(text.contains(words), "{text}");
}

#[test]
fn colour_adds_nothing_but_colour() {
    for records in [made_up::passing(), made_up::failing(), made_up::inconclusive(), made_up::world_failed()] {
        let style = Style { colour: true, verbose: true, ..Style::default() };
        let coloured = shown(&records, style);
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(
            anstream::adapter::strip_str(&coloured).to_string(),
            shown(&records, Style { colour: false, ..style })
        );
    }
}

/// The screen that a terminal shows after `\r` and overwriting.
fn screen(written: &str) -> String {
    let mut lines = Vec::new();
    for line in written.split('\n') {
        let mut cells: Vec<char> = Vec::new();
        for part in line.split('\r') {
            for (n, c) in part.chars().enumerate() {
                if n < cells.len() { cells[n] = c } else { cells.push(c) }
            }
        }
        lines.push(cells.iter().collect::<String>().trim_end().to_owned());
    }
    lines.join("\n")
}

#[test]
fn the_line_of_progress_is_redrawn_and_leaves_nothing() {
    let style = Style { live: true, ..Style::default() };
    for records in [made_up::passing(), made_up::failing(), made_up::interrupted(), made_up::world_failed()] {
        let shown_live = screen(&shown(&records, style));
        let without: Vec<_> = records.iter().filter(|r| !matches!(r.event, Event::Slice(_))).cloned().collect();
        assert_eq!(shown_live, screen(&plain(&without)));
    }
}

#[test]
fn the_line_of_progress_as_it_goes() {
    let records: Vec<_> = made_up::passing().into_iter().take(17).collect();
    let style = Style { live: true, ..Style::default() };
    insta::assert_snapshot!(shown(&records, style).replace('\r', "\\r\n"));
}

#[test]
fn the_line_of_progress_fits_any_terminal_that_its_numbers_fit() {
    let records = [made_up::start(made_up::begin()), made_up::timeline(made_up::FIRED)].concat();
    for width in 60..120 {
        let mut bars = Vec::new();
        for n in 1..=records.len() {
            let text = shown(&records[..n], Style { width, live: true, ..Style::default() });
            let frame = text.rsplit(['\r', '\n']).next().unwrap();
            assert!(frame.chars().count() < width, "{width}: {frame:?}");
            if matches!(records[n - 1].event, Event::Slice(_)) {
                assert!(frame.ends_with(" bad, p99 3.2ms"), "{width}: {frame:?}");
                bars.push(frame.find(']'));
            }
        }
        bars.dedup();
        assert!(width < 80 || bars[0].is_some() && bars.len() == 1, "the bar keeps its place: {bars:?}");
    }
}

#[test]
fn without_a_terminal_progress_is_a_line_every_five_seconds_and_at_each_phase() {
    let mut records = made_up::start(made_up::begin());
    records.extend((1..=110).map(|n| Record { at_us: 0, event: made_up::slice(n * 100 - 100, n * 100, 20, 0) }));
    let text = plain(&records);
    let times: Vec<_> = text.lines().filter(|line| line.contains(" sent so far, ")).map(|line| &line[..7]).collect();
    assert_eq!(times, ["   0.1s", "   4.1s", "   8.1s"]);
}

#[test]
fn failures_are_shown_in_the_file_where_it_is_known() {
    let sources = made_up::sources();
    let mut terminal = Terminal::new(Vec::new(), Style::default());
    let mut records = made_up::failing();
    made_up::give_sources(&mut records);
    records.iter().for_each(|record| terminal.on(record).unwrap());
    let text = String::from_utf8(terminal.into_inner()).unwrap();
    let judged = records.iter().filter_map(|record| match &record.event {
        Event::Judged(judged) => Some(judged.clone()),
        _ => None,
    });
    let rendered = failures::diagnostics(&judged.collect::<Vec<Judged>>(), &sources).unwrap().render(false, 80);
    assert!(text.contains(&rendered));
    let (list, _) = text.split_once("taken down").unwrap();
    assert!(
        !list.replace(&rendered, "").contains("redis_down.toml:23"),
        "a failure's place is not named twice:\n{list}"
    );
    assert!(list.contains("redis_down.toml:31"), "what can't be judged is no failure, and keeps its place");
}

#[test]
fn the_second_run_knows_nothing_of_the_first() {
    let both = [made_up::failing(), made_up::passing()].concat();
    let second = format!("\n\n{}", plain(&made_up::passing()));
    assert!(plain(&both).ends_with(&second));
}

#[test]
fn a_recording_without_expectations_still_shows_what_clients_saw() {
    let records: Vec<_> = made_up::passing().into_iter().filter(|r| !matches!(r.event, Event::Judged(_))).collect();
    let text = plain(&records);
    assert!(text.contains("12.4ms") && text.contains("41 refused"));
    assert!(text.ends_with("PASS in 12.8s: there was nothing to expect\n"));
}

#[test]
fn the_reason_of_an_inconclusive_run_stands_in_its_last_line() {
    let few = made_up::judged(
        0,
        "fast",
        "outage",
        vec![{
            let mut check = made_up::check("latency.p99 < 50ms", "12ms", Verdict::Inconclusive);
            check.note = Some("80 samples are too few for p99".to_owned());
            check
        }],
    );
    let ends = [made_up::late(vec![few]), made_up::end(Some(Verdict::Inconclusive))].concat();
    let fired = [made_up::start(made_up::begin()), made_up::timeline(made_up::FIRED), ends.clone()].concat();
    assert!(plain(&fired).ends_with("INCONCLUSIVE in 12.8s: 80 samples are too few for p99\n"));
    let quiet = [made_up::start(made_up::begin()), made_up::timeline(Default::default()), ends].concat();
    assert!(plain(&quiet).ends_with("INCONCLUSIVE in 12.8s: the fault `outage` never fired\n"));
}

#[test]
fn a_fault_that_pulses_is_told_of_once_with_all_that_it_did() {
    let mut begin = made_up::begin();
    let second = made_up::ms(1000);
    begin.faults[0].pulse = Some(Pulse { on: second, every: 2 * second });
    let mut records = made_up::start(begin);
    let fault = "outage".to_owned();
    for at_us in [4_300_000, 6_300_000] {
        records.push(Record { at_us, event: Event::FaultApplied { fault: fault.clone() } });
        let event = Event::FaultRemoved {
            fault: fault.clone(),
            fired: made_up::FIRED,
            times: 1,
            links: std::collections::BTreeMap::new(),
        };
        records.push(Record { at_us: at_us + 1_000_000, event });
    }
    let until_then = plain(&records[..records.len() - 1]);
    assert!(
        until_then.ends_with("   4.0s  outage begins: refuse on gateway -> redis, 1s of each 2s\n"),
        "{until_then}"
    );
    let text = plain(&records);
    let last = text.strip_prefix(&until_then).unwrap();
    assert_eq!(last, "   7.0s  outage ends after 2 pulses: 6 connections reset, at most 82 refused\n");
    let mut phase = made_up::figures("run", 100, 900, 3200);
    phase.unanswered.clear();
    records.push(Record { at_us: 12_300_000, event: Event::Phase(phase) });
    records.push(Record { at_us: 12_300_000, event: Event::End { verdict: Some(Verdict::Pass) } });
    let text = plain(&records);
    assert!(text.contains("          6 connections reset, at most 82 refused\n"), "{text}");
}
