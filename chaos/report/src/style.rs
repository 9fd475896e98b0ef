//! Style of a report: width, colours, and whether a line can be redrawn. Colour only ever repeats what words say.

use crate::text::NARROW;
use anstyle::{AnsiColor, Style as Ansi};
use std::fmt::Display;

/// Style of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// ANSI colours are written.
    pub colour: bool,
    /// The number of columns.
    pub width: usize,
    /// The writer is a terminal, so that the line of progress can be redrawn.
    pub live: bool,
    /// Addresses, links and more figures are shown.
    pub verbose: bool,
}

impl Default for Style {
    /// 80 columns, plain, for a pipe.
    fn default() -> Self {
        Self { colour: false, width: 80, live: false, verbose: false }
    }
}

/// Meaning of a piece of text, which has a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// All is as it should be.
    Good,
    /// Something is as it should not be.
    Bad,
    /// Something can't be said.
    Unsure,
    /// Something of less weight.
    Faint,
    /// A heading.
    Strong,
}

impl Style {
    /// Lines are never set narrower than this: a phone's are wider.
    const NARROWEST: usize = 30;

    /// The columns to set text in.
    pub(crate) fn columns(self) -> usize {
        self.width.max(Self::NARROWEST)
    }

    /// The columns before a text that stands at a depth: half as many where lines are narrow.
    pub(crate) fn indent(self, columns: usize) -> usize {
        if self.columns() < NARROW { columns / 2 } else { columns }
    }

    /// The text in its colour, if there are colours.
    pub(crate) fn paint(self, ink: Ink, text: impl Display) -> String {
        if !self.colour {
            return text.to_string();
        }
        let ansi = match ink {
            Ink::Good => AnsiColor::Green.on_default(),
            Ink::Bad => AnsiColor::Red.on_default().bold(),
            Ink::Unsure => AnsiColor::Yellow.on_default(),
            Ink::Faint => Ansi::new().dimmed(),
            Ink::Strong => Ansi::new().bold(),
        };
        format!("{ansi}{text}{ansi:#}")
    }
}
