//! A run for people, while it happens: what runs, how it goes, what clients saw, which expectations held, and what to
//! do next. Every section is text made from events; this module decides when each is due, and keeps the line of
//! progress.
//!
//! It reads no clock and asks nothing about the terminal: times are in the events, the rest in [`Style`].

mod ending;
mod expectations;
mod fault_figures;
mod faults;
mod header;
mod phases;
mod progress;
mod run_state;

pub(crate) use ending::headline;

use crate::Style;
use chaos_model::{Event, Record, Sources};
use run_state::RunState;
use std::io::{self, Write};

/// Reports runs to a writer, one after another.
#[derive(Debug)]
pub struct Terminal<W> {
    out: W,
    style: Style,
    sources: Option<Sources>,
    run: RunState,
    progress: progress::Line,
}

impl<W: Write> Terminal<W> {
    /// Reports to `out`.
    pub fn new(out: W, style: Style) -> Self {
        let progress = progress::Line::new(style);
        Self { out, style, sources: None, run: RunState::default(), progress }
    }

    /// The texts of the scenario that runs next, so that expectations which failed are shown at their place. Without
    /// them, as for a recorded run, file and line are named.
    pub fn show_sources(&mut self, sources: Sources) {
        self.sources = Some(sources);
    }

    /// Reports one event.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn on(&mut self, record: &Record) -> io::Result<()> {
        let first = self.run.begin.is_none();
        self.run.on(record);
        // The state first: sections are made from what is known with this event.
        let text = self.section(record, first);
        let line = self.progress.on(&self.run, &record.event, !text.is_empty());
        write!(self.out, "{}{text}{}", line.before, line.after)?;
        // Whoever watches a pipe sees each event as it comes.
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

    /// The text to print at this event; empty where there is nothing.
    fn section(&mut self, record: &Record, first: bool) -> String {
        let style = self.style;
        match &record.event {
            Event::Begin(begin) => format!("{}{}", if first { "" } else { "\n\n" }, header::title(style, begin)),
            Event::Waiting { holder } => header::waiting(style, *holder),
            Event::Ready { took } => header::ready(style, &self.run, *took),
            Event::ServiceDied { service, how, last_lines } => {
                let unready =
                    if self.run.timeline_us.is_none() { header::services(style, &self.run) } else { String::new() };
                format!("{unready}{}", ending::died(style, &self.run.stamp(record.at_us), service, how, last_lines))
            }
            Event::FaultApplied { fault } => faults::applied(style, &self.run, record.at_us, fault),
            Event::FaultRemoved { fault, .. } => faults::removed(style, &self.run, record.at_us, fault),
            Event::Inconclusive { why } => ending::inconclusive(style, &self.run.stamp(record.at_us), why),
            Event::Judged(judged) => {
                let figures = self.figures();
                format!("{figures}{}", expectations::judged(style, &self.run, judged, self.sources.is_some()))
            }
            Event::TornDown { took, left, .. } => {
                let (figures, failures) = (self.figures(), self.failures());
                format!("{figures}{failures}\n{}", ending::torn_down(style, self.run.world(), *took, left))
            }
            Event::Held => {
                let (figures, failures) = (self.figures(), self.failures());
                format!("{figures}{failures}{}", header::held(style, &self.run))
            }
            Event::End { .. } => {
                let (figures, failures) = (self.figures(), self.failures());
                format!("{figures}{failures}{}", ending::end(style, &self.run, record.at_us))
            }
            _ => String::new(),
        }
    }

    /// Phases and faults, once, when the last of them is known.
    fn figures(&mut self) -> String {
        if std::mem::replace(&mut self.run.figures_shown, true) || self.run.figures.is_empty() {
            return String::new();
        }
        format!("{}{}", phases::table(self.style, &self.run), faults::list(self.style, &self.run))
    }

    /// The failures, each at its place in the file.
    fn failures(&mut self) -> String {
        let Some(sources) = self.sources.take() else { return String::new() };
        let Some(diagnostics) = crate::failures::diagnostics(&self.run.judged, &sources) else {
            return String::new();
        };
        format!("\n{}", diagnostics.render(self.style.colour, self.style.columns()))
    }
}
