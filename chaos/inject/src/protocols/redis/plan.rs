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
    /// Injections of the faults that delay it.
    pub(super) delayed: Vec<Injected>,
    /// Changes of the reply, each with its fault's injection: the first that fits the command holds.
    pub(super) changes: Vec<(Change, Injected)>,
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
    /// The plan that a decision comes to. Delays add up.
    pub(super) fn of(decision: &Decision) -> Self {
        let mut plan = Self { delay: decision.wait(), ..Self::default() };
        for (drawn, injected) in decision.iter().zip(decision.injected()) {
            if drawn.delays() {
                plan.delayed.push(injected.clone());
            }
            let action = drawn.action();
            let early = action.message.and_then(|action| action.ending).map(|ending| match ending {
                MessageEnding::Instead => Change::Truncate(Part::Bytes(0)),
                MessageEnding::In(part) => Change::Truncate(part),
            });
            let edit = || {
                let edit = action.redis.as_ref().and_then(|action| action.reply.clone())?;
                Some(Change::Edit(edit, drawn.memory()))
            };
            plan.changes.extend(early.or_else(edit).map(|change| (change, injected)));
        }
        plan
    }
}
