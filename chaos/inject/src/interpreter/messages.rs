//! Decisions on messages: the faults on a link and one message.
//!
//! Order-free: whether a fault takes a message is a pure function of the seed, the fault's name, the link, the message's
//! key and how often that came. Attempts are counted for each fault since it began, so that no fault changes what another
//! decides.

use super::Interpreter;
use crate::{
    active::Active,
    ledger::Entry,
    link_tally::LinkTally,
    protocol::{Decide, Decision, Drawn, Injected, Key, Message, Unreadable},
};
use chaos_model::{ArrivalId, Share};
use std::{sync::Arc, time::Duration};

/// The strength of a fault that is there in full.
const WHOLE: u32 = 1_000_000;

/// Decides for one connection at one moment.
pub(crate) struct Decider<'a> {
    pub(crate) interpreter: &'a Interpreter,
    pub(crate) tally: &'a LinkTally,
    /// Counted as the interpreter's times are.
    pub(crate) now: Duration,
}

impl Decide for Decider<'_> {
    fn is_armed(&self) -> bool {
        self.of_messages().next().is_some()
    }

    fn traces(&self) -> bool {
        self.interpreter.faults.iter().any(|fault| !fault.is_of_messages())
    }

    fn draws(&self) -> bool {
        self.of_messages().any(|fault| fault.fault.share < Share::ALL)
    }

    fn knows(&self, arrival: ArrivalId) -> bool {
        self.interpreter.nonce == Some(arrival.nonce)
    }

    fn count(&mut self, kind: &str) {
        self.tally.message(kind);
    }

    fn unread(&mut self) {
        self.tally.unread();
    }

    fn spare(&mut self, why: Unreadable, messages: u64) {
        self.of_messages().for_each(|fault| fault.tally.spare_messages(why, messages));
    }

    fn spare_message(&mut self, why: Unreadable, message: &dyn Message) {
        let might_be = |fault: &&Arc<Active>| fault.might_be_for(|action, only| message.matches(action, only));
        self.of_messages().filter(might_be).for_each(|fault| fault.tally.spare_messages(why, 1));
    }

    fn has(&self, injected: &Injected) -> bool {
        self.interpreter.faults.iter().any(|fault| Arc::ptr_eq(fault, &injected.fault))
    }

    fn on_message(&mut self, message: &dyn Message) -> Decision {
        let is_for = |fault: &&Arc<Active>| fault.is_for(|action, only| message.matches(action, only));
        let mut matching = self.interpreter.faults.iter().filter(is_for).peekable();
        if matching.peek().is_none() {
            return Decision::default();
        }
        let (key, subject, arrival) = (message.key(), message.subject(), message.arrival());
        let drawn = matching.filter_map(|fault| self.draw(fault, key, &subject, arrival));
        Decision::new(drawn.collect())
    }
}

impl Decider<'_> {
    fn of_messages(&self) -> impl Iterator<Item = &Arc<Active>> {
        self.interpreter.faults.iter().filter(|fault| fault.is_of_messages())
    }

    /// Draws whether a fault that is for a message takes it.
    fn draw(&self, fault: &Arc<Active>, key: Key, subject: &str, arrival: Option<ArrivalId>) -> Option<Drawn> {
        let number = fault.count_match();
        if fault.fault.only.nth.is_some_and(|nth| !nth.has(number)) {
            return None;
        }
        let attempt = fault.counts.next(key.hash);
        let strength = fault.fault.strength(self.now.saturating_sub(fault.applied));
        let spread = fault.message_delay();
        // A delay grows by itself; of what is there or not, the share does.
        let share = if spread.is_some() { fault.fault.share } else { scaled(fault.fault.share, strength) };
        let (hash, tries) = (key.hash.to_le_bytes(), attempt.to_le_bytes());
        if !fault.draws.takes_key(share, &[b"message".as_slice(), &hash, &tries]) {
            return None;
        }
        let delay = spread.map(|spread| {
            let whole = fault.draws.delay_of(&[b"delay".as_slice(), &hash, &tries], spread);
            whole.mul_f64(f64::from(strength) / f64::from(WHOLE))
        });
        let entry = Entry { key: key.kind, subject: subject.to_owned(), arrival, attempt, bystanders: 0 };
        Some(Drawn { injected: Injected { fault: Arc::clone(fault), entry }, delay, key: key.hash })
    }
}

/// A part of a share.
fn scaled(share: Share, strength: u32) -> Share {
    if strength >= WHOLE {
        return share;
    }
    // Exact as long as it fits, which all that people write does.
    match (share.parts.checked_mul(u64::from(strength)), share.whole.checked_mul(u64::from(WHOLE))) {
        (Some(parts), Some(whole)) => Share { parts, whole },
        _ => Share { parts: share.parts / u64::from(WHOLE) * u64::from(strength), whole: share.whole },
    }
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
