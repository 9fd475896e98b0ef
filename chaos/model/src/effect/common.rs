//! Values that several effects have in common: spreads of delays, directions, the fate of open connections.

use super::Written;
use crate::quantity::{show_duration, write_duration};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A delay that may be spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// Average delay.
    #[serde(rename = "delay_us", with = "crate::micros")]
    pub mean: Duration,
    /// Distance from the average: half the width of a uniform, the standard deviation of any other distribution. A
    /// delay is never below 0.
    #[serde(rename = "jitter_us", with = "crate::micros", default)]
    pub jitter: Duration,
    /// Distribution of the jitter.
    #[serde(default)]
    pub distribution: Distribution,
}

impl Spread {
    /// Always the same.
    #[must_use]
    pub fn constant(mean: Duration) -> Self {
        Self { mean, jitter: Duration::ZERO, distribution: Distribution::default() }
    }

    /// Its keys, as [`Keys::spread`](super::Keys::spread) reads them.
    pub(crate) fn written(self) -> Written {
        let mut keys = vec![("delay", write_duration(self.mean))];
        // Without jitter there is nothing to distribute.
        if !self.jitter.is_zero() {
            keys.push(("jitter", write_duration(self.jitter)));
            keys.push(("distribution", self.distribution.name().to_owned()));
        }
        keys
    }
}

/// `200ms ± 50ms (normal)`.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show_duration(self.mean))?;
        if self.jitter.is_zero() {
            return Ok(());
        }
        write!(f, " ± {}", show_duration(self.jitter))?;
        match self.distribution {
            Distribution::Uniform => Ok(()),
            other => write!(f, " ({})", other.name()),
        }
    }
}

/// Distribution of a delay around its average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Evenly between delay - jitter and delay + jitter.
    #[default]
    Uniform,
    /// Normally, with the jitter as standard deviation, cut off at 0.
    Normal,
    /// Log-normally, with this mean and standard deviation: skewed to the right, as response times are.
    Lognormal,
    /// By Pareto's law, with this mean and standard deviation: most are short, some very long.
    Pareto,
}

impl Distribution {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Uniform, Self::Normal, Self::Lognormal, Self::Pareto];

    /// The distribution's name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Normal => "normal",
            Self::Lognormal => "lognormal",
            Self::Pareto => "pareto",
        }
    }
}

/// The direction that bytes go in on a connection, seen from the side that connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the service that is used.
    Upstream,
    /// Back from it.
    Downstream,
}

impl Direction {
    /// The direction's name.
    // A part of the keys of draws: never to be changed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
        }
    }
}

/// Directions in which a fault acts, seen from the side that connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directions {
    /// On what is sent to the service that is used.
    Upstream,
    /// On what comes back: a request and its response together take a delay once.
    #[default]
    Downstream,
    /// On both: together they take it twice.
    Both,
}

impl Directions {
    /// True where this direction is among them.
    #[must_use]
    pub fn has(self, direction: Direction) -> bool {
        match self {
            Self::Upstream => direction == Direction::Upstream,
            Self::Downstream => direction == Direction::Downstream,
            Self::Both => true,
        }
    }

    /// All of them.
    pub const ALL: [Self; 3] = [Self::Upstream, Self::Downstream, Self::Both];

    /// The direction's name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
            Self::Both => "both",
        }
    }

    /// Its key, as [`Keys::direction`](super::Keys::direction) reads it.
    pub(crate) fn written(self) -> (&'static str, String) {
        ("direction", self.name().to_owned())
    }

    /// The words for it behind an effect, none for the usual one.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Upstream => " on what is sent",
            Self::Downstream => "",
            Self::Both => " each way",
        }
    }
}

/// The fate of open connections under `refuse`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenConnections {
    /// Open connections are reset.
    #[default]
    Reset,
    /// Open connections are kept.
    Keep,
}

impl OpenConnections {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Reset, Self::Keep];

    /// The fate's name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Keep => "keep",
        }
    }
}

/// The form of a body that an effect changes, where the body has a content coding (RFC 9110, 8.4): gzip, for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// Without its coding, as its reader has it; the head says what is right for what comes then.
    #[default]
    Undone,
    /// As it is sent; the head says what the service said, but for the length.
    Raw,
}

impl Coding {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Undone, Self::Raw];

    /// The form's name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Undone => "undone",
            Self::Raw => "raw",
        }
    }

    /// Tells whether it is the usual one.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Its key, as [`Keys::coding`](super::Keys::coding) reads it; none for the usual one.
    pub(crate) fn written(self) -> Option<(&'static str, String)> {
        (!self.is_usual()).then(|| ("coding", self.name().to_owned()))
    }

    /// The words for it behind an effect, none for the usual one.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Undone => "",
            Self::Raw => ", as it is sent",
        }
    }
}
