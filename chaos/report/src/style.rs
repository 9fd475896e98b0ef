//! How a report looks: width, colours, and whether a line can be redrawn. Colour only ever repeats what words say.

use anstyle::{AnsiColor, Style as Ansi};
use std::fmt::Display;

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to write ANSI colours.
    pub colour: bool,
    /// How many columns there are.
    pub width: usize,
    /// Whether the writer is a terminal, so that the line of progress can be redrawn.
    pub live: bool,
    /// Whether to show addresses, links and more figures.
    pub verbose: bool,
}

impl Default for Style {
    /// 80 columns, plain, for a pipe.
    fn default() -> Self {
        Self { colour: false, width: 80, live: false, verbose: false }
    }
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// As it should be.
    Good,
    /// As it should not be.
    Bad,
    /// It can't be said.
    Unsure,
    /// Of less weight.
    Faint,
    /// A heading.
    Strong,
}

impl Style {
    /// Lines are never set narrower than this: a table of numbers can't be.
    const NARROWEST: usize = 60;

    /// The columns to set text in.
    pub(crate) fn columns(self) -> usize {
        self.width.max(Self::NARROWEST)
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
