//! What several effects have in common.

use crate::quantity::show_duration;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A delay that may be spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// How long, on the average.
    #[serde(rename = "delay_us", with = "crate::micros")]
    pub mean: Duration,
    /// How far from that: half the width of a uniform, the standard deviation of any other distribution. Never below 0.
    #[serde(rename = "jitter_us", with = "crate::micros", default)]
    pub jitter: Duration,
    /// How the jitter is spread.
    #[serde(default)]
    pub distribution: Distribution,
}

impl Spread {
    /// Always the same.
    #[must_use]
    pub fn constant(mean: Duration) -> Self {
        Self { mean, jitter: Duration::ZERO, distribution: Distribution::default() }
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

/// How jitter is spread.
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

    /// Its name in the language.
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

/// Which way a fault acts, seen from the side that connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// On what is sent to the node that is used.
    Upstream,
    /// On what comes back: a request and its answer together take a delay once.
    #[default]
    Downstream,
    /// On both: together they take it twice.
    Both,
}

impl Direction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Upstream, Self::Downstream, Self::Both];

    /// Its name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
            Self::Both => "both",
        }
    }

    /// What is said of it behind an effect, which is nothing for the usual one.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Upstream => " on what is sent",
            Self::Downstream => "",
            Self::Both => " each way",
        }
    }
}

/// What `refuse` does to connections that are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenConnections {
    /// They are reset.
    #[default]
    Reset,
    /// They are kept.
    Keep,
}
