//! An exploration as people read it: 80 columns, no colour.

use crate::{
    exploration::Exploration,
    finding::Finding,
    matrix::{Matrix, State},
};
use std::fmt::{self, Write as _};

/// Columns of what people read.
const WIDTH: usize = 80;
/// Columns of a cell of the matrix.
const CELL: usize = 11;
/// Columns of an effect's name.
const NAME: usize = 12;
/// The most faults that are named beside the one that a finding was shrunk to.
const ALSO: usize = 6;

impl fmt::Display for Exploration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: usize = self.links.values().map(std::collections::BTreeMap::len).sum();
        let learnt = format!(
            "seed {}: {} links with {kinds} kinds of messages, {} fault points, {} cases of {} requests each.",
            self.seed,
            self.links.len(),
            self.points,
            self.cases,
            self.requests_per_case
        );
        f.write_str(&wrapped(&learnt, ""))?;
        f.write_str("\nHeld to:\n")?;
        self.invariants.iter().try_for_each(|that| f.write_str(&wrapped(that, "  ")))?;
        if !self.dropped.is_empty() {
            f.write_str("\nNot held to, since healthy runs do not show it:\n")?;
        }
        for dropped in &self.dropped {
            f.write_str(&wrapped(&format!("{}, {}: {}", dropped.that, dropped.check, dropped.why), "  "))?;
        }
        write!(f, "{}", self.matrix)?;
        for (nth, finding) in self.findings.iter().enumerate() {
            told(f, nth + 1, finding)?;
        }
        if !self.died.is_empty() {
            f.write_str("\nServices that ended by themselves:\n")?;
        }
        self.died.iter().try_for_each(|words| f.write_str(&wrapped(words, "  ")))?;
        if !self.unconfirmed.is_empty() {
            f.write_str("\nSeen once, and not again when it was checked:\n")?;
        }
        self.unconfirmed.iter().try_for_each(|words| f.write_str(&wrapped(words, "  ")))?;
        f.write_str("\nNot tried:\n")?;
        for one in &self.not_tried {
            f.write_str(&wrapped(&format!("{}: {}", one.what, one.why), "  "))?;
        }
        let known = self.findings.iter().filter(|finding| finding.known).count();
        let found = match self.findings.len() {
            0 => "nothing found".to_owned(),
            1 => "1 finding".to_owned(),
            many => format!("{many} findings"),
        };
        let known = if known > 0 { format!(", {known} known before") } else { String::new() };
        writeln!(f, "\n{found}{known}")
    }
}

fn told(f: &mut fmt::Formatter<'_>, nth: usize, finding: &Finding) -> fmt::Result {
    let known = if finding.known { " (known)" } else { "" };
    writeln!(f, "\n{nth}. {}{known}", finding.that)?;
    let faults = finding.faults.join(" and ");
    let without = if finding.faults.len() == 1 { "it" } else { "any one of them" };
    f.write_str(&wrapped(&format!("broken by {faults}, and holds without {without}"), "   "))?;
    finding.seen.iter().try_for_each(|seen| f.write_str(&wrapped(seen, "   ")))?;
    if !finding.also.is_empty() {
        let some = finding.also.iter().take(ALSO).cloned().collect::<Vec<_>>().join("; ");
        let more = finding.also.len().saturating_sub(ALSO);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        f.write_str(&wrapped(&format!("also by {some}{more}"), "   "))?;
    }
    writeln!(f, "   {}.toml", finding.name)
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = (WIDTH - NAME) / CELL;
        let numbered: Vec<(usize, &String)> = self.on.iter().enumerate().map(|(nth, on)| (nth + 1, on)).collect();
        for part in numbered.chunks(columns) {
            f.write_char('\n')?;
            part.iter().try_for_each(|(nth, on)| writeln!(f, "{nth:>3}  {on}"))?;
            let heads: String = part.iter().map(|(nth, _)| format!("{nth:>CELL$}")).collect();
            writeln!(f, "\n{:NAME$}{heads}", "")?;
            for row in &self.effects {
                let cell = |on: &String| row.cells.get(on).map_or("", |state| state.word());
                if part.iter().all(|(_, on)| cell(on).is_empty()) {
                    continue;
                }
                let cells: String = part.iter().map(|(_, on)| format!("{:>CELL$}", cell(on))).collect();
                writeln!(f, "{}", format!("{:NAME$}{cells}", row.effect).trim_end())?;
            }
        }
        let words: Vec<String> =
            State::ALL.iter().map(|state| format!("{} ({})", state.word(), state.meaning())).collect();
        f.write_str("\n")?;
        f.write_str(&wrapped(&format!("The worst of all strengths: {}.", words.join(", ")), ""))
    }
}

/// A text in lines, each with this before it.
fn wrapped(text: &str, before: &str) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && before.len() + line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{before}{line}");
            // What goes on stands further in.
            line = "  ".to_owned() + word;
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    let _ = writeln!(out, "{before}{line}");
    out
}
