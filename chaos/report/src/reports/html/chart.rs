//! Charts as SVG: lines over time with the faults as bands, and a heat map of latencies.
//!
//! Colours are the page's, by name, so that one chart serves light and dark; numbers are at hand by pointing at a stretch.

use crate::text::html;
use chaos_model::quantity::show_duration;
use plotters::{
    backend::SVGBackend,
    chart::{ChartBuilder, ChartContext, LabelAreaPosition},
    coord::{
        Shift,
        cartesian::Cartesian2d,
        ranged1d::{DefaultFormatting, KeyPointHint, Ranged},
    },
    drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _},
    element::{PathElement, Rectangle},
    series::LineSeries,
    style::{Color as _, IntoFont as _, RGBColor, ShapeStyle, TRANSPARENT},
};
use std::{ops::Range, time::Duration};

/// The size that charts are drawn in; a page scales them.
const SIZE: (u32, u32) = (480, 180);

/// A colour by its name in the page's style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ink(u8, &'static str);

pub(super) const GOOD: Ink = Ink(1, "good");
pub(super) const BAD: Ink = Ink(2, "bad");
pub(super) const FIRST: Ink = Ink(3, "first");
pub(super) const SECOND: Ink = Ink(4, "second");
pub(super) const THIRD: Ink = Ink(5, "third");
const TEXT: Ink = Ink(6, "faint");
const GRID: Ink = Ink(7, "grid");
const BAND: Ink = Ink(8, "band");
const ALL: [Ink; 8] = [GOOD, BAD, FIRST, SECOND, THIRD, TEXT, GRID, BAND];

impl Ink {
    /// A stand-in that no other part of a chart has.
    fn colour(self) -> RGBColor {
        RGBColor(self.0, 0, 254)
    }

    /// That of the same colour in dashes.
    fn dashed(self) -> RGBColor {
        RGBColor(self.0, 1, 254)
    }

    /// The name that the page's style gives its colour by.
    pub(super) fn name(self) -> &'static str {
        self.1
    }
}

/// A line of a chart.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) ink: Ink,
    /// A line of less weight.
    pub(super) thin: bool,
    /// A line of an earlier run, which is dashed.
    pub(super) then: bool,
    /// Moments in seconds, and values; a gap where there is none.
    pub(super) values: Vec<(f64, Option<f64>)>,
}

/// The vertical axis.
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<f64>,
    pub(super) label: fn(f64) -> String,
}

impl Axis {
    /// From nothing to a round number that all of these are below.
    pub(super) fn to(most: f64, label: fn(f64) -> String) -> Self {
        let ticks = ticks(most.max(f64::MIN_POSITIVE), 4);
        let high = ticks.last().copied().unwrap_or(1.0).max(most * 1.05);
        Self { low: 0.0, high, ticks, label }
    }
}

/// Everything that charts of one run share.
pub(super) struct Frame<'a> {
    pub(super) length: Duration,
    /// The stretches in which faults act.
    pub(super) bands: &'a [(Duration, Duration)],
    pub(super) marks: &'a [Mark],
}

/// A moment that is marked by a line.
pub(super) struct Mark {
    pub(super) at: Duration,
    pub(super) ink: Ink,
    pub(super) words: String,
}

/// The text for a stretch that is pointed at, from and to in seconds.
pub(super) struct Tip {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) words: String,
}

/// A linear scale with labels where its owner wants them.
struct Scale {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        // A recording may say anything: what is far beside the chart is beside it.
        let share = ((value - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE)).clamp(-4.0, 5.0);
        #[expect(clippy::cast_possible_truncation, reason = "charts are some hundred units wide")]
        let along = (share * f64::from(to - from)).round() as i32;
        from + along
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane = Cartesian2d<Scale, Scale>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Plane>;
type Drawn<T> = Result<T, DrawingAreaErrorKind<std::io::Error>>;

/// A chart of lines. `title` is for those who can't see it.
pub(super) fn lines(title: &str, frame: &Frame<'_>, axis: &Axis, lines: &[Line], tips: &[Tip]) -> String {
    draw(title, frame, axis, tips, |chart| {
        for line in lines {
            let colour = if line.then { line.ink.dashed() } else { line.ink.colour() };
            let style = ShapeStyle { stroke_width: if line.thin { 1 } else { 2 }, ..colour.filled() };
            for piece in pieces(&line.values) {
                chart.draw_series(LineSeries::new(piece, style))?;
            }
        }
        Ok(())
    })
}

/// A cell of a heat map: from and to in seconds, from and to on the vertical axis, and how much of all in that stretch is in it.
pub(super) type Cell = ((f64, f64), (f64, f64), f64);

/// A heat map.
pub(super) fn heat(title: &str, frame: &Frame<'_>, axis: &Axis, cells: &[Cell], tips: &[Tip]) -> String {
    draw(title, frame, axis, tips, |chart| {
        let cell = |((from, to), (low, high), share): &Cell| {
            // A single slow response has to be seen too.
            let weight = 0.15 + 0.85 * share.sqrt();
            Rectangle::new([(*from, *low), (*to, *high)], FIRST.colour().mix((weight * 100.0).round() / 100.0).filled())
        };
        chart.draw_series(cells.iter().map(cell))?;
        Ok(())
    })
}

/// Stretches of a line without gaps. A single value is drawn as a short one.
fn pieces(values: &[(f64, Option<f64>)]) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for (at, value) in values {
        match (value, pieces.last_mut()) {
            (Some(value), Some(piece)) => piece.push((*at, *value)),
            (None, Some(piece)) if !piece.is_empty() => pieces.push(Vec::new()),
            _ => {}
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    for piece in &mut pieces {
        if let [(at, value)] = piece[..] {
            piece.push((at + 0.2, value));
        }
    }
    pieces
}

fn draw(
    title: &str,
    frame: &Frame<'_>,
    axis: &Axis,
    tips: &[Tip],
    content: impl FnOnce(&mut Chart<'_, '_>) -> Drawn<()>,
) -> String {
    let mut svg = String::new();
    let made = {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        into(&root, frame, axis, tips, content)
    };
    match made {
        Ok(over) => finished(&svg, title, &over),
        // Writing to memory can't fail; what can is an axis without extent.
        Err(error) => format!("<p>{} can't be drawn: {}</p>", html(title), html(&error.to_string())),
    }
}

/// Draws into this area, and gives what lies over it to be pointed at.
fn into(
    root: &Area<'_>,
    frame: &Frame<'_>,
    axis: &Axis,
    tips: &[Tip],
    content: impl FnOnce(&mut Chart<'_, '_>) -> Drawn<()>,
) -> Drawn<String> {
    let length = frame.length.as_secs_f64().max(0.001);
    let seconds = time_ticks(length, 6);
    let mut chart = ChartBuilder::on(root)
        .margin_top(8)
        .margin_right(14)
        .set_label_area_size(LabelAreaPosition::Left, 58)
        .set_label_area_size(LabelAreaPosition::Bottom, 24)
        .build_cartesian_2d(
            Scale { low: 0.0, high: length, ticks: seconds.into_iter().filter(|at| *at <= length).collect() },
            Scale { low: axis.low, high: axis.high, ticks: axis.ticks.clone() },
        )?;
    let font = ("sans-serif", 16).into_font().color(&TEXT.colour());
    let label = axis.label;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.colour())
        .axis_style(GRID.colour())
        .label_style(font)
        .x_label_formatter(&|at| time(*at))
        .y_label_formatter(&|value| label(*value))
        .draw()?;
    let band = |(from, to): &(Duration, Duration)| {
        let corners = [(from.as_secs_f64(), axis.low), (to.as_secs_f64().min(length), axis.high)];
        Rectangle::new(corners, BAND.colour().filled())
    };
    chart.draw_series(frame.bands.iter().map(band))?;
    content(&mut chart)?;
    let mark = |mark: &Mark| {
        let at = mark.at.as_secs_f64().min(length);
        PathElement::new([(at, axis.low), (at, axis.high)], ShapeStyle { stroke_width: 2, ..mark.ink.colour().filled() })
    };
    chart.draw_series(frame.marks.iter().map(mark))?;
    let over = tips.iter().map(|tip| {
        let (left, top) = chart.backend_coord(&(tip.from.min(length), axis.high));
        let (right, bottom) = chart.backend_coord(&(tip.to.min(length), axis.low));
        let (width, height) = ((right - left).max(1), bottom - top);
        let words = html(&tip.words);
        format!("<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"><title>{words}</title></rect>")
    });
    let over = over.collect();
    root.present()?;
    Ok(over)
}

/// The chart as it stands in a page: as wide as its place, in the page's colours, with what can be pointed at on top.
fn finished(svg: &str, title: &str, over: &str) -> String {
    let (width, height) = SIZE;
    let body = svg.find("<svg").and_then(|at| svg[at..].find('>').map(|end| &svg[at + end + 1..])).unwrap_or(svg);
    let mut body = body.trim().trim_end_matches("</svg>").to_owned();
    for (ink, RGBColor(red, green, blue), dashes) in
        ALL.into_iter().flat_map(|ink| [(ink, ink.colour(), ""), (ink, ink.dashed(), " stroke-dasharray=\"7 4\"")])
    {
        let stand_in = format!("\"#{red:02X}{green:02X}{blue:02X}\"");
        body = body.replace(&stand_in, &format!("\"var(--{})\"{dashes}", ink.name()));
    }
    // Two attributes of each shape that say what is so anyway.
    let body = body.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "").replace('\n', "");
    let title = html(title);
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">{body}<g class=\"over\">{over}</g></svg>"
    )
}

/// Round numbers from 0 up to the first that is not below `most`, about so many.
pub(super) fn ticks(most: f64, about: u32) -> Vec<f64> {
    let rough = most / f64::from(about);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough);
    let step = step.unwrap_or(rough);
    let mut all = vec![0.0];
    while all.last().is_some_and(|last| *last < most * (1.0 - 1e-9)) && all.len() < 20 {
        #[expect(clippy::cast_precision_loss, reason = "at most twenty")]
        all.push(step * all.len() as f64);
    }
    all
}

/// Round steps of an axis of time, in seconds: beyond a minute decimal ones are none.
const STEPS: [f64; 16] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14_400.0, 21_600.0,
];

/// Round moments up to the first that is not before the end.
pub(super) fn time_ticks(length: f64, about: u32) -> Vec<f64> {
    let step = STEPS.into_iter().find(|step| *step >= length / f64::from(about));
    match step.filter(|_| length > f64::from(about)) {
        Some(step) => {
            let moment = |n: u32| step * f64::from(n);
            let end = (0..=about + 1).find(|n| moment(*n) >= length).unwrap_or(about);
            (0..=end).map(moment).collect()
        }
        None => ticks(length, about),
    }
}

/// A moment of the timeline: `12s`, `4m30s`, `2h`.
pub(super) fn time(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map_or_else(|_| String::new(), moment)
}

/// The same; seconds alone up to two minutes.
pub(super) fn moment(at: Duration) -> String {
    let whole = at.as_secs();
    if whole < 120 {
        return show_duration(at);
    }
    let rest = Duration::new(whole % 60, at.subsec_nanos());
    let part = |number: u64, unit: &str| if number == 0 { String::new() } else { format!("{number}{unit}") };
    let seconds = if rest.is_zero() { String::new() } else { show_duration(rest) };
    format!("{}{}{seconds}", part(whole / 3600, "h"), part(whole / 60 % 60, "m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        assert_eq!(ticks(100.0, 4), [0.0, 50.0, 100.0]);
        assert_eq!(ticks(12.0, 8), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
        assert!(ticks(0.013, 4).last().unwrap() >= &0.013);
        assert!(ticks(f64::MIN_POSITIVE, 4).len() < 20);
    }

    #[test]
    fn times_are_round_in_minutes_and_hours_too() {
        assert_eq!(time_ticks(12.0, 6), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
        assert_eq!(time_ticks(4.5, 6), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let day: Vec<String> = time_ticks(86_400.0, 6).into_iter().map(time).collect();
        assert_eq!(day, ["0s", "4h", "8h", "12h", "16h", "20h", "24h"]);
        assert_eq!(time_ticks(250.0, 6).len(), 6);
        assert!(time_ticks(9e6, 6).len() < 20);
        let shown = [0.25, 119.0, 120.0, 270.0, 3725.5].map(time);
        assert_eq!(shown, ["250ms", "119s", "2m", "4m30s", "1h2m5.5s"]);
    }

    #[test]
    fn lines_have_gaps_where_there_is_no_value() {
        let values = [(0.0, Some(1.0)), (1.0, Some(2.0)), (2.0, None), (3.0, None), (4.0, Some(5.0))];
        assert_eq!(pieces(&values), [vec![(0.0, 1.0), (1.0, 2.0)], vec![(4.0, 5.0), (4.2, 5.0)]]);
    }

    #[test]
    fn a_chart_has_the_page_s_colours_and_no_other() {
        let frame = Frame {
            length: Duration::from_secs(12),
            bands: &[(Duration::from_secs(4), Duration::from_secs(8))],
            marks: &[Mark { at: Duration::from_secs(5), ink: BAD, words: "detected".to_owned() }],
        };
        let line = |then| {
            let values = vec![(0.0, Some(1.0)), (12.0, Some(3.0))];
            Line { name: "p99", ink: SECOND, thin: true, then, values }
        };
        let both = [line(true), line(false)];
        let tips = [Tip { from: 0.0, to: 1.0, words: "<b>".to_owned() }];
        let svg = lines("latency", &frame, &Axis::to(3.0, |value| format!("{value}")), &both, &tips);
        assert!(!svg.contains('#'), "{svg}");
        assert_eq!(svg.matches("stroke=\"var(--second)\"").count(), 2, "{svg}");
        assert_eq!(svg.matches("stroke=\"var(--second)\" stroke-dasharray=").count(), 1, "{svg}");
        assert!(svg.contains("stroke=\"var(--second)\" stroke-width") && svg.contains("fill=\"var(--band)\""), "{svg}");
        assert!(svg.contains("<title>&lt;b&gt;</title>"), "{svg}");
        assert!(svg.starts_with("<svg class=\"chart\" viewBox=\"0 0 480 180\" role=\"img\""), "{svg}");
    }
}
