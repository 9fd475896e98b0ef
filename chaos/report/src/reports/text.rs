//! `text`: what the run printed, from its table of phases on.

use super::{Report, Row};
use crate::{Style, terminal::Sections, text::paragraph};
use chaos_model::{Event, Record, event::Begin, quantity::show_duration};
use std::{
    io::{self, Write},
    time::Duration,
};

pub(super) const ROW: Row = Row {
    name: "text",
    about: "what the run printed, from its table of phases on",
    new: |style, many| Box::new(Text { style, many, ..Text::default() }),
};

/// The part of a run's own output that comes when it is over.
#[derive(Debug, Default)]
struct Text {
    style: Style,
    many: bool,
    /// The run that is under way, and when its last event was.
    run: Option<(Sections, u64)>,
    /// Sections that came before the table: a run that has none needs them to be understood.
    before: String,
    /// Something was written about this run, or about another.
    told: bool,
    told_of_any: bool,
}

impl Report for Text {
    fn on(&mut self, record: &Record, out: &mut dyn Write) -> io::Result<()> {
        if let Event::Begin(begin) = &record.event {
            self.finish(out)?;
            self.run = Some((Sections::new(Style { live: false, ..self.style }), 0));
            (self.told, self.before) = (false, String::new());
            if self.many {
                self.head(begin, out)?;
            }
        }
        let Some((sections, at_us)) = &mut self.run else { return Ok(()) };
        *at_us = record.at_us;
        let text = sections.on(record);
        if sections.figures_shown() || matches!(record.event, Event::TornDown { .. } | Event::End { .. }) {
            let before = if sections.figures_shown() { String::new() } else { std::mem::take(&mut self.before) };
            self.write(&format!("{before}{text}"), out)?;
        } else if matches!(
            record.event,
            Event::ServiceDied { .. } | Event::ServiceKilled { .. } | Event::Inconclusive { .. }
        ) {
            self.before += &text;
        }
        if matches!(record.event, Event::End { .. }) {
            self.run = None;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let Some((mut sections, at_us)) = self.run.take() else { return Ok(()) };
        let known = sections.rest();
        let before = if sections.figures_shown() { String::new() } else { std::mem::take(&mut self.before) };
        let after = show_duration(Duration::from_micros(at_us));
        let words = format!("after {after}: the recording ends before the run does");
        let cut_off = paragraph("CUT OFF ", &words, self.style.columns());
        self.write(&format!("{before}{known}\n{cut_off}"), out)
    }
}

impl Text {
    /// Names the run, where there are several.
    fn head(&mut self, begin: &Begin, out: &mut dyn Write) -> io::Result<()> {
        let gap = if self.told_of_any { "\n\n" } else { "" };
        let Begin { file, world, seed, .. } = begin;
        let name = paragraph("", &format!("{file}, world {world}, seed {seed}"), self.style.columns());
        self.told_of_any = true;
        write!(out, "{gap}{name}")
    }

    fn write(&mut self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        // The blank line before the table parts it from what a run prints earlier.
        let text = if self.told { text } else { text.trim_start_matches('\n') };
        self.told |= !text.is_empty();
        out.write_all(text.as_bytes())
    }
}
