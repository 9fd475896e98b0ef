//! Verdicts of a run, and of each of its parts.

use serde::{Deserialize, Serialize};

/// A verdict. Ordered from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All held that had to.
    Pass,
    /// Nothing can be said: a fault never fired, too few samples, a load that was not reached, a selector that no
    /// scrape has.
    Inconclusive,
    /// Something did not hold.
    Fail,
}

impl Verdict {
    /// The verdict of several together: one failure fails, and nothing passes while something can't be said.
    pub fn of_all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().max().unwrap_or(Self::Pass)
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        })
    }
}
