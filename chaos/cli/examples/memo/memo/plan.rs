//! The plan for a command: what all faults that take it do, together.

use chaos_inject::protocol::{Decision, Injected, Wait};
use chaos_model::effect::{MessageEnding, action::Part};

/// The plan for a command and its reply.
#[derive(Clone, Debug, Default)]
pub(super) struct MemoPlan {
    /// The reply comes this much later.
    pub(super) delay: Option<Wait>,
    /// The connection ends in place of the reply, and the store is not asked.
    pub(super) hangs_up: bool,
    /// This part of the reply comes, and the connection ends.
    pub(super) keep: Option<Part>,
    /// Injections that go to the ledger once they have happened.
    pub(super) injected: Vec<Injected>,
}

impl MemoPlan {
    /// The plan that a decision comes to. Delays add up, the first ending holds.
    pub(super) fn of(decision: &Decision) -> Self {
        let ending = decision.iter().find_map(|drawn| drawn.action().message?.ending);
        let keep = match ending {
            Some(MessageEnding::In(part)) => Some(part),
            Some(MessageEnding::Instead) | None => None,
        };
        let hangs_up = ending == Some(MessageEnding::Instead);
        Self { delay: decision.wait(), hangs_up, keep, injected: decision.injected() }
    }
}
