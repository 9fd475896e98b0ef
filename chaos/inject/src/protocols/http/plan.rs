//! The plan for a request: what all faults that take it do, together.

use super::deeds::Deeds;
use crate::protocol::{Decision, Injected, Rate, Wait};
use chaos_model::effect::{
    MessageEnding,
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
        let mut plan = Self { delay: decision.wait(), injected: decision.injected(), ..Self::default() };
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

impl From<MessageEnding> for EarlyEnd {
    fn from(ending: MessageEnding) -> Self {
        match ending {
            MessageEnding::Instead => Self::CloseInstead,
            MessageEnding::In(part) => Self::CloseIn(part),
        }
    }
}
