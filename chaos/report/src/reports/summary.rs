//! `summary`: a line a run, and how many came to what.

use super::{Report, Row};
use crate::{RunResult, Style, summary};
use chaos_model::{Event, Record};
use std::io::{self, Write};

pub(super) const ROW: Row = Row {
    name: "summary",
    about: "a line for each run with its outcome, and what failed",
    new: |style, _| Box::new(Summary { style, results: Vec::new(), run: Vec::new() }),
};

/// The results of the runs so far.
struct Summary {
    style: Style,
    results: Vec<RunResult>,
    /// Events of the run that is under way.
    run: Vec<Record>,
}

impl Report for Summary {
    fn on(&mut self, record: &Record, _: &mut dyn Write) -> io::Result<()> {
        if matches!(record.event, Event::Begin(_)) {
            self.close();
        }
        self.run.push(record.clone());
        Ok(())
    }

    fn finish(&mut self, mut out: &mut dyn Write) -> io::Result<()> {
        self.close();
        summary::runs(&mut out, self.style, &self.results)
    }
}

impl Summary {
    fn close(&mut self) {
        if !self.run.is_empty() {
            self.results.push(RunResult::of(&self.run));
            self.run.clear();
        }
    }
}
