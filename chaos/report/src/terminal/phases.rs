//! The table of phases: what clients saw in each. Numbers are never cut: a name that leaves them no room has a line of
//! its own.

use super::run_state::RunState;
use crate::{
    Style,
    style::Ink,
    text::{clean, left, paragraph, right, width, wrap},
    words::count,
};
use chaos_model::{Share, event::PhaseFigures, phase::RUN, quantity::show_duration};
use std::time::Duration;

/// The table of phases, the whole run last.
pub(super) fn table(style: Style, run: &RunState) -> String {
    // The whole run last, as a sum stands below what it sums up.
    let (whole, parts): (Vec<_>, Vec<_>) = run.figures.iter().partition(|figures| figures.phase == RUN);
    let all: Vec<_> = parts.into_iter().chain(whole).collect();
    // Ages have a line of their own where there is no room for one more column.
    let aged = all.iter().any(|figures| figures.oldest.is_some_and(|oldest| !oldest.is_zero()));
    let (heads, rows, columns) = [aged, false]
        .map(|aged| columns(run, &all, aged))
        .into_iter()
        .find(|(_, _, columns)| within(columns, 1) <= style.columns())
        .unwrap_or_else(|| columns(run, &all, false));
    let beside = heads.contains(&"oldest");
    let gap = if within(&columns, 2) <= style.columns() { 2 } else { 1 };
    let room = ("phase".len() + style.columns()).saturating_sub(within(&columns, gap)).max("phase".len());
    let longest = all.iter().map(|figures| width(&clean(&figures.phase))).max().unwrap_or(0);
    let names = longest.max("phase".len()).min(room);

    let set = |cells: &mut dyn Iterator<Item = &str>| {
        cells.zip(&columns).map(|(cell, column)| right(cell, column + gap)).collect::<String>()
    };
    let head = format!("  {}{}", left("phase", names), set(&mut heads.iter().copied()));
    let so_far = run.so_far.map_or_else(String::new, |at| {
        let words = format!("so far: the recording ends {} into the timeline", show_duration(at));
        style.paint(Ink::Unsure, paragraph("  ", &words, style.columns()))
    });
    let mut text = format!("\n{so_far}{}\n", style.paint(Ink::Strong, head));
    for (figures, row) in all.iter().zip(&rows) {
        let numbers = set(&mut row.iter().map(String::as_str));
        let name = clean(&figures.phase);
        if width(&name) <= names {
            text += &format!("  {}{numbers}\n", left(&name, names));
        } else {
            text += &format!("{}  {}{numbers}\n", paragraph("  ", &name, style.columns()), " ".repeat(names));
        }
        text += &details(style, figures, beside);
    }
    for (service, fault) in &run.page_faults {
        let words = format!("metrics of {service}: {}", clean(fault));
        text += &style.paint(Ink::Unsure, paragraph("  ", &words, style.columns()));
    }
    text
}

/// Heads, cells and widths of the table.
type Columns = (Vec<&'static str>, Vec<Vec<String>>, Vec<usize>);

fn columns(run: &RunState, all: &[&PhaseFigures], aged: bool) -> Columns {
    let mut heads = vec!["when", "requests", "rate", "available", "p50", "p99"];
    // What the system has no marker for has no column: it was not looked at.
    if all.iter().any(|figures| figures.partial.is_some()) {
        heads.push("partial");
    }
    let stale = all.iter().any(|figures| figures.stale.is_some_and(|stale| stale > 0));
    if stale {
        heads.push("stale");
    }
    if aged {
        heads.push("oldest");
    }
    let rows: Vec<_> = all.iter().map(|figures| cells(run, figures, stale, aged)).collect();
    let column = |n: usize| rows.iter().map(|row| width(&row[n])).max().unwrap_or(0).max(heads[n].len());
    let columns = (0..heads.len()).map(column).collect();
    (heads, rows, columns)
}

/// The least width of a line, with this gap between columns.
fn within(columns: &[usize], gap: usize) -> usize {
    2 + "phase".len() + columns.iter().map(|column| column + gap).sum::<usize>()
}

fn cells(run: &RunState, figures: &PhaseFigures, stale: bool, aged: bool) -> Vec<String> {
    let window = run.window(figures);
    let made = (figures.arrivals + figures.straddled).saturating_sub(figures.missed);
    let answered = figures.statuses.values().sum::<u64>();
    let of_responses =
        |parts| if answered == 0 { "-".to_owned() } else { Share { parts, whole: figures.arrivals }.to_string() };
    let latency = |pick: fn(&chaos_model::event::LatencyFigures) -> Duration| {
        figures.latency.as_ref().map_or_else(|| "-".to_owned(), |latency| show_duration(pick(latency)))
    };
    let mut cells = vec![
        window.as_ref().map_or_else(|| "-".to_owned(), |(words, _)| words.clone()),
        figures.arrivals.to_string(),
        window.map_or_else(|| "-".to_owned(), |(_, length)| rate(made, length)),
        if figures.arrivals == 0 { "-".to_owned() } else { figures.availability().to_string() },
        latency(|latency| latency.p50),
        latency(|latency| latency.p99),
    ];
    cells.extend(figures.partial.map(of_responses));
    if stale {
        cells.push(figures.stale.map_or_else(|| "-".to_owned(), of_responses));
    }
    if aged {
        cells.push(figures.oldest.map_or_else(|| "-".to_owned(), show_duration));
    }
    cells
}

/// The rate in three digits, or as many as it takes.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn rate(times: u64, length: Duration) -> String {
    if length.is_zero() {
        return "-".to_owned();
    }
    match times as f64 / length.as_secs_f64() {
        whole if whole >= 99.95 => format!("{whole:.0}/s"),
        tenths if tenths >= 9.995 => format!("{tenths:.1}/s"),
        hundredths => format!("{hundredths:.2}/s"),
    }
}

/// Details that do not fit the table: statuses that are not 2xx, requests without a response, and what is counted apart.
fn details(style: Style, figures: &PhaseFigures, age_is_beside: bool) -> String {
    let mut lines = Vec::new();
    if let Some(oldest) = figures.oldest.filter(|oldest| !oldest.is_zero() && !age_is_beside) {
        lines.push((Ink::Faint, format!("oldest response: {}", show_duration(oldest))));
    }
    let other = figures.statuses.iter().filter(|(status, count)| !(200..300).contains(*status) && **count > 0);
    let other: Vec<_> = other.map(|(status, count)| format!("{count} x {status}")).collect();
    if !other.is_empty() {
        lines.push((Ink::Unsure, format!("status: {}", other.join(", "))));
    }
    if !figures.unanswered.is_empty() {
        let reasons: Vec<_> = figures.unanswered.iter().map(|(reason, count)| format!("{count} x {reason}")).collect();
        lines.push((Ink::Unsure, format!("no response: {}", reasons.join(", "))));
    }
    if figures.missed > 0 {
        lines.push((Ink::Unsure, format!("{} not made by the load generator", count(figures.missed, "arrival"))));
    }
    if figures.retried > 0 {
        let text =
            format!("{} tried again: a reused connection was closed as it went out", count(figures.retried, "request"));
        lines.push((Ink::Faint, text));
    }
    if figures.straddled > 0 {
        let text =
            format!("counted apart: {} in flight as a fault began or ended", count(figures.straddled, "request"));
        lines.push((Ink::Faint, text));
    }
    if let (true, Some(latency)) = (style.verbose, figures.latency) {
        let [p90, p999, max] = [latency.p90, latency.p999, latency.max].map(show_duration);
        lines.push((Ink::Faint, format!("p90 {p90}, p99.9 {p999}, slowest {max}")));
    }
    let indent = 6;
    let set = |(ink, text): &(Ink, String)| {
        let lines = wrap(text, style.columns() - indent);
        lines.iter().map(|line| format!("{}{}\n", " ".repeat(indent), style.paint(*ink, line))).collect::<String>()
    };
    lines.iter().map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_tried_again_is_told_where_there_is_any() {
        let told = |retried| {
            details(
                Style { width: 100, ..Style::default() },
                &PhaseFigures { retried, ..PhaseFigures::default() },
                false,
            )
        };
        assert_eq!(told(0), "");
        assert_eq!(told(1), "      1 request tried again: a reused connection was closed as it went out\n");
    }

    #[test]
    fn rates_keep_three_digits() {
        assert_eq!(rate(800, Duration::from_secs(4)), "200/s");
        assert_eq!(rate(50, Duration::from_secs(4)), "12.5/s");
        assert_eq!(rate(1, Duration::from_secs(4)), "0.25/s");
        assert_eq!(rate(1, Duration::ZERO), "-");
    }
}
