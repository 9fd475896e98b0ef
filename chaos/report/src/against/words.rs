//! The comparison for people.

use super::{Change, Compared, Direction};
use crate::{
    Style,
    style::Ink,
    text::{hanging, paragraph, width},
    words::count,
};
use std::{
    io::{self, Write},
    time::{Duration, UNIX_EPOCH},
};

/// Writes what is better and worse in each of these runs, and how many are worse.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut impl Write, style: Style, all: &[Compared]) -> io::Result<()> {
    writeln!(out, "{}", style.paint(Ink::Strong, "against earlier runs"))?;
    for one in all {
        entry(out, style, one)?;
    }
    let worse = all.iter().filter(|one| one.is_worse()).count();
    let (ink, word) = if worse > 0 { (Ink::Bad, "WORSE") } else { (Ink::Good, "NOT WORSE") };
    let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let known = all.iter().filter(|one| one.earlier_unix_ms.is_some()).count();
    let sentence = format!("{} of {} with an earlier run", number(worse), count(number(known), "scenario"));
    write!(out, "{}", hanging(&format!("{}: ", style.paint(ink, word)), width(word) + 2, &sentence, style.columns()))
}

fn entry(out: &mut impl Write, style: Style, one: &Compared) -> io::Result<()> {
    let columns = style.columns();
    let Some(unix_ms) = one.earlier_unix_ms else {
        return write!(out, "{}", paragraph("  ", &format!("{}: it has no earlier run", one.file), columns));
    };
    let when = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(unix_ms));
    write!(out, "{}", paragraph("  ", &format!("{}, and its run of {when}", one.file), columns))?;
    for change in &one.changes {
        let (ink, word) = match change.direction {
            Direction::Worse => (Ink::Bad, "WORSE  "),
            Direction::Changed => (Ink::Unsure, "changed"),
            Direction::Better => (Ink::Good, "better "),
        };
        let first = format!("    {}  ", style.paint(ink, word));
        write!(out, "{}", hanging(&first, 4 + word.len() + 2, &value(change), columns))?;
    }
    let same = count(u64::try_from(one.same).unwrap_or(u64::MAX), "figure");
    write!(out, "{}", paragraph("    ", &format!("{same} and verdicts the same"), columns))
}

/// `outage: available: 98.1% (785 of 800), was 99.9% (799 of 800)`
fn value(change: &Change) -> String {
    let Change { what, seen: [before, now], .. } = change;
    format!("{what}: {now}, was {before}")
}

/// The same with its direction.
pub(crate) fn sentence(change: &Change) -> String {
    let word = match change.direction {
        Direction::Worse => "worse",
        Direction::Changed => "changed",
        Direction::Better => "better",
    };
    format!("{word}: {}", value(change))
}
