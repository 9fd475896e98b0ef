//! One request, step by step: who did what when. Times count from when it was due.

use crate::{
    Style,
    style::Ink,
    text::{clean, hanging, left, paragraph, right, width},
    words,
};
use chaos_model::{Event, Fault, Impact, Record, ledger::Joined, quantity::show_duration, secret::masked_text};
use std::{
    io::{self, Write},
    time::Duration,
};

/// Places that are longer have a line of their own.
const WIDEST_PLACE: usize = 26;

/// The course of one request: what it met, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The request's number.
    pub n: u64,
    /// The moment at which it was due, from the beginning of the timeline; none in the warm-up.
    pub due: Option<Duration>,
    /// The faults that were there while it was under way, in words.
    pub faults: Vec<String>,
    /// In the order of time.
    pub steps: Vec<TraceStep>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    /// Time since the request was due.
    pub at: Duration,
    /// The step is taken to be this request's by time and name; nothing said so.
    pub is_guess: bool,
    /// The service, or the link with the direction of what passed (`gateway <- redis`).
    pub place: String,
    /// The step in words.
    pub what: String,
}

/// The faults of a run that were there within this window, in words. The window counts from the beginning of the load,
/// which is so long before the timeline.
#[must_use]
pub fn faults(records: &[Record], window: (Duration, Duration), warmup: Duration) -> Vec<String> {
    let faults = records.iter().find_map(|record| match &record.event {
        Event::Begin(begin) => Some(begin.faults.as_slice()),
        _ => None,
    });
    let is_there = |fault: &&Fault| fault.at + warmup <= window.1 && window.0 < fault.ends() + warmup;
    let there = faults.unwrap_or_default().iter().filter(is_there);
    there.map(|fault| format!("{}: {}", fault.name, words::fault(fault))).collect()
}

/// An injection in words: `silence acts on GET profile:7 (partial)`.
#[must_use]
pub fn injection(joined: &Joined) -> String {
    let injection = &joined.injection;
    let mut text = format!("{} acts on {}", injection.fault, injection.subject);
    if let Some(achieved) = injection.achieved {
        text += &format!(", for {}", show_duration(achieved));
    }
    if joined.impact != Impact::Unknown {
        text += &format!(" ({})", joined.impact);
    }
    text
}

/// Writes the timeline.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut impl Write, style: Style, trace: &Trace) -> io::Result<()> {
    let columns = style.columns();
    let Trace { n, due, faults, steps } = trace;
    let title = style.paint(Ink::Strong, format!("request {n}"));
    let due = due.map_or_else(|| "in the warm-up".to_owned(), |due| format!("at {}", show_duration(due)));
    writeln!(out, "{title}, due {due}")?;
    for fault in faults {
        write!(out, "{}", paragraph("  while ", fault, columns))?;
    }
    let times: Vec<_> = steps.iter().map(|step| format!("+{}", show_duration(step.at))).collect();
    let time_columns = times.iter().map(|time| width(time)).max().unwrap_or(0);
    let places = steps.iter().map(|step| width(&clean(&step.place))).filter(|place| *place <= WIDEST_PLACE);
    let place_columns = places.max().unwrap_or(0);
    let indent = 2 + time_columns + 3 + place_columns + 2;
    for (step, time) in steps.iter().zip(&times) {
        let (mark, place) = (if step.is_guess { "~" } else { " " }, clean(&step.place));
        // Requests and commands are shown as they came, and may have a token in them.
        let what = masked_text(&step.what);
        let head = format!("  {} {mark} ", right(time, time_columns));
        if width(&place) > place_columns {
            write!(out, "{}", paragraph(&head, &place, columns))?;
            write!(out, "{}", paragraph(&" ".repeat(indent), &what, columns))?;
        } else {
            let first = format!("{head}{}  ", left(&place, place_columns));
            write!(out, "{}", hanging(&first, indent, &what, columns))?;
        }
    }
    if steps.iter().any(|step| step.is_guess) {
        let guess = "taken to be this request's by time and name: nothing on the link says so";
        write!(out, "{}", paragraph("  ~ ", guess, columns))?;
    }
    Ok(())
}
