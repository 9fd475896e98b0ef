//! The plan for a command: what all faults that take it do, together.

use super::values::Values;
use crate::protocol::{Decision, Injected, Wait};
use chaos_model::effect::{
    MessageEnding,
    action::{Part, ReplyEdit},
};
use std::sync::Arc;

/// The plan for a command and its reply.
#[derive(Clone, Debug, Default)]
pub(super) struct RedisPlan {
    /// The reply comes this much later, and what is behind it on its connection with it.
    pub(super) delay: Option<Wait>,
    /// Change of the reply.
    pub(super) reply: Option<Change>,
    /// Injections that go to the ledger once they have happened. An edit that does not fit the command (a miss of a
    /// write) does not happen.
    pub(super) injected: Vec<Injected>,
}

/// A change of a reply.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Edits it; the values are those that the fault remembers, on all connections of its link.
    Edit(ReplyEdit, Arc<Values>),
    /// This part of it comes, and the connection is closed.
    Truncate(Part),
}

impl RedisPlan {
    /// The plan that a decision comes to. Delays add up, the first change of the reply holds.
    pub(super) fn of(decision: &Decision) -> Self {
        let changes = decision.iter().filter_map(|drawn| {
            let action = drawn.action();
            let early = action.message.and_then(|action| action.ending).map(|ending| match ending {
                MessageEnding::Instead => Change::Truncate(Part::Bytes(0)),
                MessageEnding::In(part) => Change::Truncate(part),
            });
            let edit = action.redis.as_ref().and_then(|action| action.reply.clone());
            early.or_else(|| edit.map(|edit| Change::Edit(edit, drawn.memory())))
        });
        let reply = changes.take(1).next();
        Self { delay: decision.wait(), reply, injected: decision.injected() }
    }
}
