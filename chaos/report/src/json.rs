//! A run as JSON lines, one for each event, and back. The first event of a run names the format's version, and what has
//! another version is refused before anything else in it is looked at.
//!
//! A recording is small, whatever is broken in its run: under 400 kB for a minute at 100 requests a second. Of each fault's
//! injections some are written in full, and the rest are counted by their impact. What tells how the run went on is written as it
//! comes as long as that is little, and else put together in longer steps. Neither takes anything from figures, judgements, or
//! what a report says of a whole run: those are told by themselves, at its end.

mod budget;
mod reader;
mod scrapes;
mod steps;
mod thin;

pub use reader::{ReadError, Reader, count_runs, read};

use chaos_model::{Event, Record};
use std::io::{self, Write};

/// Writes each event as a line, at once, unless it is put together with others: a run that is killed leaves all it had to say
/// until then, but for the last step.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    /// Events that are put together.
    steps: steps::Steps,
    /// Room for injections.
    room: thin::Room,
}

impl<W: Write> Writer<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, steps: steps::Steps::default(), room: thin::Room::default() }
    }

    /// Writes one event.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn on(&mut self, record: &Record) -> io::Result<()> {
        for record in self.steps.on(record) {
            self.write(&record)?;
        }
        self.out.flush()
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        if let Event::Injected(injected) = &record.event {
            let all = injected.injections.len();
            let most = self.room.most(all, line.len());
            if all > most {
                let event = Event::Injected(thin::thinned(injected, most));
                line = serde_json::to_vec(&Record { at_us: record.at_us, event })?;
            }
        }
        self.room.take(&record.event, line.len());
        self.steps.wrote(&record.event, line.len());
        line.push(b'\n');
        self.out.write_all(&line)
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}
