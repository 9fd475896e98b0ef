//! The table of phases: what clients saw in each. Numbers are never cut: a name that leaves them no room has a line of
//! its own.

use super::run_state::RunState;
use crate::{
    Style,
    style::Ink,
    text::{clean, fit, left, paragraph, right, width, wrap},
    words::count,
};
use chaos_model::{
    Share,
    event::{InstanceFigures, PhaseFigures},
    phase::RUN,
    quantity::show_duration,
};
use std::{collections::BTreeMap, time::Duration};

/// The most lines of instances below a phase,
const MOST_INSTANCES: usize = 4;
/// and the most columns of their names.
const WIDEST_INSTANCE: usize = 24;

/// The table of phases, the whole run last.
pub(super) fn table(style: Style, run: &RunState) -> String {
    let all = in_order(run);
    // Ages have a line of their own where there is no room for one more column.
    let aged = all.iter().any(|figures| figures.oldest.is_some_and(|oldest| !oldest.is_zero()));
    let fits = |(_, _, columns): &Columns| within(columns, 1) <= style.columns();
    let Some((heads, rows, columns)) = [aged, false].map(|aged| columns(run, &all, aged)).into_iter().find(fits) else {
        return stacked(style, run, &all, aged);
    };
    let beside = heads.contains(&"oldest");
    // In a phase in which only one responds, that is what is to be seen.
    let several = all.iter().any(|figures| figures.instances.len() > 1);
    let gap = if within(&columns, 2) <= style.columns() { 2 } else { 1 };
    let room = ("phase".len() + style.columns()).saturating_sub(within(&columns, gap)).max("phase".len());
    let longest = all.iter().map(|figures| width(&clean(&figures.phase))).max().unwrap_or(0);
    let names = longest.max("phase".len()).min(room);

    let set = |cells: &mut dyn Iterator<Item = &str>| {
        cells.zip(&columns).map(|(cell, column)| right(cell, column + gap)).collect::<String>()
    };
    let head = format!("  {}{}", left("phase", names), set(&mut heads.iter().copied()));
    let mut text = format!("\n{}{}\n", so_far(style, run), style.paint(Ink::Strong, head));
    for (figures, row) in all.iter().zip(&rows) {
        let numbers = set(&mut row.iter().map(String::as_str));
        let name = clean(&figures.phase);
        if width(&name) <= names {
            text += &format!("  {}{numbers}\n", left(&name, names));
        } else {
            text += &format!("{}  {}{numbers}\n", paragraph("  ", &name, style.columns()), " ".repeat(names));
        }
        text += &details(style, figures, (beside, several));
    }
    text + &page_faults(style, run)
}

/// A phase as the table has it.
pub(crate) struct Row {
    pub(crate) name: String,
    /// Its figures, below the table's heads.
    pub(crate) cells: Vec<String>,
    /// Lines that do not fit the table.
    pub(crate) details: Vec<String>,
}

/// The heads of the table and its rows, for reports that set them otherwise.
pub(crate) fn rows(run: &RunState) -> (Vec<&'static str>, Vec<Row>) {
    let all = in_order(run);
    let aged = all.iter().any(|figures| figures.oldest.is_some_and(|oldest| !oldest.is_zero()));
    let (heads, rows, _) = columns(run, &all, aged);
    let several = all.iter().any(|figures| figures.instances.len() > 1);
    let style = Style { width: usize::MAX / 2, verbose: true, ..Style::default() };
    let row = |(figures, cells): (&&PhaseFigures, Vec<String>)| Row {
        name: figures.phase.clone(),
        cells,
        details: details(style, figures, (aged, several)).lines().map(|line| line.trim().to_owned()).collect(),
    };
    (heads, all.iter().zip(rows).map(row).collect())
}

/// The phases, and the whole run last, as a sum stands below what it sums up.
fn in_order(run: &RunState) -> Vec<&PhaseFigures> {
    let (whole, parts): (Vec<_>, Vec<_>) = run.figures.iter().partition(|figures| figures.phase == RUN);
    parts.into_iter().chain(whole).collect()
}

/// The phases one below the other, each with its figures by name, where lines are too narrow for a table.
fn stacked(style: Style, run: &RunState, all: &[&PhaseFigures], aged: bool) -> String {
    let (heads, rows, _) = columns(run, all, aged);
    let several = all.iter().any(|figures| figures.instances.len() > 1);
    let mut text = format!("\n{}{}\n", so_far(style, run), style.paint(Ink::Strong, "  phases"));
    for (figures, row) in all.iter().zip(&rows) {
        let cells: Vec<String> = heads.iter().zip(row).map(|(head, cell)| format!("{head} {cell}")).collect();
        text += &paragraph("  ", &figures.phase, style.columns());
        text += &paragraph("    ", &cells.join(", "), style.columns());
        text += &details(style, figures, (aged, several));
    }
    text + &page_faults(style, run)
}

/// The words for figures that are not all, since the recording ends before the run does.
fn so_far(style: Style, run: &RunState) -> String {
    until(run).map_or_else(String::new, |words| style.paint(Ink::Unsure, paragraph("  ", &words, style.columns())))
}

/// The moment until which there are figures, in words, where that is not the run's end.
pub(crate) fn until(run: &RunState) -> Option<String> {
    run.so_far.map(|at| format!("so far: the recording ends {} into the timeline", show_duration(at)))
}

/// The faults of pages of metrics.
fn page_faults(style: Style, run: &RunState) -> String {
    let faults = reading_faults(run);
    faults.map(|words| style.paint(Ink::Unsure, paragraph("  ", &words, style.columns()))).collect()
}

/// The same in words, one a service.
pub(crate) fn reading_faults(run: &RunState) -> impl Iterator<Item = String> {
    run.page_faults.iter().map(|(service, fault)| format!("metrics of {service}: {}", clean(fault)))
}

/// Heads, cells and widths of the table.
type Columns = (Vec<&'static str>, Vec<Vec<String>>, Vec<usize>);

fn columns(run: &RunState, all: &[&PhaseFigures], aged: bool) -> Columns {
    let mut heads = vec!["when", "requests", "rate", "available", "p50", "p99"];
    // What the system has no marker for has no column: it was not looked at.
    let partial = all.iter().any(|figures| figures.partial.is_some());
    if partial {
        heads.push("partial");
    }
    let stale = all.iter().any(|figures| figures.stale.is_some_and(|stale| stale > 0));
    if stale {
        heads.push("stale");
    }
    if aged {
        heads.push("oldest");
    }
    let rows: Vec<_> = all.iter().map(|figures| cells(run, figures, [partial, stale, aged])).collect();
    let column = |n: usize| rows.iter().map(|row| width(&row[n])).max().unwrap_or(0).max(heads[n].len());
    let columns = (0..heads.len()).map(column).collect();
    (heads, rows, columns)
}

/// The least width of a line, with this gap between columns.
fn within(columns: &[usize], gap: usize) -> usize {
    2 + "phase".len() + columns.iter().map(|column| column + gap).sum::<usize>()
}

/// A row, with the columns that not every table has where it has them.
fn cells(run: &RunState, figures: &PhaseFigures, [partial, stale, aged]: [bool; 3]) -> Vec<String> {
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
    if partial {
        cells.push(figures.partial.map_or_else(|| "-".to_owned(), of_responses));
    }
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

/// A line an instance: `web-1: 200 responses, 98.5% good, p50 4ms, p99 9ms`. Of many, those that fared worst, and the others
/// together.
fn instances(all: &BTreeMap<String, InstanceFigures>) -> Vec<(Ink, String)> {
    let mut shown: Vec<_> = all.iter().collect();
    let mut rest = Vec::new();
    if shown.len() > MOST_INSTANCES {
        let slowness = |figures: &InstanceFigures| figures.latency.map(|latency| latency.p99);
        shown.sort_by(|(_, one), (_, other)| {
            let good = (one.good * other.responses).cmp(&(other.good * one.responses));
            good.then_with(|| slowness(other).cmp(&slowness(one)))
        });
        rest = shown.split_off(MOST_INSTANCES - 1);
        shown.sort_by_key(|(name, _)| *name);
    }
    let ink = |figures: &InstanceFigures| if figures.good < figures.responses { Ink::Unsure } else { Ink::Faint };
    let words =
        |figures: &InstanceFigures| format!("{}, {} good", count(figures.responses, "response"), figures.share());
    let line = |(name, figures): &(&String, &InstanceFigures)| {
        let latency = figures.latency.map_or_else(String::new, |latency| {
            format!(", p50 {}, p99 {}", show_duration(latency.p50), show_duration(latency.p99))
        });
        (ink(figures), format!("{}: {}{latency}", fit(name, WIDEST_INSTANCE), words(figures)))
    };
    let mut lines: Vec<_> = shown.iter().map(line).collect();
    if !rest.is_empty() {
        let (responses, good) =
            rest.iter().fold((0, 0), |(all, good), (_, one)| (all + one.responses, good + one.good));
        let others = InstanceFigures { responses, good, latency: None };
        lines.push((ink(&others), format!("{} more: {}", rest.len(), words(&others))));
    }
    lines
}

/// Details that do not fit the table: statuses that are not 2xx, requests without a response, and what is counted apart.
fn details(style: Style, figures: &PhaseFigures, (age_is_beside, by_instance): (bool, bool)) -> String {
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
        let text = format!(
            "{} tried again: a connection that had idled was closed as it went out",
            count(figures.retried, "request")
        );
        lines.push((Ink::Faint, text));
    }
    if figures.straddled > 0 {
        let text =
            format!("counted apart: {} in flight as a fault began or ended", count(figures.straddled, "request"));
        lines.push((Ink::Faint, text));
    }
    if figures.not_reached > 0 {
        let text = format!(
            "counted apart: {} not reached, since a step before had failed",
            count(figures.not_reached, "step")
        );
        lines.push((Ink::Unsure, text));
    }
    if let (true, Some(latency)) = (style.verbose, figures.latency) {
        let [p90, p999, max] = [latency.p90, latency.p999, latency.max].map(show_duration);
        lines.push((Ink::Faint, format!("p90 {p90}, p99.9 {p999}, slowest {max}")));
    }
    if by_instance {
        lines.append(&mut instances(&figures.instances));
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
    use chaos_model::event::LatencyFigures;

    #[test]
    fn what_was_tried_again_is_told_where_there_is_any() {
        let told = |retried| {
            details(
                Style { width: 100, ..Style::default() },
                &PhaseFigures { retried, ..PhaseFigures::default() },
                (false, false),
            )
        };
        assert_eq!(told(0), "");
        assert_eq!(told(1), "      1 request tried again: a connection that had idled was closed as it went out\n");
    }

    #[test]
    fn steps_that_were_not_reached_are_counted_apart() {
        let figures = PhaseFigures { not_reached: 12, ..PhaseFigures::default() };
        let told = details(Style { width: 100, ..Style::default() }, &figures, (false, false));
        assert_eq!(told, "      counted apart: 12 steps not reached, since a step before had failed\n");
    }

    #[test]
    fn of_many_instances_those_that_fared_worst_are_told() {
        let of = |responses, good, ms| {
            let time = Duration::from_millis(ms);
            let latency = LatencyFigures { p50: time, p90: time, p99: time, p999: time, max: time };
            InstanceFigures { responses, good, latency: Some(latency) }
        };
        let mut all = BTreeMap::from([("a".to_owned(), of(200, 200, 4)), ("b".to_owned(), of(1, 1, 4))]);
        let told = |all: &BTreeMap<_, _>| instances(all).into_iter().map(|(_, line)| line).collect::<Vec<_>>();
        let first = "a: 200 responses, 100% good, p50 4ms, p99 4ms";
        assert_eq!(told(&all), [first, "b: 1 response, 100% good, p50 4ms, p99 4ms"]);
        all.extend([
            ("c".to_owned(), of(100, 50, 4)),
            ("d".to_owned(), of(100, 100, 9)),
            ("e".to_owned(), of(9, 3, 1)),
        ]);
        assert_eq!(
            told(&all),
            [
                "c: 100 responses, 50% good, p50 4ms, p99 4ms",
                "d: 100 responses, 100% good, p50 9ms, p99 9ms",
                "e: 9 responses, 33.33% good, p50 1ms, p99 1ms",
                "2 more: 201 responses, 100% good",
            ]
        );
    }

    #[test]
    fn rates_keep_three_digits() {
        assert_eq!(rate(800, Duration::from_secs(4)), "200/s");
        assert_eq!(rate(50, Duration::from_secs(4)), "12.5/s");
        assert_eq!(rate(1, Duration::from_secs(4)), "0.25/s");
        assert_eq!(rate(1, Duration::ZERO), "-");
    }
}
