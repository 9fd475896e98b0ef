//! `statuses`: how many responses of each status a run had, as CSV.

use super::{Report, Row};
use chaos_model::{Event, Record, phase::RUN};
use std::io::{self, Write};

pub(super) const ROW: Row =
    Row { name: "statuses", about: "responses by status, as CSV", new: |_, _| Box::new(Statuses) };

/// A fold that has nothing to remember: all it needs is in one event.
struct Statuses;

impl Report for Statuses {
    fn on(&mut self, record: &Record, out: &mut dyn Write) -> io::Result<()> {
        let Event::Phase(figures) = &record.event else { return Ok(()) };
        if figures.phase != RUN {
            return Ok(());
        }
        writeln!(out, "status,responses")?;
        figures.statuses.iter().try_for_each(|(status, responses)| writeln!(out, "{status},{responses}"))
    }

    fn finish(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
