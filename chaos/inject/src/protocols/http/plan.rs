//! The plan for a request: what all faults that take it do, together.

use super::deeds::Deeds;
use crate::protocol::{Decision, Drawn, Injected, Rate, Wait};
use chaos_model::effect::{
    Action, Coding, MessageEnding,
    action::{BodyEdit, CannedResponse, HeaderEdit, Part, Throughput},
};

/// The plan for a request and its response: the actions of all faults that take it, together.
#[derive(Clone, Debug, Default)]
pub(super) struct HttpPlan {
    /// The response begins this much later, counted from the moment at which it would have begun.
    pub(super) delay: Option<Wait>,
    /// The service is not asked; this is the response.
    pub(super) response: Option<CannedResponse>,
    /// Edits of the response's head, in order.
    pub(super) head: Vec<HeaderEdit>,
    /// Edits of the response's body, in order, each with a seed for what chance decides.
    pub(super) body: Vec<(BodyEdit, u64)>,
    /// Rate of the body, the lowest that a fault asks for.
    pub(super) rate: Option<Rate>,
    /// End of the connection before the response is whole.
    pub(super) ending: Option<EarlyEnd>,
    /// Edits of the body are of what its reader has, and the head is to be right for what comes.
    pub(super) undone: bool,
    /// The decision that it is of.
    pub(super) decision: Decision,
    /// Injections that go to the ledger once they have happened: when the response's head has been seen (or made).
    pub(super) injected: Vec<Injected>,
    /// The part that each of these has in all that happens.
    pub(super) deeds: Vec<Deeds>,
}

/// The end of a connection before that of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EarlyEnd {
    /// In an orderly way, in place of the response.
    CloseInstead,
    /// In an orderly way, after the head and this part of the body: fewer bytes than were announced.
    CloseIn(Part),
    /// With a reset, after the head and this part of the body.
    ResetIn(Part),
}

impl HttpPlan {
    /// The plan that a decision comes to. Delays add up, the first canned response holds, edits apply in the order in
    /// which the faults were applied, the first ending wins.
    pub(super) fn of(decision: &Decision) -> Self {
        let (delay, injected) = (decision.wait(), decision.injected());
        let mut plan = Self { delay, injected, decision: decision.clone(), ..Self::default() };
        let (mut slowest, mut edits) = (None, 0);
        for (nth, drawn) in decision.iter().enumerate() {
            let action = drawn.action();
            let mut deeds = Deeds { delays: drawn.delays(), ..Deeds::default() };
            let early = action.message.and_then(|action| action.ending).map(EarlyEnd::from);
            deeds.ends |= take(&mut plan.ending, early);
            if let Some(action) = &action.http {
                deeds.responds = take(&mut plan.response, action.response.clone());
                deeds.head = plan.head.len()..plan.head.len() + action.head.len();
                plan.head.extend(action.head.iter().cloned());
                match &action.body {
                    Some(BodyEdit::Trickle(rate)) => slowest = slower(slowest, (*rate, nth)),
                    Some(edit) => {
                        plan.undone |= action.coding == Coding::Undone;
                        deeds.body = Some(plan.body.len());
                        plan.body.push((edit.clone(), drawn.seed(edits)));
                    }
                    None => {}
                }
                // Counted with those that trickle: the place is a part of the seed.
                edits += usize::from(action.body.is_some());
                deeds.ends |= take(&mut plan.ending, action.resets_in.map(EarlyEnd::ResetIn));
            }
            plan.deeds.push(deeds);
        }
        if let Some((throughput, nth)) = slowest {
            plan.rate = Some(decision.rate(throughput));
            plan.deeds[nth].slows = true;
        }
        plan
    }

    /// Tells whether the body has to be there without its coding: one that is replaced has not.
    pub(super) fn changes_content(&self) -> bool {
        let replaces = self.body.iter().any(|(edit, _)| matches!(edit, BodyEdit::Replace(_)));
        self.undone && !replaces && !self.body.is_empty()
    }

    /// Tells whether the length of the body has to be known.
    pub(super) fn needs_length(&self) -> bool {
        let replaced = self.body.iter().position(|(edit, _)| matches!(edit, BodyEdit::Replace(_)));
        let edits = &self.body[..replaced.unwrap_or(self.body.len())];
        let shortens = edits.iter().any(|(edit, _)| matches!(edit, BodyEdit::Shorten(part) if part.is_share()));
        let part = self.ending.and_then(EarlyEnd::part).filter(|_| replaced.is_none());
        shortens || part.is_some_and(Part::is_share)
    }

    /// Leaves out the faults that are like this; gives what would have been told of them.
    pub(super) fn leave_out(&mut self, is_one: impl Fn(&Drawn) -> bool) -> Vec<Injected> {
        let (left, kept) = self.decision.split(is_one);
        *self = Self::of(&kept);
        left.injected()
    }

    /// Tells whether nothing happens.
    pub(super) fn is_clear(&self) -> bool {
        self.injected.is_empty()
    }
}

/// Takes what is asked for where nothing was before; says whether it is that which holds.
fn take<T>(held: &mut Option<T>, asked: Option<T>) -> bool {
    let holds = held.is_none() && asked.is_some();
    if holds {
        *held = asked;
    }
    holds
}

/// The slower of two rates, each with the place of its fault.
fn slower(before: Option<(Throughput, usize)>, asked: (Throughput, usize)) -> Option<(Throughput, usize)> {
    Some(before.filter(|(before, _)| before.bytes_per_second <= asked.0.bytes_per_second).unwrap_or(asked))
}

impl EarlyEnd {
    /// The part of the body that comes, where that has begun.
    pub(super) fn part(self) -> Option<Part> {
        match self {
            Self::CloseIn(part) | Self::ResetIn(part) => Some(part),
            Self::CloseInstead => None,
        }
    }
}

/// Tells whether a fault changes what a body says.
pub(super) fn changes_content(action: &Action) -> bool {
    let http = action.http.as_ref().filter(|action| action.coding == Coding::Undone);
    let edit = http.and_then(|action| action.body.as_ref());
    matches!(edit, Some(BodyEdit::Shorten(_) | BodyEdit::Garble { .. } | BodyEdit::Pad(_)))
}

/// Tells whether a fault is for a share of a body.
pub(super) fn needs_length(action: &Action) -> bool {
    let ending = action.message.and_then(|action| action.ending).map(EarlyEnd::from).and_then(EarlyEnd::part);
    let http = action.http.as_ref();
    let shortens = match http.and_then(|action| action.body.as_ref()) {
        Some(BodyEdit::Shorten(part)) => Some(*part),
        _ => None,
    };
    [ending, http.and_then(|action| action.resets_in), shortens].into_iter().flatten().any(Part::is_share)
}

impl From<MessageEnding> for EarlyEnd {
    fn from(ending: MessageEnding) -> Self {
        match ending {
            MessageEnding::Instead => Self::CloseInstead,
            MessageEnding::In(part) => Self::CloseIn(part),
        }
    }
}
