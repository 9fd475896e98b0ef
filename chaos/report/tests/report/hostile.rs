//! Names, bodies and titles of others, who mean no good: whatever member of an event they stand in, they are text in every
//! report.

use crate::{
    made_up::{self, ms},
    results::{drawn, guarded, invalid, report},
};
use chaos_model::{
    Event, Impact, KeyKind, Record,
    check::reading::ScrapeSide,
    event::{Sample, Scrape, Scraped, ScrapedSeries},
    ledger::{Injected, Injection, Joined},
    plain,
};
use chaos_report::{
    github,
    reports::REPORTS,
    results::{Invalid, Results},
};
use quick_junit::Report;
use serde_json::Value;
use std::{collections::BTreeMap, sync::LazyLock};

/// Markup of every report, escapes of terminals, text that runs the other way, and what no XML can hold.
const HOSTILE: &str = "a|b `c` <img src=x onerror=alert(1)> \"><svg onload=alert(1)> ' onclick='x [x](http://evil) @everyone #1 \
                       www.evil.example </style><!-- \u{1b}[2J\u{1b}]0;x\u{7}\u{202e}\u{0}\u{b}\u{fffe}\u{ffff}]]>\r\n::error::pwned\n```\n| x |";

/// The event with every text in it hostile that can be any, and every name in a map.
fn hostile(record: &Record) -> Record {
    let mut value = serde_json::to_value(record).unwrap();
    let mut count = 0;
    while alter(&mut value.clone(), &mut 0, count) {
        let mut altered = value.clone();
        alter(&mut altered, &mut 0, count);
        // What a reader would not take, or passes over, is no place for others' texts.
        let read = serde_json::from_value::<Record>(altered.clone()).ok();
        if read.is_some_and(|read| serde_json::to_value(&read).unwrap() == altered) {
            value = altered;
        }
        count += 1;
    }
    serde_json::from_value(value).unwrap()
}

/// Alters the text or the key with this number; tells whether there is one.
fn alter(value: &mut Value, at: &mut usize, number: usize) -> bool {
    match value {
        Value::String(text) if is_it(at, number) => {
            HOSTILE.clone_into(text);
            return true;
        }
        Value::Array(all) => return all.iter_mut().any(|one| alter(one, at, number)),
        Value::Object(all) => {
            let keys: Vec<String> = all.keys().cloned().collect();
            for key in keys {
                if is_it(at, number) {
                    let one = all.remove(&key).unwrap_or_default();
                    all.insert(HOSTILE.to_owned(), one);
                    return true;
                }
                if all.get_mut(&key).is_some_and(|one| alter(one, at, number)) {
                    return true;
                }
            }
        }
        _ => {}
    }
    false
}

fn is_it(at: &mut usize, number: usize) -> bool {
    *at += 1;
    *at - 1 == number
}

/// Events that the made-up runs have not, with texts of others in all of their members.
fn more() -> Vec<Event> {
    let injection = Injection {
        fault: "slow".to_owned(),
        link: "a -> b".to_owned(),
        at: ms(1),
        key: KeyKind::Request,
        subject: "GET /".to_owned(),
        arrival: None,
        idle: false,
        attempt: 0,
        asked: Some(ms(3)),
        achieved: None,
        bystanders: 0,
    };
    let joined = Joined { injection, met: Some(7.into()), impact: Impact::Failed };
    let scrape = |at, faults: Vec<String>, failed: Option<String>| Scrape {
        at: ms(at),
        taken: None,
        side: ScrapeSide::Both,
        values: if failed.is_none() { vec![Some(Sample(3.0))] } else { Vec::new() },
        failed,
        faults,
    };
    let series = ScrapedSeries { selector: "hits".to_owned(), kind: None };
    vec![
        Event::Injected(Injected {
            fault: "outage".to_owned(),
            link: "a -> b".to_owned(),
            injections: vec![joined],
            ..Injected::default()
        }),
        Event::Scraped(Scraped {
            service: "gateway".to_owned(),
            series: vec![series],
            scrapes: vec![
                scrape(1000, vec!["line 3".to_owned()], None),
                scrape(2000, Vec::new(), None),
                scrape(3000, Vec::new(), Some("no page".to_owned())),
            ],
        }),
        Event::ServiceDied {
            service: "redis".to_owned(),
            how: "exit status: 1".to_owned(),
            last_lines: vec!["bye".to_owned()],
        },
        Event::ServiceKilled { service: "redis".to_owned(), after: ms(9) },
        Event::Inconclusive { why: "it stood still".to_owned(), cause: chaos_model::event::Cause::Other },
        Event::TornDown {
            took: ms(3),
            left: vec!["process 1".to_owned()],
            unseen: Some("nobody saw it".to_owned()),
            logs: BTreeMap::from([("redis".to_owned(), "/tmp/redis.log".to_owned())]),
        },
    ]
}

/// Runs of every outcome, in which everything is hostile.
fn runs() -> &'static [Vec<Record>] {
    static RUNS: LazyLock<Vec<Vec<Record>>> = LazyLock::new(made);
    &RUNS
}

fn made() -> Vec<Vec<Record>> {
    let mut whole = made_up::failing();
    made_up::give_sources(&mut whole);
    let at = whole.len() - 2;
    whole.splice(at..at, more().into_iter().map(|event| Record { at_us: 12_700_000, event }));
    let mut all =
        vec![whole, drawn(), made_up::slow(), made_up::inconclusive(), made_up::world_failed(), made_up::interrupted()];
    all.extend(guarded(false));
    all.push(made_up::control());
    all.iter().map(|records| records.iter().map(hostile).collect()).collect()
}

fn not_valid() -> Invalid {
    Invalid { file: HOSTILE.to_owned(), why: format!("{HOSTILE}\n{HOSTILE}"), place: Some((HOSTILE.to_owned(), 7)) }
}

/// Elements and attributes that pages have.
const ELEMENTS: [&str; 50] = [
    "a",
    "b",
    "body",
    "br",
    "code",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "g",
    "h1",
    "h2",
    "h3",
    "head",
    "html",
    "i",
    "li",
    "line",
    "link",
    "main",
    "mark",
    "meta",
    "p",
    "path",
    "polygon",
    "polyline",
    "pre",
    "rect",
    "section",
    "small",
    "span",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "ul",
    "header",
    "circle",
];
const ATTRIBUTES: [&str; 47] = [
    "aria-hidden",
    "aria-label",
    "charset",
    "class",
    "colspan",
    "content",
    "d",
    "dy",
    "fill",
    "font-family",
    "font-size",
    "fill-opacity",
    "height",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "opacity",
    "open",
    "points",
    "rel",
    "role",
    "rx",
    "scope",
    "stroke",
    "stroke-opacity",
    "stroke-width",
    "style",
    "tabindex",
    "text-anchor",
    "title",
    "viewBox",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
    "cx",
    "cy",
    "r",
    "dx",
    "transform",
    "font-weight",
    "stroke-dasharray",
];

/// The elements of a page lie in each other, and have no attributes but ours.
fn assert_is_text(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let page = page.strip_prefix("<!doctype html>").unwrap();
    for (at, _) in page.match_indices('<') {
        let (tag, _) = page[at + 1..].split_once('>').unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "<{tag}>");
            continue;
        }
        let tag_end = tag.trim_end_matches('/');
        let (name, attributes) = tag_end.split_once(' ').unwrap_or((tag_end, ""));
        assert!(ELEMENTS.contains(&name), "<{tag}>");
        if !(tag.ends_with('/') || ["meta", "link", "br"].contains(&name)) {
            open.push(name);
        }
        let mut rest = attributes.trim();
        while !rest.is_empty() {
            let (attribute, value, more) = match rest.split_once("=\"") {
                Some((attribute, more)) if !attribute.contains(' ') => {
                    let (value, more) = more.split_once('"').unwrap();
                    (attribute, value, more)
                }
                _ => {
                    let (attribute, more) = rest.split_once(' ').unwrap_or((rest, ""));
                    (attribute, "", more)
                }
            };
            assert!(ATTRIBUTES.contains(&attribute), "{attribute} in <{tag}>");
            assert!(attribute != "href" || value.starts_with('#') || value == "data:,", "<{tag}>");
            assert!(attribute != "style" || !value.contains(['|', '`', '&']), "<{tag}>");
            rest = more.trim();
        }
    }
    assert_eq!(open, [""; 0], "all ends");
}

/// The Markdown without its blocks of plain text, whose ends only a line of their own fence can be.
fn outside_of_blocks(markdown: &str) -> String {
    let (mut outside, mut fence) = (String::new(), None);
    for line in markdown.lines() {
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if line.starts_with("```") => fence = Some(line),
            None => outside += &format!("{line}\n"),
        }
    }
    assert_eq!(fence, None, "a block has no end: {markdown}");
    outside
}

/// Characters that are not seen and change what is.
fn is_hidden(c: char) -> bool {
    plain::is_hidden(c) && c != '\n'
}

#[test]
fn a_page_shows_it_and_does_nothing_else() {
    let page = report("html", runs(), &[not_valid(), invalid()]);
    assert_is_text(&page);
    assert!(!page.contains(is_hidden));
    assert!(page.matches("&lt;img src=x").count() > 100, "{} times", page.matches("&lt;img src=x").count());
}

#[test]
fn what_programs_read_stays_what_it_is() {
    let xml = report("junit", runs(), &[not_valid()]);
    let suites = Report::deserialize_from_str(&xml).unwrap().test_suites;
    assert_eq!(suites.len(), 1 + runs().len() - 2, "guard and control are cases");
    assert!(!xml.contains(is_hidden) && !xml.contains(['\u{fffe}', '\u{ffff}']), "{xml}");
    assert!(!xml.contains("<img"), "{xml}");
}

#[test]
fn markdown_has_no_markup_of_others() {
    let markdown = report("markdown", runs(), &[not_valid()]);
    let outside = outside_of_blocks(&markdown);
    for forbidden in ["<img", "<svg", "<!-- \\", "x](", "@everyone", "#1", "\n::error", "a|b", "www.evil", "\n| x"] {
        assert!(!outside.contains(forbidden), "{forbidden:?} in {outside}");
    }
    assert!(!markdown.contains(is_hidden), "{markdown}");
}

#[test]
fn no_line_is_a_command_of_a_pipeline() {
    let mut results = Results::default();
    runs().iter().flatten().for_each(|record| results.on(record));
    results.invalid(not_valid());
    let text = github::annotations(&results, str::to_owned);
    assert!(text.lines().count() > 5, "{text}");
    for line in text.lines() {
        assert!(line.starts_with("::error file=") || line.starts_with("::warning file="), "{line}");
        assert!(!line.contains(is_hidden), "{line}");
        let (_, rest) = line.split_once(",title=").unwrap();
        let (title, _) = rest.split_once("::").unwrap();
        assert!(!title.contains([':', ',']), "{line}");
    }
}

#[test]
fn terminals_are_not_repainted() {
    for row in REPORTS.iter().filter(|row| ["text", "summary"].contains(&row.name)) {
        let text = report(row.name, runs(), &[]);
        assert!(!text.contains(is_hidden), "{}: {text:?}", row.name);
    }
}
