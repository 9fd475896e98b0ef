//! Progress of a run: on a terminal one line that is redrawn, else a line now and then.

use super::run_state::RunState;
use crate::{
    Style,
    progress::Progress,
    text::{NARROW, fit, paragraph, width},
};
use chaos_model::{Event, quantity::show_duration};
use std::time::Duration;

/// Time after which a line is due where it can't be redrawn. A change of phase brings one as well.
const EVERY: Duration = Duration::from_secs(5);
/// The columns of the bar, its ends not included: fewer say nothing,
const SHORTEST_BAR: usize = 4;
/// and more don't say more.
const WIDEST_BAR: usize = 20;
/// The columns of a phase's name that say which it is.
const LEAST_OF_A_NAME: usize = 8;

/// The line of progress.
#[derive(Debug)]
pub(super) struct Line {
    style: Style,
    /// The text that stands there now.
    shown: String,
    /// The time of the line that was printed last, and the phase then.
    printed: Option<(Duration, String)>,
}

/// Text around a section: what clears the line before it, and the line anew.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) before: String,
    pub(super) after: String,
}

impl Line {
    pub(super) fn new(style: Style) -> Self {
        Self { style, shown: String::new(), printed: None }
    }

    /// The text that an event changes; `section` says whether anything else is printed.
    pub(super) fn on(&mut self, run: &RunState, event: &Event, section: bool) -> Around {
        if matches!(event, Event::Begin(_)) {
            self.printed = None;
        }
        if self.style.live { self.redraw(run, event, section) } else { self.print(run, event) }
    }

    fn redraw(&mut self, run: &RunState, event: &Event, section: bool) -> Around {
        let next = match event {
            Event::Begin(_) => Some("  starting".to_owned()),
            Event::ServiceReady { .. } => Some(format!("  starting: {} ready", names(run))),
            Event::Ready { .. } => Some("  warming up".to_owned()),
            Event::Slice(_) => numbers(run, "sent").map(|numbers| bar(run, &numbers, self.style.width)),
            Event::Interrupted { by } => Some(format!("  {by}: taking everything down")),
            Event::WorldFailed { .. } => Some("  the world failed: taking everything down".to_owned()),
            Event::Phase(_) | Event::TornDown { .. } | Event::End { .. } | Event::Judged(_) => Some(String::new()),
            _ => None,
        };
        if next.is_none() && !section {
            return Around::default();
        }
        let before = match width(&self.shown) {
            0 => String::new(),
            columns => format!("\r{}\r", " ".repeat(columns)),
        };
        if let Some(next) = next {
            self.shown = fit(&next, self.style.width.saturating_sub(1));
        }
        Around { before, after: self.shown.clone() }
    }

    fn print(&mut self, run: &RunState, event: &Event) -> Around {
        // Lines that stand below each other read as if each had its own sum.
        let (Event::Slice(slice), Some(numbers)) = (event, numbers(run, "sent so far")) else {
            return Around::default();
        };
        // A slice lies in one phase, and its end in the next one.
        let (at, phase) = (slice.to, run.phase_at(slice.from, &slice.restarting));
        let due = self.printed.as_ref().is_none_or(|(last, in_phase)| at >= *last + EVERY || *in_phase != phase);
        if !due {
            return Around::default();
        }
        let columns = self.style.columns();
        let (stamp, room) = (format!("{:>6.1}s  ", at.as_secs_f64()), columns.saturating_sub(11 + width(&numbers)));
        let line = if room < 2 || (columns < NARROW && room < width(&phase).min(LEAST_OF_A_NAME)) {
            paragraph(&stamp, &format!("{phase}: {numbers}"), columns)
        } else {
            format!("{stamp}{}: {numbers}\n", fit(&phase, room))
        };
        self.printed = Some((at, phase));
        Around { before: String::new(), after: line }
    }
}

fn names(run: &RunState) -> String {
    run.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// `840 sent, 838 good, 2 bad, p99 4.2ms`
fn numbers(run: &RunState, sent: &str) -> Option<String> {
    run.begin.as_ref()?;
    let Progress { due, good, bad, p99, .. } = &run.progress;
    let p99 = p99.map_or_else(String::new, |p99| format!(", p99 {}", show_duration(p99)));
    Some(format!("{due} {sent}, {good} good, {bad} bad{p99}"))
}

/// Bar, time, phase and numbers, in less than `columns`: what is not a number gives way. The bar's length depends on
/// nothing that changes from one moment to the next, so that it doesn't jump.
fn bar(run: &RunState, numbers: &str, columns: usize) -> String {
    let Progress { at, due, .. } = run.progress.clone();
    let whole = run.duration();
    let time = format!("{:.1}/{}", at.as_secs_f64(), show_duration(whole));
    let phase = run.phase_at(at, &run.progress.restarting);
    let phases = run.begin.iter().flat_map(|begin| &begin.phases);
    let longest = phases.map(|phase| width(&phase.name)).max().unwrap_or(0).min(24);
    // As wide as the numbers will get, so that the bar does not jump when they do.
    let digits = due.to_string().len().max(4);
    let rest = width(&show_duration(whole)) + 6 + longest + 2 * digits + " sent,  good, 999 bad, p99 99.9ms".len();
    let room = columns.saturating_sub(rest + "  [] : ".len() + 2).min(WIDEST_BAR);
    let bar = if room < SHORTEST_BAR { String::new() } else { drawn(at, whole, room) };
    let room = columns.saturating_sub(1 + 2 + width(&bar) + width(&time) + 2 + 2 + width(numbers));
    format!("  {bar}{time}  {}: {numbers}", fit(&phase, room))
}

fn drawn(at: Duration, whole: Duration, columns: usize) -> String {
    let full = at.as_millis().saturating_mul(columns as u128) / whole.as_millis().max(1);
    let full = usize::try_from(full).unwrap_or(columns).min(columns);
    format!("[{}{}] ", "=".repeat(full), " ".repeat(columns - full))
}
