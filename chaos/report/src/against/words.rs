//! The comparison for people.

use super::{ARun, Against, Change, Compared, Direction, MarginHistory, Partner, Unpaired};
use crate::{
    Style,
    style::Ink,
    text::{hanging, paragraph, width},
    words::{count, moment},
};
use std::io::{self, Write};

/// Writes what is better and worse in each of these runs, what has no partner, and how many are worse.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut impl Write, style: Style, against: &Against) -> io::Result<()> {
    writeln!(out, "{}", style.paint(Ink::Strong, "against earlier runs"))?;
    for one in &against.runs {
        entry(out, style, one)?;
    }
    for gone in &against.gone {
        write!(out, "{}", paragraph("  ", &no_longer(gone), style.columns()))?;
    }
    for run in &against.passed_over {
        write!(out, "{}", paragraph("  ", &passed_over(run), style.columns()))?;
    }
    let worse = against.runs.iter().filter(|one| one.is_worse()).count();
    let (ink, word) = if worse > 0 { (Ink::Bad, "WORSE") } else { (Ink::Good, "NOT WORSE") };
    let known = against.runs.iter().filter(|one| one.partner.is_ok()).count();
    let sentence = format!("{} of {} with an earlier run", number(worse), count(number(known), "scenario"));
    write!(out, "{}", hanging(&format!("{}: ", style.paint(ink, word)), width(word) + 2, &sentence, style.columns()))
}

fn number(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn entry(out: &mut impl Write, style: Style, one: &Compared) -> io::Result<()> {
    let columns = style.columns();
    let name = format!("{} ({})", one.file, one.world);
    let partner = match &one.partner {
        Ok(partner) => partner,
        Err(why) => return write!(out, "{}", paragraph("  ", &format!("{name}: {}", unpaired(why)), columns)),
    };
    write!(out, "{}", paragraph("  ", &format!("{name}, and {}", earlier_run(partner)), columns))?;
    for change in &one.changes {
        let (ink, word) = match change.direction {
            Direction::Worse => (Ink::Bad, "WORSE  "),
            Direction::Changed => (Ink::Unsure, "changed"),
            Direction::Better => (Ink::Good, "better "),
        };
        let first = format!("    {}  ", style.paint(ink, word));
        write!(out, "{}", hanging(&first, 4 + word.len() + 2, &value(change), columns))?;
    }
    let same = count(number(one.same), "figure");
    write!(out, "{}", paragraph("    ", &format!("{same} and verdicts the same"), columns))?;
    one.margins.iter().try_for_each(|margin| write!(out, "{}", hanging("    margin   ", 13, &history(margin), columns)))
}

/// `its run of 2025-10-09T08:53:20Z in old/3.jsonl, the last of 12; its text or settings have changed since`
pub(crate) fn earlier_run(partner: &Partner) -> String {
    let Partner { run, of, has_changed, .. } = partner;
    let last = if *of > 1 { format!(", the last of {of}") } else { String::new() };
    let changed = if *has_changed { "; its text or settings have changed since" } else { "" };
    format!("its run of {}{}{last}{changed}", moment(run.unix_ms), place(run))
}

fn place(run: &ARun) -> String {
    if run.recording.is_empty() { String::new() } else { format!(" in {}", run.recording) }
}

/// The reason for which a run is compared with none.
pub(crate) fn unpaired(why: &Unpaired) -> String {
    match why {
        Unpaired::NoneEarlier(worlds) if worlds.is_empty() => "it has no earlier run".to_owned(),
        Unpaired::NoneEarlier(worlds) => {
            format!("it has no earlier run in this world; there is one in {}", worlds.join(" and in "))
        }
        Unpaired::NotWhole => "it came to no verdict, so that it is not compared".to_owned(),
    }
}

/// Words for a scenario that was not run now.
pub(crate) fn no_longer(run: &ARun) -> String {
    let ARun { file, world, unix_ms, .. } = run;
    format!("{file} ({world}): it was not run now; its last run is that of {}{}", moment(*unix_ms), place(run))
}

/// Words for an earlier run that nothing is compared with.
pub(crate) fn passed_over(run: &ARun) -> String {
    let ARun { file, world, unix_ms, .. } = run;
    format!("{file} ({world}): its run of {}{} came to no verdict, and is passed over", moment(*unix_ms), place(run))
}

/// `clients never notice (outage): latency.p99 < 50ms: at 24.8% of its bound, was 25%`
pub(crate) fn history(margin: &MarginHistory) -> String {
    let earlier = margin.earlier_in_words().map_or_else(String::new, |words| format!(", {words}"));
    let place = &margin.place;
    format!("{} ({}): {}: {}{earlier}", place.that, place.when, place.expected, margin.now)
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
