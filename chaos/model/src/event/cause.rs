//! Causes for which a run is inconclusive as a whole.

use serde::{Deserialize, Serialize};

/// The cause for which a run is inconclusive, where it is more than its words: proofs pass over some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A fault met nobody, so that nothing was survived.
    NeverFired,
    /// Whatever its words say.
    #[default]
    Other,
}

impl Cause {
    /// True for what only words tell apart, which recordings leave out.
    pub(super) fn is_other(&self) -> bool {
        *self == Self::Other
    }
}
