//! Decisions: the faults that take a message, and what each does to it.

use super::{Injected, Rate, Wait};
use crate::active::Active;
use chaos_model::effect::{Action, action::Throughput};
use std::{sync::Arc, time::Duration};

/// The faults that take a message, in the order in which they were applied.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    drawn: Vec<Drawn>,
}

/// A fault that takes a message.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub(crate) injected: Injected,
    pub(crate) delay: Option<Duration>,
    /// Hash of the message's key.
    pub(crate) key: u64,
}

impl Decision {
    /// A decision that these faults take the message.
    pub(crate) fn new(drawn: Vec<Drawn>) -> Self {
        Self { drawn }
    }

    /// A decision of one more fault, for tests of filters.
    #[cfg(test)]
    pub(crate) fn and(mut self, fault: Arc<Active>, delay: Option<Duration>) -> Self {
        let key = chaos_model::KeyKind::Message;
        let entry =
            crate::ledger::Entry { key, subject: "GET /x".to_owned(), arrival: None, attempt: 0, bystanders: 0 };
        let nth = self.drawn.len() as u64;
        self.drawn.push(Drawn { injected: Injected { fault, entry }, delay, key: nth });
        self
    }

    /// Tells whether nothing happens.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.drawn.is_empty()
    }

    /// The faults that are like this, and the others.
    pub(crate) fn split(&self, is_one: impl Fn(&Drawn) -> bool) -> (Self, Self) {
        let (those, rest) = self.drawn.iter().cloned().partition(|drawn: &Drawn| is_one(drawn));
        (Self { drawn: those }, Self { drawn: rest })
    }

    /// The faults that take the message.
    pub fn iter(&self) -> impl Iterator<Item = &Drawn> {
        self.drawn.iter()
    }

    /// The wait of the message or its response, where there is one: the delays of all faults together.
    #[must_use]
    pub fn wait(&self) -> Option<Wait> {
        let mut wait = None;
        for (drawn, delay) in self.drawn.iter().filter_map(|drawn| Some((drawn, drawn.delay?))) {
            wait.get_or_insert_with(Wait::default).add(&drawn.injected.fault, delay);
        }
        wait
    }

    /// The injections, for the ledger: said by [`Step::Fired`](super::Step::Fired) once they have happened.
    #[must_use]
    pub fn injected(&self) -> Vec<Injected> {
        self.drawn.iter().map(|drawn| drawn.injected.clone()).collect()
    }

    /// A rate that holds for as long as any of these faults is there.
    #[must_use]
    pub fn rate(&self, throughput: Throughput) -> Rate {
        Rate { throughput, faults: self.drawn.iter().map(|drawn| Arc::clone(&drawn.injected.fault)).collect() }
    }
}

impl Drawn {
    /// The fault's action: a filter does of it what is on messages and on those of its protocol.
    #[must_use]
    pub fn action(&self) -> &Action {
        &self.fault().action
    }

    /// Tells whether it makes the message or its response wait.
    #[must_use]
    pub fn delays(&self) -> bool {
        // One that grows from nothing begins with none.
        self.delay.is_some_and(|delay| !delay.is_zero())
    }

    /// A seed for what chance decides within the message, for the nth of such things.
    #[must_use]
    pub fn seed(&self, nth: usize) -> u64 {
        let (attempt, nth) = (self.injected.entry.attempt, nth as u64);
        let parts: [&[u8]; 4] = [b"body", &self.key.to_le_bytes(), &attempt.to_le_bytes(), &nth.to_le_bytes()];
        self.fault().draws.hash(&parts)
    }

    /// The fault's memory, one for all connections of its link. It is made when it is asked for first; a filter asks for
    /// one type alone.
    #[must_use]
    pub fn memory<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.fault().memory()
    }

    fn fault(&self) -> &Arc<Active> {
        &self.injected.fault
    }
}
