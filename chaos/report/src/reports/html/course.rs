//! The course of a run: its phases and when each fault acts, as bars on one axis. Set by the page's style, so that names stay
//! readable however narrow it is.

use super::{
    chart::{self, Mark},
    parts,
};
use crate::{terminal::RunState, text::html, words};
use chaos_model::{PhaseKind, quantity::show_duration};
use std::time::Duration;

/// Bars that are shown; of more faults the first ones.
const MOST: usize = 16;
/// Pieces of a bar; of a fault that comes and goes more often the whole is shown.
const MOST_PIECES: usize = 60;

/// A bar: its name, when it is in words, and its pieces.
struct Bar {
    name: String,
    when: String,
    is_fault: bool,
    pieces: Vec<(Duration, Duration)>,
}

/// The bars; empty where there is nothing to show.
pub(super) fn of(state: &RunState) -> String {
    let length = state.duration();
    let mut bars = bars(state);
    if bars.is_empty() || length.is_zero() {
        return String::new();
    }
    let more = bars.len().saturating_sub(MOST);
    bars.truncate(MOST);
    let marks = parts::marks(state);
    let rows: String = bars.iter().map(|bar| row(bar, &marks, length)).collect();
    let more = if more == 0 { String::new() } else { format!("<p class=\"faint\">and {more} more</p>\n") };
    let ticks: String = chart::time_ticks(length.as_secs_f64(), 4)
        .into_iter()
        .filter(|at| *at < length.as_secs_f64() * 0.97)
        .map(|at| {
            let left = share(Duration::from_secs_f64(at), length);
            format!("<span style=\"left:{left}%\">{}</span>", chart::time(at))
        })
        .collect();
    format!("<div class=\"course\">\n{rows}<div class=\"axis\" aria-hidden=\"true\"><i></i><div>{ticks}</div></div></div>\n{more}")
}

fn bars(state: &RunState) -> Vec<Bar> {
    let phases = state.begin.iter().flat_map(|begin| &begin.phases);
    let phases = phases.filter(|phase| !matches!(phase.kind, PhaseKind::Run | PhaseKind::Fault));
    // One that never came about has no figures.
    let is_told = |name: &str| state.figures.is_empty() || state.figures.iter().any(|figures| figures.phase == name);
    let phases = phases.filter(|phase| is_told(&phase.name));
    let mut bars: Vec<Bar> = phases
        .map(|phase| {
            // Some last until something has come about, which is known afterwards.
            let figures = state.figures.iter().find(|figures| figures.phase == phase.name);
            let time = figures.and_then(|figures| figures.time);
            let (from, to) = time.map_or((phase.from, phase.to), |time| (time.from, time.to));
            let when = format!("{}..{}", show_duration(from), show_duration(to));
            Bar { name: phase.name.clone(), when, is_fault: false, pieces: vec![(from, to)] }
        })
        .collect();
    if !state.is_control() {
        bars.extend(state.plans().iter().map(|plan| {
            let mut pieces: Vec<_> = plan.windows().take(MOST_PIECES + 1).collect();
            if pieces.len() > MOST_PIECES {
                pieces = vec![(plan.at, plan.ends())];
            }
            Bar { name: plan.name.clone(), when: words::window(plan), is_fault: true, pieces }
        }));
    }
    // In the order of time, as one reads it.
    bars.sort_by_key(|bar| bar.pieces.first().map(|(from, _)| *from));
    bars
}

fn row(bar: &Bar, marks: &[Mark], length: Duration) -> String {
    let class = if bar.is_fault { "fault" } else { "phase" };
    let piece = |(from, to): &(Duration, Duration)| {
        let (left, right) = (share(*from, length), share(*to, length));
        format!("<span style=\"left:{left}%;width:{}%\"></span>", tenths(right - left))
    };
    let pieces: String = bar.pieces.iter().map(piece).collect();
    // A mark's words begin with the name of its fault.
    let own = marks.iter().filter(|mark| bar.is_fault && mark.words.starts_with(&format!("{}: ", bar.name)));
    let own: String = own
        .map(|mark| {
            let (left, words) = (share(mark.at.min(length), length), html(&mark.words));
            format!("<em style=\"left:{left}%;background:var(--{})\" title=\"{words}\"></em>", mark.ink.name())
        })
        .collect();
    format!(
        "<div class=\"{class}\"><i>{} <small>{}</small></i><div aria-hidden=\"true\">{pieces}{own}</div></div>\n",
        html(&bar.name),
        html(&bar.when)
    )
}

/// The place of a moment on the axis, in percent.
fn share(at: Duration, length: Duration) -> f64 {
    tenths(100.0 * at.as_secs_f64() / length.as_secs_f64())
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
