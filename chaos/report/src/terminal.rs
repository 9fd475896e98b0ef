//! A run for people, while it happens: what runs, how it goes, what clients saw, which expectations held, and what to do
//! next. Every section is text made from events; this module decides when each is due, and keeps the line of progress.
//!
//! It reads no clock and asks nothing about the terminal: times are in the events, the rest in [`Style`].

mod ending;
mod expectations;
mod faults;
mod header;
mod phases;
mod progress;
mod story;
mod taken;

pub(crate) use ending::headline;

use crate::Style;
use chaos_model::{Event, Record, Sources};
use std::io::{self, Write};
use story::Story;

/// Reports runs to a writer, one after another.
#[derive(Debug)]
pub struct Terminal<W> {
    out: W,
    style: Style,
    sources: Option<Sources>,
    story: Story,
    progress: progress::Line,
}

impl<W: Write> Terminal<W> {
    /// Reports to `out`.
    pub fn new(out: W, style: Style) -> Self {
        let progress = progress::Line::new(style);
        Self { out, style, sources: None, story: Story::default(), progress }
    }

    /// The texts of the scenario that runs next, so that expectations which failed are shown at their place. Without them,
    /// as for a recorded run, file and line are named.
    pub fn show_sources(&mut self, sources: Sources) {
        self.sources = Some(sources);
    }

    /// Reports one event.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn on(&mut self, record: &Record) -> io::Result<()> {
        let first = self.story.begin.is_none();
        self.story.on(record);
        let text = self.section(record, first);
        let line = self.progress.on(&self.story, &record.event, !text.is_empty());
        write!(self.out, "{}{text}{}", line.before, line.after)?;
        self.out.flush()
    }

    /// Says something between runs.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        write!(self.out, "{text}")?;
        self.out.flush()
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// What there is to print at this event.
    fn section(&mut self, record: &Record, first: bool) -> String {
        let style = self.style;
        match &record.event {
            Event::Begin(begin) => format!("{}{}", if first { "" } else { "\n\n" }, header::title(style, begin)),
            Event::Waiting { holder } => header::waiting(style, *holder),
            Event::Ready { took } => header::ready(style, &self.story, *took),
            Event::NodeDied { node, how, last_lines } => {
                let unready =
                    if self.story.timeline_us.is_none() { header::nodes(style, &self.story) } else { String::new() };
                format!("{unready}{}", ending::died(style, &self.story.stamp(record.at_us), node, how, last_lines))
            }
            Event::FaultApplied { fault } => faults::applied(style, &self.story, record.at_us, fault),
            Event::FaultRemoved { fault, .. } => faults::removed(style, &self.story, record.at_us, fault),
            Event::Doubt { why } => ending::doubt(style, &self.story.stamp(record.at_us), why),
            Event::Judged(judged) => {
                let figures = self.figures();
                format!("{figures}{}", expectations::judged(style, &self.story, judged, self.sources.is_some()))
            }
            Event::TornDown { took, left, .. } => {
                let (figures, failures) = (self.figures(), self.failures());
                format!("{figures}{failures}\n{}", ending::torn_down(style, self.story.world(), *took, left))
            }
            Event::Held => {
                let (figures, failures) = (self.figures(), self.failures());
                format!("{figures}{failures}{}", header::held(style, &self.story))
            }
            Event::End { .. } => {
                let (figures, failures) = (self.figures(), self.failures());
                format!("{figures}{failures}{}", ending::end(style, &self.story, record.at_us))
            }
            _ => String::new(),
        }
    }

    /// Phases and faults, once, when the last of them is known.
    fn figures(&mut self) -> String {
        if std::mem::replace(&mut self.story.figures_shown, true) || self.story.figures.is_empty() {
            return String::new();
        }
        format!("{}{}", phases::table(self.style, &self.story), faults::list(self.style, &self.story))
    }

    /// What failed, at its place in the file.
    fn failures(&mut self) -> String {
        let Some(sources) = self.sources.take() else { return String::new() };
        let Some(diagnostics) = crate::failures::diagnostics(&self.story.judged, &sources) else {
            return String::new();
        };
        format!("\n{}", diagnostics.render(self.style.colour, self.style.columns()))
    }
}
