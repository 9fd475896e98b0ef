//! Deeds: the part that each fault has in what happens to a response. A fault that changes nothing of it is not told: not
//! the second status, nor a field that is not there to be taken away.

use super::body::{Chain, Change};
use crate::protocol::Injected;
use std::ops::Range;

/// The part that a fault has in a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Deeds {
    /// The response begins later.
    pub(super) delays: bool,
    /// The response in the service's place is its own.
    pub(super) responds: bool,
    /// Edits of its own among those of the head,
    pub(super) head: Range<usize>,
    /// and its edit among those of the body.
    pub(super) body: Option<usize>,
    /// The rate of the body is its own.
    pub(super) slows: bool,
    /// The early end of the connection is its own.
    pub(super) ends: bool,
}

/// A response, as far as its head tells what happens to it.
pub(super) struct Seen<'a> {
    /// By edit of the head, whether it changes something.
    pub(super) head: Vec<bool>,
    pub(super) body: &'a Chain,
    /// The body comes at a rate.
    pub(super) limited: bool,
    /// The connection ends in the response's place.
    pub(super) is_cut: bool,
}

/// The injections of a plan that happen.
pub(super) struct Happening {
    /// Injections that surely do,
    pub(super) now: Vec<Injected>,
    /// and those that may yet, each with the place of its edit among those of the body.
    pub(super) perhaps: Vec<(usize, Injected)>,
}

impl Happening {
    /// Sorts injections, each with its deeds, by what is seen of the response.
    pub(super) fn of<'a>(all: impl Iterator<Item = (&'a Injected, &'a Deeds)>, seen: &Seen<'_>) -> Self {
        let mut this = Self { now: Vec::new(), perhaps: Vec::new() };
        for (injected, deeds) in all {
            match (deeds.change(seen), deeds.body) {
                (Change::Sure, _) => this.now.push(injected.clone()),
                (Change::Open, Some(place)) => this.perhaps.push((place, injected.clone())),
                (Change::Open | Change::Nothing, _) => {}
            }
        }
        this
    }
}

impl Deeds {
    fn change(&self, seen: &Seen<'_>) -> Change {
        if self.delays || self.responds || self.ends {
            return Change::Sure;
        }
        if seen.is_cut {
            return Change::Nothing;
        }
        let in_head = self.head.clone().any(|place| seen.head.get(place).is_some_and(|changes| *changes));
        match self.body {
            _ if in_head || (self.slows && seen.limited) => Change::Sure,
            Some(place) => seen.body.change(place),
            None => Change::Nothing,
        }
    }
}
