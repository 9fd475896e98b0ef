//! Blame: which bad responses a fault is charged with, and how soon clients noticed it. Pure.
//!
//! A response is bad if it failed, was partial or stale. A fault is charged with
//!
//! 1. those that met an injection of it, whatever else was there. Where some were bad in the baseline too, only if more of
//!    those that met one are ([`Beyond`]): a delay of all requests meets the ones that fail anyway as well;
//! 2. those that no fault is charged with by that, where they are more than the baseline has. Of several faults that were
//!    there at once it is the one that can't be ruled out: one whose every injection is joined with a request for sure, and
//!    hurt none, is. Where that leaves several, or none, it can't be said which;
//! 3. none, where it never fired.

mod beyond;
#[cfg(test)]
mod tests;

pub(crate) use beyond::{Baseline, Beyond};

use crate::responses::is_bad;
use chaos_load::Outcome;
use chaos_model::{
    Fault, Impact, RequestId, Share, Target,
    event::Fired,
    ledger::{Joined, Reason, Uncharged},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The bad responses that a fault is charged with, as far as clients noticed it by them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blame {
    /// The end of the first of them, on the timeline.
    pub(crate) first_bad: Option<Duration>,
    /// Bad responses while it was there, where it is charged with none.
    pub(crate) uncharged: Option<Uncharged>,
}

/// The blame of each fault, in their order, by selection of requests. Without any, a fault is charged with nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blames(pub(crate) Vec<Vec<Blame>>);

impl Blames {
    /// The blame of a fault, as far as the requests of a selection show it.
    pub(crate) fn of(&self, selection: usize, fault: usize) -> Blame {
        self.0.get(selection).and_then(|faults| faults.get(fault)).copied().unwrap_or_default()
    }
}

/// Everything that is known of a run's faults, by the requests of a selection.
pub(crate) struct Evidence<'a> {
    /// The faults of the scenario.
    pub(crate) faults: &'a [Fault],
    /// The outcomes of its load, by when they were due. Times count from the start of the warm-up, which takes so long.
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) warmup: Duration,
    /// True for a request of the selection, by its place in the load.
    pub(crate) has: &'a dyn Fn(usize) -> bool,
    /// The injections, joined with the requests that met them.
    pub(crate) joined: &'a [Joined],
    /// Counts of what each fault did.
    pub(crate) fired: &'a BTreeMap<String, Fired>,
    /// Faults with injections that were not kept.
    pub(crate) cut_off: &'a BTreeSet<String>,
    pub(crate) baseline: Baseline,
}

/// The bad responses that a fault is charged with because they met an injection of it: the requests' numbers, and the end of
/// the first.
struct Met {
    charged: BTreeSet<RequestId>,
    first: Option<Duration>,
}

/// A response within a fault.
struct Response {
    id: RequestId,
    ended: Duration,
    bad: bool,
}

impl Evidence<'_> {
    /// The blame of each fault, in their order.
    pub(crate) fn blame(&self) -> Vec<Blame> {
        let met: Vec<Met> = self.faults.iter().map(|fault| self.met(fault)).collect();
        (0..self.faults.len()).map(|fault| self.of(fault, &met)).collect()
    }

    /// The bad responses that a fault is charged with because they met an injection of it.
    fn met(&self, fault: &Fault) -> Met {
        let own = self.joined.iter().filter(|one| one.injection.fault == fault.name);
        let own = own.filter(|one| one.impact != Impact::Background);
        let (mut all, mut hurt) = (BTreeSet::new(), BTreeSet::new());
        for one in own {
            all.extend(one.met);
            hurt.extend(one.met.filter(|_| is_hurtful(one.impact)));
        }
        let within = self.within(fault).into_iter().filter(|response| all.contains(&response.id));
        let mut beyond = Beyond::new(self.baseline);
        let mut first = None;
        for Response { id, ended, .. } in within {
            let is_hurt = hurt.contains(&id);
            beyond.add(ended, is_hurt);
            first = first.or(is_hurt.then_some(ended));
        }
        let is_clean = self.baseline.share.parts == 0;
        let first = if is_clean { first } else { beyond.began() };
        Met { charged: if first.is_some() { hurt } else { BTreeSet::new() }, first }
    }

    fn of(&self, index: usize, met: &[Met]) -> Blame {
        let fault = &self.faults[index];
        let mut beyond = Beyond::new(self.baseline);
        let (mut bad, mut of) = (0, 0);
        let is_charged = |response: &Response| met.iter().any(|met| met.charged.contains(&response.id));
        for response in self.within(fault).iter().filter(|response| !is_charged(response)) {
            bad += u64::from(response.bad);
            of += 1;
            beyond.add(response.ended, response.bad);
        }
        let fired = self.has_fired(fault);
        let more = beyond.began();
        let charged_more = more.filter(|at| fired && self.is_the_only_one(index, *at, met));
        let first_bad = met[index].first.into_iter().chain(charged_more).min();
        let share = Share { parts: bad, whole: of };
        let reason = match more {
            _ if !fired => Reason::NeverFired,
            Some(_) => Reason::OthersToo,
            None if self.baseline.share.whole > 0 && share <= self.baseline.share => Reason::AsBefore,
            None => Reason::TooFew,
        };
        let uncharged = Uncharged { bad, of, baseline: self.baseline.share, reason };
        Blame { first_bad, uncharged: (bad > 0 && first_bad.is_none()).then_some(uncharged) }
    }

    /// The responses to requests that a fault may have met, in the order in which they ended.
    fn within(&self, fault: &Fault) -> Vec<Response> {
        let within = self.outcomes.iter().filter(|outcome| (self.has)(outcome.request)).filter_map(|outcome| {
            let at = outcome.intended.checked_sub(self.warmup)?;
            let ended = outcome.ended.saturating_sub(self.warmup);
            // It acts on what is under way before all proxies have acknowledged it.
            let is_within = at < fault.ends() && ended >= fault.at;
            is_within.then(|| Response { id: outcome.id(), ended, bad: is_bad(outcome) })
        });
        let mut within: Vec<Response> = within.collect();
        within.sort_by_key(|response| (response.ended, response.id));
        within
    }

    fn fired(&self, fault: &Fault) -> Fired {
        self.fired.get(&fault.name).copied().unwrap_or_default()
    }

    fn has_fired(&self, fault: &Fault) -> bool {
        self.fired(fault).any() || self.joined.iter().any(|one| one.injection.fault == fault.name)
    }

    /// True if no other fault may have made what went wrong at this moment.
    fn is_the_only_one(&self, index: usize, at: Duration, met: &[Met]) -> bool {
        let others =
            self.faults.iter().enumerate().filter(|(other, fault)| {
                *other != index && fault.at <= at && at < fault.ends() && self.has_fired(fault)
            });
        let is_ruled_out = |index: usize| self.is_ruled_out(&self.faults[index], &met[index]);
        let mut others = others.map(|(other, _)| other).peekable();
        others.peek().is_none() || (!is_ruled_out(index) && others.all(is_ruled_out))
    }

    /// True if it is known of all that a fault did whom it met, and it is charged with none of that.
    fn is_ruled_out(&self, fault: &Fault, met: &Met) -> bool {
        let Fired { refused, dropped, services, .. } = self.fired(fault);
        let is_told = refused + dropped + services == 0 && !self.cut_off.contains(&fault.name);
        let mut injections = self.joined.iter().filter(|one| one.injection.fault == fault.name);
        let is_known = |one: &Joined| match one.impact {
            Impact::Background => true,
            Impact::SharedFlight | Impact::Unknown => false,
            _ => one.met.is_some(),
        };
        matches!(fault.on, Target::Link(_)) && is_told && met.charged.is_empty() && injections.all(is_known)
    }
}

/// True for what makes a response bad.
pub(crate) fn is_hurtful(impact: Impact) -> bool {
    matches!(impact, Impact::Failed | Impact::Partial | Impact::Stale)
}
