//! Parts of a run's section: why it has its outcome, what was expected, what clients saw over time, what faults did.

use super::{
    chart::{self, Axis, BAD, FIRST, Frame, GOOD, Line, Mark, SECOND, THIRD, Tip},
    met::Met,
    verdict,
};
use crate::{
    ControlResult, GuardResult, Outcome,
    results::Run,
    series::{Point, Series},
    terminal::{self, RunState},
    text::{html, prose},
    words,
};
use chaos_model::{
    Verdict,
    event::{Judged, JudgedCheck, ShownResponse},
    ledger::Recovery,
    quantity::show_duration,
    responses::Marker,
};
use std::{collections::BTreeMap, time::Duration};

/// Reasons that are no expectation's.
pub(super) fn reasons(run: &Run) -> String {
    let mut items: Vec<String> = run.inconclusive.iter().map(|why| prose(why)).collect();
    items.extend(run.leftovers().iter().map(|line| prose(line)));
    list(&items)
}

fn list(items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.iter().map(|item| format!("<li>{item}</li>")).collect();
    format!("<ul>{items}</ul>\n")
}

/// Each expectation with its lines of the file; open where it did not hold.
pub(super) fn expectations(run: &Run) -> String {
    if run.judged.is_empty() {
        return "<p class=\"faint\">None was judged.</p>\n".to_owned();
    }
    let mut text = String::new();
    for judged in &run.judged {
        text += &expectation(run, judged);
    }
    let elsewhere: Vec<String> =
        run.begin.elsewhere.iter().map(|that| prose(&format!("not judged in the world {}: {that}", run.begin.world))).collect();
    text + &list(&elsewhere)
}

fn expectation(run: &Run, judged: &Judged) -> String {
    let open = if judged.verdict == Verdict::Pass { "" } else { " open" };
    let mut text = format!(
        "<details{open}><summary>{} {} <span class=\"faint\">({})</span></summary>\n",
        verdict(Outcome::Verdict(judged.verdict)),
        html(&judged.that),
        html(&judged.when)
    );
    text += "<div class=\"scroll wrap\" tabindex=\"0\" role=\"group\" aria-label=\"comparisons\"><table><thead><tr><th scope=\"col\">verdict</th><th scope=\"col\">expected</th><th scope=\"col\">seen</th></tr></thead><tbody>\n";
    for check in &judged.checks {
        text += &comparison(check);
    }
    text += "</tbody></table></div>\n";
    text + &excerpt(run, judged) + "</details>\n"
}

fn comparison(check: &JudgedCheck) -> String {
    let mut text = format!(
        "<tr><td>{}</td><td><code>{}</code></td><td>{}</td></tr>\n",
        verdict(Outcome::Verdict(check.verdict)),
        html(&check.expected),
        html(&words::seen(check))
    );
    let mut more: Vec<String> = check.note.iter().map(|note| prose(note)).collect();
    more.extend(check.against.responses.iter().map(response));
    if !more.is_empty() {
        text += &format!("<tr class=\"detail\"><td></td><td colspan=\"2\">{}</td></tr>\n", more.join("<br>"));
    }
    text
}

/// A response that speaks against a comparison.
fn response(response: &ShownResponse) -> String {
    let [request, came] = terminal::response_words(response);
    let from = response.instance.iter().map(|instance| format!("<br>from {}", html(instance))).collect::<String>();
    let body = response.body.iter().map(|body| format!("<br><code>{}</code>", html(body))).collect::<String>();
    format!("{}<br>{}{from}{body}", html(&request), html(&came))
}

/// The lines of the scenario that an expectation stands in, its comparisons marked.
fn excerpt(run: &Run, judged: &Judged) -> String {
    let sources = &run.begin.plan.sources;
    let Some(place) = run.place(judged) else { return String::new() };
    let Some(source) = sources.0.get(place.span.source) else { return String::new() };
    let lines: Vec<usize> = judged
        .checks
        .iter()
        .filter(|check| check.span.source == place.span.source)
        .map(|check| sources.position(&check.span).1)
        .collect();
    let first = lines.iter().copied().chain([place.line]).min().unwrap_or(place.line);
    let last = lines.iter().copied().chain([place.line]).max().unwrap_or(place.line);
    // A list of comparisons is short; a file without line ends is not.
    let shown = source.text.lines().enumerate().skip(first.saturating_sub(1)).take((last + 1 - first).min(40));
    let failed: Vec<usize> = judged
        .checks
        .iter()
        .filter(|check| check.verdict != Verdict::Pass)
        .map(|check| sources.position(&check.span).1)
        .collect();
    let line = |(n, line): (usize, &str)| {
        let line = html(line);
        let line = if failed.contains(&(n + 1)) { format!("<mark>{line}</mark>") } else { line };
        format!("<span class=\"line\">{:>4} </span>{line}", n + 1)
    };
    let shown: Vec<String> = shown.map(line).collect();
    format!("<p class=\"faint\">{}</p><pre>{}</pre>\n", html(&place.file), shown.join("\n"))
}

/// Proofs of guards, and the comparison with a control.
pub(super) fn guards(run: &Run) -> String {
    let guards = run.guards.iter().map(guard).collect::<String>();
    guards + &run.control.iter().map(control).collect::<String>()
}

fn guard(result: &GuardResult) -> String {
    let lines: Vec<String> = result.lines().into_iter().map(|(what, that)| prose(&format!("{what}{that}"))).collect();
    format!("<p>{} without {}</p>{}", verdict(result.outcome()), html(&result.without), list(&lines))
}

fn control(result: &ControlResult) -> String {
    let one = |one: &crate::summary::Compared| {
        let words = if one.with == one.without { "the same without faults" } else { "differs without faults" };
        html(&format!("{words}: {} ({} with, {} without)", one.that, one.with, one.without))
    };
    let lines: Vec<String> = result.expectations.iter().map(one).collect();
    format!("<p>{} with and without faults</p>{}", verdict(result.outcome()), list(&lines))
}

/// Points of a run, and those of the earlier run that it is compared with.
#[derive(Clone, Copy)]
struct Points<'a> {
    now: &'a [Point],
    then: &'a [Point],
}

impl<'a> Points<'a> {
    fn all(self) -> impl Iterator<Item = &'a Point> {
        self.now.iter().chain(self.then)
    }

    /// The earlier point at the middle of this one.
    fn then_at(self, point: &Point) -> Option<&'a Point> {
        let middle = (point.from + point.to) / 2;
        self.then.iter().find(|then| then.from <= middle && middle < then.to)
    }
}

/// The timeline as clients saw it, as charts with the numbers below; of the run that it is compared with, lines are dashed.
pub(super) fn timeline(state: &RunState, series: &Series, earlier: Option<&Series>) -> String {
    let points = Points { now: &series.points, then: earlier.map_or(&[], |earlier| &earlier.points) };
    if points.now.is_empty() {
        return String::new();
    }
    let (bands, marks) = (bands(state), marks(state));
    let length = state.duration().max(points.now.last().map(|point| point.to).unwrap_or_default());
    let frame = Frame { length, bands: &bands, marks: &marks };
    let mut text = String::from("<p class=\"faint legend\">");
    if !bands.is_empty() {
        text += "<b class=\"band\"></b>faults act";
    }
    for ink in [BAD, GOOD].into_iter().filter(|ink| marks.iter().any(|mark| mark.ink == *ink)) {
        let words = if ink == BAD { "the first bad response" } else { "as before" };
        text += &format!("<b class=\"mark\" style=\"border-color:var(--{})\"></b>{words}", ink.name());
    }
    if !points.then.is_empty() {
        text += " Dashed: the earlier run.";
    }
    text += "</p>\n<div class=\"charts\">\n";
    text += &requests(points, &frame);
    text += &shares(points, &frame, state.markers());
    text += &latencies(points, &frame);
    text += &heat(points.now, &frame);
    text += &in_flight(points, &frame);
    for (name, readings) in &series.metrics {
        let then = earlier.and_then(|earlier| earlier.metrics.get(name)).map_or(&[][..], Vec::as_slice);
        text += &metric(name, (readings, then), &frame);
    }
    text += "</div>\n";
    text += &numbers("The numbers", points.now, state.markers());
    if !points.then.is_empty() {
        text += &numbers("The numbers of the earlier run", points.then, state.markers());
    }
    text
}

/// The stretches in which faults act, those that overlap or nearly touch as one.
fn bands(state: &RunState) -> Vec<(Duration, Duration)> {
    if state.is_control() {
        return Vec::new();
    }
    let near = state.duration() / 300;
    let mut all: Vec<_> = state.plans().iter().flat_map(chaos_model::Fault::windows).collect();
    all.sort_unstable();
    let mut merged: Vec<(Duration, Duration)> = Vec::new();
    for (from, to) in all {
        match merged.last_mut() {
            Some(last) if from <= last.1 + near => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// When a fault was detected, and when responses were as before; of many faults none is marked.
pub(super) fn marks(state: &RunState) -> Vec<Mark> {
    let mut marks = Vec::new();
    if state.plans().len() > 4 {
        return marks;
    }
    for plan in state.plans() {
        let Some(figures) = state.fault_figures.get(&plan.name) else { continue };
        if let Some(detected) = figures.detected {
            let words = format!("{}: the first bad response, after {}", plan.name, show_duration(detected));
            marks.push(Mark { at: plan.at + detected, ink: BAD, words });
        }
        if let Recovery::After { took } = figures.recovery {
            let words = format!("{}: responses are as before, {} after its end", plan.name, show_duration(took));
            marks.push(Mark { at: plan.ends() + took, ink: GOOD, words });
        }
    }
    marks
}

/// A chart in its frame, with what its lines are.
fn figure(caption: &str, lines: &[Line], chart: &str) -> String {
    let legend = |line: &Line| {
        let thin = if line.thin { " class=\"thin\"" } else { "" };
        format!("<span><b{thin} style=\"border-color:var(--{})\"></b>{}</span> ", line.ink.name(), html(line.name))
    };
    let mut legend: String = lines.iter().filter(|line| !line.then).map(legend).collect();
    if lines.iter().any(|line| line.then) {
        legend += "<b class=\"then\"></b>earlier run";
    }
    format!("<figure><figcaption>{}<span class=\"legend\">{legend}</span></figcaption>{chart}</figure>\n", html(caption))
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn span(point: &Point) -> String {
    format!("{} to {}", chart::moment(point.from), chart::moment(point.to))
}

fn tips(points: Points<'_>, words: impl Fn(&Point) -> String) -> Vec<Tip> {
    let tip = |point: &Point| {
        let then = points.then_at(point).map_or_else(String::new, |then| format!("; earlier run: {}", words(then)));
        let words = format!("{}: {}{then}", span(point), words(point));
        Tip { from: seconds(point.from), to: seconds(point.to), words }
    };
    points.now.iter().map(tip).collect()
}

/// Lines through the middles of stretches: of each run that there are points of, the earlier one first, so that it is below.
fn line(
    points: Points<'_>,
    (name, ink, thin): (&'static str, chart::Ink, bool),
    value: impl Fn(&Point) -> Option<f64>,
) -> Vec<Line> {
    let middle = |point: &Point| (seconds(point.from) + seconds(point.to)) / 2.0;
    let runs = [(points.then, true), (points.now, false)].into_iter().filter(|(points, _)| !points.is_empty());
    runs.map(|(points, then)| {
        let values = points.iter().map(|point| (middle(point), value(point))).collect();
        Line { name, ink, thin, then, values }
    })
    .collect()
}

fn most(lines: &[Line]) -> f64 {
    lines.iter().flat_map(|line| &line.values).filter_map(|(_, value)| *value).fold(0.0, f64::max)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn rate(count: u64, point: &Point) -> f64 {
    count as f64 / point.seconds()
}

fn show_rate(rate: f64) -> String {
    if rate >= 10.0 || rate == 0.0 { format!("{rate:.0}/s") } else { format!("{rate:.1}/s") }
}

fn requests(points: Points<'_>, frame: &Frame<'_>) -> String {
    let bad = |point: &Point| point.counts.due.saturating_sub(point.counts.good);
    let lines = [
        line(points, ("requests", FIRST, false), |point| Some(rate(point.counts.due, point))),
        line(points, ("not good", BAD, false), |point| Some(rate(bad(point), point))),
    ]
    .concat();
    let words = |point: &Point| {
        format!("{}, of {} requests {} not good", show_rate(rate(point.counts.due, point)), point.counts.due, bad(point))
    };
    let chart = chart::lines("requests a second", frame, &Axis::to(most(&lines), show_rate), &lines, &tips(points, words));
    figure("Requests a second", &lines, &chart)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn percent(parts: u64, point: &Point) -> Option<f64> {
    (point.counts.due > 0).then(|| parts as f64 * 100.0 / point.counts.due as f64)
}

fn show_percent(percent: f64) -> String {
    format!("{}%", (percent * 10.0).round() / 10.0)
}

fn shares(points: Points<'_>, frame: &Frame<'_>, markers: &[Marker]) -> String {
    let mut lines = line(points, ("available", GOOD, false), |point| percent(point.counts.good, point));
    if markers.contains(&Marker::Partial) {
        lines.extend(line(points, ("partial", SECOND, false), |point| percent(point.counts.partial, point)));
    }
    if markers.contains(&Marker::Stale) {
        lines.extend(line(points, ("stale", THIRD, true), |point| percent(point.counts.stale, point)));
    }
    let words = |point: &Point| {
        let shown = |name: &str, parts| percent(parts, point).map(|share| format!("{name} {}", show_percent(share)));
        let mut all = vec![shown("available", point.counts.good)];
        all.push(shown("partial", point.counts.partial).filter(|_| markers.contains(&Marker::Partial)));
        all.push(shown("stale", point.counts.stale).filter(|_| markers.contains(&Marker::Stale)));
        all.into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    let axis = Axis { low: 0.0, high: 105.0, ticks: vec![0.0, 25.0, 50.0, 75.0, 100.0], label: show_percent };
    let chart = chart::lines("shares of requests", frame, &axis, &lines, &tips(points, words));
    figure("Availability", &lines, &chart)
}

/// A latency on the axis: the decimal logarithm of milliseconds.
fn log_ms(latency: Duration) -> f64 {
    (latency.as_secs_f64() * 1000.0).max(0.01).log10()
}

fn show_log_ms(value: f64) -> String {
    Duration::try_from_secs_f64(10_f64.powf(value) / 1000.0).map_or_else(|_| String::new(), show_duration)
}

/// An axis of whole decades that all these latencies are within.
fn latency_axis<'a>(points: impl Iterator<Item = &'a Point>) -> Axis {
    let edges = points.flat_map(|point| point.latency().buckets().map(|(edge, _)| log_ms(edge)));
    let (low, high) = edges.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = if low > high { (0.0, 1.0) } else { (low.floor(), high.ceil().max(low.floor() + 1.0)) };
    let mut ticks = vec![low];
    while ticks.last().is_some_and(|last| *last < high - 0.5) {
        ticks.extend(ticks.last().map(|last| last + 1.0));
    }
    Axis { low, high, ticks, label: show_log_ms }
}

fn latencies(points: Points<'_>, frame: &Frame<'_>) -> String {
    let percentile = |point: &Point, thousandths| point.latency().percentile(thousandths);
    let lines = [
        line(points, ("p50", FIRST, false), |point| percentile(point, 50_000).map(log_ms)),
        line(points, ("p99", SECOND, false), |point| percentile(point, 99_000).map(log_ms)),
        line(points, ("slowest", BAD, true), |point| point.latency().max().map(log_ms)),
    ]
    .concat();
    let words = |point: &Point| {
        let all = [("p50", percentile(point, 50_000)), ("p99", percentile(point, 99_000)), ("slowest", point.latency().max())];
        let shown = all.into_iter().filter_map(|(name, time)| Some(format!("{name} {}", show_duration(time?))));
        shown.collect::<Vec<_>>().join(", ")
    };
    let chart = chart::lines("latency over time", frame, &latency_axis(points.all()), &lines, &tips(points, words));
    figure("Latency", &lines, &chart)
}

/// Rows of the heat map in a decade.
const ROWS: f64 = 5.0;

fn heat(points: &[Point], frame: &Frame<'_>) -> String {
    let axis = latency_axis(points.iter());
    let mut cells = Vec::new();
    for point in points {
        #[expect(clippy::cast_possible_truncation, reason = "logarithms of times are small")]
        let row = |edge: Duration| ((log_ms(edge) - axis.low) * ROWS).floor().min((axis.high - axis.low) * ROWS - 1.0) as i64;
        let mut rows = BTreeMap::<i64, u64>::new();
        point.latency().buckets().for_each(|(edge, count)| *rows.entry(row(edge)).or_default() += count);
        let all = point.latency().count().max(1);
        for (row, count) in rows {
            #[expect(clippy::cast_precision_loss, reason = "counts and rows stay far below 2^52")]
            let (low, share) = (axis.low + row as f64 / ROWS, count as f64 / all as f64);
            cells.push(((seconds(point.from), seconds(point.to)), (low, low + 1.0 / ROWS), share));
        }
    }
    let words = |point: &Point| format!("{} requests", point.latency().count());
    let chart = chart::heat("latencies over time, darker where more requests took so long", frame, &axis, &cells, &tips(Points { now: points, then: &[] }, words));
    figure("Latencies of all requests", &[], &chart)
}

fn in_flight(points: Points<'_>, frame: &Frame<'_>) -> String {
    #[expect(clippy::cast_precision_loss, reason = "requests under way stay far below 2^52")]
    let lines = line(points, ("in flight", FIRST, false), |point| Some(point.in_flight as f64));
    let words = |point: &Point| format!("at most {} in flight", point.in_flight);
    let axis = Axis::to(most(&lines).max(4.0), show_number);
    let chart = chart::lines("requests in flight", frame, &axis, &lines, &tips(points, words));
    figure("In flight", &lines, &chart)
}

fn show_number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

/// Readings of a metric, each with its moment.
type Readings = [(Duration, f64)];

fn metric(name: &str, (now, then): (&Readings, &Readings), frame: &Frame<'_>) -> String {
    let line = |(readings, then): (&Readings, bool)| {
        let values = readings.iter().map(|(at, value)| (seconds(*at), Some(*value))).collect();
        Line { name: "", ink: FIRST, thin: false, then, values }
    };
    let lines: Vec<Line> = [(then, true), (now, false)].into_iter().filter(|(of, _)| !of.is_empty()).map(line).collect();
    let low = now.iter().chain(then).map(|(_, value)| *value).fold(0.0, f64::min);
    let most = Some(most(&lines)).filter(|most| *most > 0.0).unwrap_or(1.0);
    let axis = Axis::to(most, show_number);
    let axis = if low < 0.0 { Axis { low: low * 1.05, ..axis } } else { axis };
    let tip = |pair: &[(Duration, f64)]| {
        let (at, value) = pair[0];
        let earlier = then.iter().rfind(|(earlier, _)| *earlier <= at);
        let earlier = earlier.map_or_else(String::new, |(_, value)| format!("; earlier run: {}", show_number(*value)));
        let words = format!("at {}: {}{earlier}", chart::moment(at), show_number(value));
        Tip { from: seconds(at), to: seconds(pair[1].0), words }
    };
    let tips: Vec<_> = now.windows(2).map(tip).collect();
    let chart = chart::lines(name, frame, &axis, &lines, &tips);
    let earlier: Vec<Line> = lines.into_iter().filter(|line| line.then).collect();
    figure(name, &earlier, &chart)
}

/// The numbers behind the charts.
fn numbers(heading: &str, points: &[Point], markers: &[Marker]) -> String {
    let mut heads = vec!["when", "requests", "available", "p50", "p99", "slowest", "in flight"];
    let marked = [(Marker::Partial, "partial"), (Marker::Stale, "stale")];
    heads.extend(marked.iter().filter(|(marker, _)| markers.contains(marker)).map(|(_, name)| *name));
    let row = |point: &Point| {
        let share = |parts| percent(parts, point).map_or_else(|| "-".to_owned(), show_percent);
        let time = |time: Option<Duration>| time.map_or_else(|| "-".to_owned(), show_duration);
        let latency = point.latency();
        let mut cells = vec![
            span(point),
            point.counts.due.to_string(),
            share(point.counts.good),
            time(latency.percentile(50_000)),
            time(latency.percentile(99_000)),
            time(latency.max()),
            point.in_flight.to_string(),
        ];
        let of = |marker: &Marker| if *marker == Marker::Partial { point.counts.partial } else { point.counts.stale };
        cells.extend(marked.iter().filter(|(marker, _)| markers.contains(marker)).map(|(marker, _)| share(of(marker))));
        cells
    };
    let rows: Vec<Vec<String>> = points.iter().map(row).collect();
    format!("<details><summary>{heading}</summary>{}</details>\n", table("numbers over time", &heads, &rows, |_| String::new()))
}

/// A table of numbers, but for the first column; `below` gives what stands below a row.
fn table(label: &str, heads: &[&str], rows: &[Vec<String>], below: impl Fn(usize) -> String) -> String {
    let class = |n: usize| if n == 0 { "" } else { " class=\"number\"" };
    let head = |(n, head): (usize, &&str)| format!("<th scope=\"col\"{}>{}</th>", class(n), html(head));
    let heads: String = heads.iter().enumerate().map(head).collect();
    let row = |(nth, row): (usize, &Vec<String>)| {
        let cell = |(n, cell): (usize, &String)| format!("<td{}>{}</td>", class(n), html(cell));
        format!("<tr>{}</tr>{}\n", row.iter().enumerate().map(cell).collect::<String>(), below(nth))
    };
    let rows: String = rows.iter().enumerate().map(row).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\"><table><thead><tr>{heads}</tr></thead><tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// The phases, as the terminal has them.
pub(super) fn phases(state: &RunState) -> String {
    let (heads, rows) = terminal::rows(state);
    if rows.is_empty() {
        return String::new();
    }
    let heads: Vec<&str> = std::iter::once("phase").chain(heads).collect();
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| std::iter::once(row.name.clone()).chain(row.cells.iter().cloned()).collect()).collect();
    let below = |nth: usize| {
        let details: Vec<String> = rows[nth].details.iter().map(|line| prose(line)).collect();
        if details.is_empty() {
            return String::new();
        }
        format!("<tr class=\"detail\"><td colspan=\"{}\">{}</td></tr>", heads.len(), details.join("<br>"))
    };
    let note = |words: String| format!("<p class=\"inconclusive\">{}</p>\n", prose(&words));
    let until = terminal::until(state).map(note).unwrap_or_default();
    let faults: String = terminal::reading_faults(state).map(note).collect();
    format!("{until}{}{faults}", table("phases", &heads, &cells, below))
}

/// Each fault: what was asked, what came of it, and the requests that met it.
pub(super) fn faults(state: &RunState, met: &Met) -> String {
    if state.plans().is_empty() {
        return String::new();
    }
    let mut text = String::from("<dl>\n");
    for plan in state.plans() {
        let (unsure, taken) = terminal::taken(state, plan);
        let class = if unsure { " class=\"inconclusive\"" } else { "" };
        let asked = format!("{}, {}", words::fault(plan), words::window(plan));
        let taken: Vec<String> = taken.iter().map(|line| prose(line)).collect();
        text += &format!(
            "<dt>{}</dt><dd>{}<br><span{class}>{}</span>{}</dd>\n",
            html(&plan.name),
            html(&asked),
            taken.join("<br>"),
            met.of(&plan.name)
        );
    }
    text + "</dl>\n"
}

/// Services that ended by themselves, with the last lines of their logs.
pub(super) fn deaths(run: &Run) -> String {
    let mut text = String::new();
    for death in &run.died {
        let lines: Vec<String> = death.last_lines.iter().map(|line| html(line)).collect();
        text += &format!(
            "<p class=\"fail\">{} died: {}</p><pre>{}</pre>\n",
            html(&death.service),
            html(&death.how),
            lines.join("\n")
        );
    }
    text
}

/// The places of logs, where they were kept.
pub(super) fn logs(run: &Run) -> String {
    if run.logs.is_empty() {
        return String::new();
    }
    let log = |(service, path): (&String, &String)| format!("<dt>{}</dt><dd><code>{}</code></dd>", html(service), html(path));
    format!("<dl>{}</dl>\n", run.logs.iter().map(log).collect::<String>())
}

/// The command that makes the run again.
pub(super) fn again(run: &Run) -> String {
    run.again().map_or_else(String::new, |again| {
        format!(
            "<pre>{}</pre>\n<p>Or from its recording alone, of which it takes the files as they \
             were: <code>chaos rerun RECORDING</code></p>\n",
            html(&again)
        )
    })
}
