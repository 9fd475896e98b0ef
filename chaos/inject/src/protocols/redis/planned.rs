//! The plan for a server's reply: what faults do to it when it comes.

use super::{edit::Edit, results::Results};
use crate::protocol::{Attribution, Injected, Wait};

/// The plan for a reply.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub(super) attribution: Attribution,
    pub(super) delay: Option<Wait>,
    /// Injections of the faults that delay it.
    pub(super) delayed: Vec<Injected>,
    pub(super) edit: Option<Edit>,
    /// Injections of the faults that edit it.
    pub(super) edited: Vec<Injected>,
    /// Edits of results within it.
    pub(super) results: Results,
}

impl Planned {
    /// The injections that it would have made.
    pub(super) fn injections(self) -> impl Iterator<Item = Injected> {
        self.delayed.into_iter().chain(self.edited).chain(self.results.injections())
    }

    /// Tells whether nothing is planned, and nothing known.
    pub(super) fn is_clear(&self) -> bool {
        let is_left = self.delay.is_none() && self.edit.is_none() && self.results.is_clear();
        is_left && self.attribution.subject.is_none()
    }

    /// The faults have changed: what those that `is_there` says no more of were to do is left out.
    pub(super) fn forget(&mut self, is_there: &dyn Fn(&Injected) -> bool) {
        self.delayed.retain(is_there);
        self.results.forget(is_there);
        // The server was made to forget its transaction, which nothing undoes.
        if matches!(self.edit, Some(Edit::Abort(_))) || self.edited.is_empty() {
            return;
        }
        self.edited.retain(is_there);
        self.edit.take_if(|_| self.edited.is_empty());
    }

    /// Both plans for one reply: delays add up, and the first edit is that of all. Those of results are of this one.
    pub(super) fn and(mut self, later: Self) -> Self {
        if later.attribution.subject.is_some() {
            self.attribution = later.attribution;
        }
        self.delay = match (self.delay.take(), later.delay) {
            (Some(mut wait), Some(more)) => {
                wait.extend(more);
                Some(wait)
            }
            (one, other) => one.or(other),
        };
        self.delayed.extend(later.delayed);
        self.edit = self.edit.or(later.edit);
        self.edited.extend(later.edited);
        self
    }
}
