//! Pages (`--html`) say what terminals say, number by number.

use crate::support::recorded::shipped;
use chaos_model::{
    Event, Record, Slice,
    event::Begin,
    ledger::{Injected, Joined},
    phase::RUN,
    quantity::show_duration,
    responses::Marker,
};
use chaos_report::{Style, Terminal, reports::REPORTS};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

/// A text of a page that stands by itself, and the elements that it is in: names, classes and labels.
#[derive(Debug)]
struct Block {
    within: String,
    text: String,
    /// Its place in the page.
    place: Range<usize>,
}

/// Elements that begin no block: their texts stand in those around them.
const INLINE: [&str; 9] = ["a", "b", "code", "i", "mark", "small", "span", "td", "th"];
/// Elements without an end.
const EMPTY: [&str; 4] = ["!doctype", "meta", "link", "br"];

/// The texts with numbers of a page in order, without its style, and without drawings but for what these say when they are
/// pointed at.
fn blocks(page: &str) -> Vec<Block> {
    let (mut all, mut open, mut text, mut from) = (Vec::new(), Vec::<&str>::new(), String::new(), 0);
    for (at, _) in page.match_indices('<') {
        let (tag, rest) = page[at + 1..].split_once('>').expect("a tag ends");
        let rest = &rest[..rest.find('<').unwrap_or(rest.len())];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if !INLINE.contains(&name) {
            let within = open.join(" ");
            let drawn = within.contains("svg") && !within.ends_with("title");
            if text.contains(|c: char| c.is_ascii_digit()) && !drawn && !within.ends_with("style") {
                all.push(Block { within, text: joined(&text), place: from..at });
            }
            (text, from) = (String::new(), at);
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop().and_then(|tag| tag.split(' ').next()), Some(name), "elements lie in each other");
        } else if !EMPTY.contains(&name) && !tag.ends_with('/') {
            open.push(tag);
        }
        text.push(' ');
        text += &rest.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    }
    all
}

/// The words with single spaces between them.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a recording says, in the words of a terminal, and what of it no terminal shows.
struct Facts {
    terminal: String,
    begin: Begin,
    slices: Vec<Slice>,
    met: BTreeSet<String>,
    met_by_fault: BTreeMap<String, usize>,
    /// Requests of the whole run.
    requests: u64,
}

impl Facts {
    fn of(records: &[Record]) -> Self {
        // All that a terminal can say, on lines that hold it.
        let style = Style { width: 1_000_000, verbose: true, ..Style::default() };
        let mut terminal = Terminal::new(Vec::new(), style);
        records.iter().for_each(|record| terminal.on(record).expect("a vector takes everything"));
        let text = String::from_utf8(terminal.into_inner()).expect("reports are text");
        let mut facts = Self {
            terminal: format!(" {} ", joined(&text)),
            begin: Begin::default(),
            slices: Vec::new(),
            met: BTreeSet::new(),
            met_by_fault: BTreeMap::new(),
            requests: 0,
        };
        for record in records {
            match &record.event {
                Event::Begin(begin) => facts.begin = begin.clone(),
                Event::Slice(slice) => facts.slices.push(slice.clone()),
                Event::Injected(Injected { fault, injections, .. }) => {
                    let known: Vec<_> = injections.iter().filter_map(met).collect();
                    *facts.met_by_fault.entry(fault.clone()).or_default() += known.len();
                    facts.met.extend(known);
                }
                Event::Phase(figures) if figures.phase == RUN => {
                    facts.requests = figures.arrivals + figures.straddled;
                }
                _ => {}
            }
        }
        facts
    }

    fn says(&self, text: &str) -> bool {
        self.terminal.contains(&format!(" {text} "))
    }
}

/// A request that met a fault, as a row has it.
fn met(joined_with: &Joined) -> Option<String> {
    let injection = &joined_with.injection;
    let shown = |delay: Option<Duration>| delay.map_or_else(|| "-".to_owned(), show_duration);
    let delays = match (injection.asked, injection.achieved) {
        (None, None) => "-".to_owned(),
        (asked, achieved) => format!("{}, {}", shown(asked), shown(achieved)),
    };
    let (n, at) = (joined_with.met?, show_duration(injection.at));
    Some(joined(&format!("{n} {at} {} {} {delays} {}", injection.subject, injection.link, joined_with.impact)))
}

fn page(records: &[Record]) -> String {
    let row = REPORTS.iter().find(|row| row.name == "html").expect("there are pages");
    let (mut report, mut out) = ((row.new)(Style::default(), false), Vec::new());
    records.iter().for_each(|record| report.on(record, &mut out).expect("a vector takes everything"));
    report.finish(&mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("pages are text")
}

/// What a page says that the recording doesn't.
fn differences(page: &str, facts: &Facts) -> Vec<String> {
    let blocks = blocks(page);
    let is_number = |block: &&Block| block.within.contains("numbers over time") && block.within.ends_with("tbody tr");
    let numbers: Vec<&str> = blocks.iter().filter(is_number).map(|block| block.text.as_str()).collect();
    let mut wrong = of_charts(&numbers, &blocks, facts);
    wrong.extend(blocks.iter().filter(|block| !is_said(block, facts)).map(|block| format!("{block:?}")));
    wrong
}

/// True for names of lines (`p99`) and the scales of axes: these are no figures of the run.
fn is_label(within: &str) -> bool {
    let is_name = within.contains("figcaption") || within.contains("class=\"axis\"");
    is_name || (within.contains("numbers over time") && within.contains("thead"))
}

/// Whether the recording says what this block does. Charts are looked at by themselves.
fn is_said(Block { within, text, .. }: &Block, facts: &Facts) -> bool {
    if is_label(within) || ["svg", "numbers over time"].iter().any(|part| within.contains(part)) {
        return true;
    }
    let begin = &facts.begin;
    if within.contains("requests that met") {
        return facts.met.contains(text);
    }
    // Verdicts are in other words on a terminal.
    let text = ["PASS ", "FAIL ", "INCONCLUSIVE "].iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text);
    if let Some(counts) = text.strip_prefix("Requests that met it: ") {
        let counts = counts.strip_prefix("12 of ").and_then(|counts| counts.strip_suffix(" that are recorded"));
        return counts.is_some_and(|all| facts.met_by_fault.values().any(|met| met.to_string() == all));
    }
    if within.ends_with("pre") && within.contains("details") {
        let mut lines = begin.plan.sources.0.iter().flat_map(|source| source.text.lines().enumerate());
        // A line's number and the line, one behind the other.
        let numbered: BTreeSet<String> = lines.by_ref().map(|(n, line)| joined(&format!("{} {line}", n + 1))).collect();
        let mut rest = text.to_owned();
        while !rest.is_empty() {
            let next = numbered.iter().filter(|line| rest.starts_with(line.as_str())).max_by_key(|line| line.len());
            let Some(line) = next else { return false };
            rest = rest[line.len()..].trim_start().to_owned();
        }
        return true;
    }
    if within.ends_with("pre") {
        return text == format!("chaos run {} --seed {} --world {}", begin.file, begin.seed, begin.world);
    }
    if within.ends_with("time") {
        return unix_seconds(text) == Some(begin.unix_ms / 1000);
    }
    if within.ends_with("head title") {
        return text.ends_with(&begin.file);
    }
    text == format!("by chaos {}", begin.chaos) || facts.says(text)
}

/// The seconds since the Unix epoch of `2026-01-31T09:05:00Z`, by the calendar.
fn unix_seconds(text: &str) -> Option<u64> {
    let numbers: Vec<u64> = text.strip_suffix('Z')?.split(['-', 'T', ':']).flat_map(str::parse).collect();
    let [year, month, day, hours, minutes, seconds] = numbers[..] else { return None };
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before: u64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let days =
        before + months.iter().take(usize::try_from(month).ok()?.checked_sub(1)?).sum::<u64>() + day.checked_sub(1)?;
    Some(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
}

/// What charts say, by the slices of the recording.
fn of_charts(rows: &[&str], blocks: &[Block], facts: &Facts) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut slices = facts.slices.iter().peekable();
    let markers = &facts.begin.plan.system.markers;
    let mut all = 0;
    for (nth, row) in rows.iter().enumerate() {
        let until = row.split(' ').nth(2).unwrap_or_default();
        let mut sum = Slice::default();
        let from = slices.peek().map(|slice| slice.from).unwrap_or_default();
        for slice in slices.by_ref() {
            sum.counts.add(&slice.counts);
            sum.counts.add(&slice.straddled);
            sum.in_flight = sum.in_flight.max(slice.in_flight);
            sum.to = slice.to;
            if show_duration(slice.to) == until {
                break;
            }
        }
        all += sum.counts.due;
        let due = sum.counts.due;
        let share = |parts: u64| (due > 0).then(|| format!("{}%", (parts as f64 * 1000.0 / due as f64).round() / 10.0));
        let of = |marker: Marker, parts: u64| markers.contains(&marker).then(|| share(parts));
        let (partial, stale) = (of(Marker::Partial, sum.counts.partial), of(Marker::Stale, sum.counts.stale));
        let (available, latency) = (share(sum.counts.good), &sum.counts.latency);
        let [p50, p99] = [50_000, 99_000].map(|part| latency.percentile(part).map(show_duration));
        let slowest = latency.max().map(show_duration);
        // What ships takes less than two minutes: longer runs are shown in minutes and hours.
        let span = format!("{} to {}", show_duration(from), show_duration(sum.to));
        let or_none = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "-".to_owned());
        let [shown, p50_shown, p99_shown, slowest_shown] = [&available, &p50, &p99, &slowest].map(or_none);
        let mut expected = format!("{span} {due} {shown} {p50_shown} {p99_shown} {slowest_shown} {}", sum.in_flight);
        [&partial, &stale].into_iter().flatten().for_each(|cell| expected += &format!(" {}", or_none(cell)));
        if *row != expected {
            wrong.push(format!("row {row}, and not {expected}"));
        }
        // What is said where one points at that stretch.
        let rate = due as f64 / (sum.to - from).as_secs_f64();
        let rate = if rate >= 10.0 || rate == 0.0 { format!("{rate:.0}/s") } else { format!("{rate:.1}/s") };
        let named = |all: [(&str, Option<String>); 3]| {
            let named = all.into_iter().filter_map(|(name, shown)| Some(format!("{name} {}", shown?)));
            named.collect::<Vec<_>>().join(", ")
        };
        let tips = [
            ("requests a second", format!("{rate}, of {due} requests {} not good", due - sum.counts.good)),
            (
                "shares of requests",
                named([("available", available), ("partial", partial.flatten()), ("stale", stale.flatten())]),
            ),
            ("latency over time", named([("p50", p50), ("p99", p99), ("slowest", slowest)])),
            ("latencies over time", format!("{} requests", latency.count())),
            ("requests in flight", format!("at most {} in flight", sum.in_flight)),
        ];
        for (chart, tip) in tips {
            let label = format!("aria-label=\"{chart}");
            let said = blocks.iter().filter(|block| block.within.contains(&label)).nth(nth);
            let said = said.map_or("nothing", |block| block.text.as_str());
            if said != joined(&format!("{span}: {tip}")) {
                wrong.push(format!("{chart}: {said}, and not {span}: {tip}"));
            }
        }
    }
    if !rows.is_empty() && all != facts.requests {
        wrong.push(format!("{all} requests, and not {}", facts.requests));
    }
    wrong
}

#[tokio::test]
async fn every_number_on_the_page_of_any_shipped_scenario_is_the_terminals() {
    let mut looked_at = 0;
    for records in shipped().await.runs() {
        let (page, facts) = (page(records), Facts::of(records));
        assert_eq!(differences(&page, &facts), [""; 0], "{}", facts.begin.file);
        looked_at += blocks(&page).len();
        assert!(page.len() < 600_000, "{}: {} bytes", facts.begin.file, page.len());
    }
    assert!(looked_at > 4000, "{looked_at} texts with numbers");
}

/// The check above is one: no number can be another without it.
#[tokio::test]
async fn a_number_that_is_altered_is_noticed() {
    let records = shipped().await.runs().next().expect("there are runs");
    let (page, facts) = (page(records), Facts::of(records));
    assert_eq!(differences(&page, &facts), [""; 0]);
    let mut digits = Vec::new();
    for block in blocks(&page).iter().filter(|block| !is_label(&block.within)) {
        let mut is_text = false;
        for (at, c) in page[block.place.clone()].char_indices() {
            match c {
                '<' | '>' => is_text = c == '>',
                '0'..='9' if is_text => digits.push(block.place.start + at),
                _ => {}
            }
        }
    }
    assert!(digits.len() > 500, "{} digits", digits.len());
    // All of them would take long.
    for at in digits.into_iter().step_by(7) {
        let digit = (page.as_bytes()[at] - b'0' + 1) % 10;
        let altered = format!("{}{digit}{}", &page[..at], &page[at + 1..]);
        let around: String = altered[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
        assert_ne!(differences(&altered, &facts), [""; 0], "{around}{digit}");
    }
}
