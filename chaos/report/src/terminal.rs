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
mod sections;

pub(crate) use ending::headline;
pub(crate) use expectations::response_words;
pub(crate) use faults::taken;
pub(crate) use header::made;
pub(crate) use phases::{reading_faults, rows, until};
pub(crate) use run_state::RunState;
pub(crate) use sections::Sections;

use crate::Style;
use chaos_model::Record;
use std::io::{self, Write};

/// Reports runs to a writer, one after another.
#[derive(Debug)]
pub struct Terminal<W> {
    out: W,
    sections: Sections,
    progress: progress::Line,
}

impl<W: Write> Terminal<W> {
    /// Reports to `out`.
    pub fn new(out: W, style: Style) -> Self {
        Self { out, sections: Sections::new(style), progress: progress::Line::new(style) }
    }

    /// Reports one event.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn on(&mut self, record: &Record) -> io::Result<()> {
        // The state first: the line of progress is made from what is known with this event.
        let text = self.sections.on(record);
        let line = self.progress.on(self.sections.run(), &record.event, !text.is_empty());
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
}
