//! The ledger: which request met each injection, and what came of it for that. Pure.
//!
//! Which request met it, by what is surest:
//!
//! 1. *By number.* Bytes of a message that carries the number of an arrival were met by that one. Whatever carries the
//!    number of another run, and on the clients' link whatever carries none, is a stranger's: background.
//! 2. *Nobody.* A connection on which no message was under way had nobody who waited for it: background.
//! 3. *By name.* A message that names requests under way ([`names`]), by a value that the load tells them apart by, is
//!    that of the one it names. Where it names several, they asked for the same: what all of them came to is known. Else it
//!    was a shared flight where a response says so, and otherwise it can't be said whose it was: each may have made a
//!    message of its own. One that names only requests which are over happened in the background.
//! 4. *By what is left.* A message without a name is nobody's, on a link whose other messages have names, unless a
//!    request under way was hurt that no injection of its own explains. Of a connection, or on a link where no message
//!    has a name, it was that of the only request under way, or of one of several that came to the same. Where they did
//!    not, it can't be said, unless injections of their own explain all that were hurt.
//! 5. Where nobody was in flight, it happened in the background.
//!
//! What it came to: a request that was answered in full was slower if it took longer than the baseline's p99, and,
//! where a delay was injected, at least half of that longer than the baseline's median. Where none was injected, 1 %
//! are beyond the p99 by chance, so it takes more than the baseline's slowest. Without a baseline, a response that took
//! as long as its delay was slower, and one that took less than half of it did not wait for it. What came after its
//! response was in the background. A response that says that it came of another request's flight (`collapsed` in
//! `Cache-Status`, RFC 9211) shows what that flight met. So unless it was whole and in time, what came of the injection
//! can't be told from it. Where a delay and an injection of another fault met one request, and its response was bad, the
//! other made it so.

mod names;
mod sums;

pub(crate) use sums::sums;

use crate::{
    blame::is_hurtful,
    responses::{is_good, is_partial, is_shared, is_stale},
};
use chaos_load::Outcome;
use chaos_model::{Histogram, Impact, Injection, Nonce, RequestId, RunKey, Scenario, ledger::Joined};
use names::{Met, Names};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// An injection that began so much later than a response's last byte came after it; clocks of proxies differ by less.
const SLACK: Duration = Duration::from_millis(10);

/// The beginning of the link on which the load's own requests are.
const CLIENTS: &str = "client -> ";

/// The injections of one fault; times count from the start of the timeline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Injections {
    pub(crate) list: Vec<Injection>,
    pub(crate) left_out: u64,
}

/// Joins injections with the arrivals of a run.
pub(crate) struct Join<'a> {
    /// By when they were due. Times count from the start of the warm-up.
    outcomes: &'a [Outcome],
    /// Their places there, by which request it was.
    places: BTreeMap<RequestId, usize>,
    /// The nonce of the run: what carries another is none of its requests.
    nonce: Nonce,
    names: Names,
    warmup: Duration,
    /// The longest latency of the run, from when a request was due.
    longest: Duration,
    baseline: Option<Usual>,
}

/// Latencies of the baseline.
#[derive(Clone, Copy, Debug)]
struct Usual {
    p50: Duration,
    p99: Duration,
    max: Duration,
}

/// The meeting of an injection as far as it is known by itself.
enum Found {
    /// The request that met it, if one did, and what came of it.
    Sure(Option<RequestId>, Impact),
    /// A message without a name.
    Nameless,
    /// A connection, or a message that is not known.
    Open,
}

impl<'a> Join<'a> {
    pub(crate) fn new(scenario: &Scenario, outcomes: &'a [Outcome], baseline: Option<&Histogram>, key: RunKey) -> Self {
        let load = &scenario.load;
        let baseline = baseline.and_then(|latency| {
            Some(Usual { p50: latency.percentile(50_000)?, p99: latency.percentile(99_000)?, max: latency.max()? })
        });
        let longest = outcomes.iter().map(Outcome::latency).max().unwrap_or_default();
        let names = Names::new(load, key.seed);
        Self { outcomes, places: places(outcomes), nonce: key.nonce, names, warmup: load.warmup, longest, baseline }
    }

    /// All injections of a run, each with the request that met it.
    pub(crate) fn join(&self, injections: Vec<Injection>) -> Vec<Joined> {
        let met: Vec<Option<Met<'_>>> = injections.iter().map(|injection| self.nameable(injection)).collect();
        let words = self.names.naming(self.outcomes, &met);
        let found: Vec<Found> = injections.iter().zip(&words).map(|(one, words)| self.find(one, words)).collect();
        let mut explained = BTreeSet::new();
        let mut named = BTreeSet::new();
        for (injection, found) in injections.iter().zip(&found) {
            if let Found::Sure(met, impact) = found {
                explained.extend(met.filter(|_| *impact != Impact::Background));
                named.extend(injection.message().map(|_| injection.link.clone()));
            }
        }
        let join = |(injection, found): (Injection, Found)| {
            let (met, impact) = match found {
                Found::Sure(met, impact) => (met, impact),
                Found::Nameless if named.contains(&injection.link) => (None, self.nobodys(&injection, &explained)),
                Found::Nameless | Found::Open => self.of_those_under_way(&injection, &explained),
            };
            Joined { injection, met, impact }
        };
        let mut joined: Vec<Joined> = injections.into_iter().zip(found).map(join).collect();
        acquit_delays(&mut joined);
        joined
    }

    /// The message that an injection met, where it is known by nothing but by names.
    fn nameable<'i>(&self, injection: &'i Injection) -> Option<Met<'i>> {
        let is_named = injection.arrival.is_none() && !injection.idle && !is_strangers(injection);
        let message = injection.message().filter(|_| is_named)?;
        Some(Met { link: &injection.link, message, at: injection.at + self.warmup })
    }

    /// The request that met an injection, whose message has these `words` that are names.
    fn find(&self, injection: &Injection, words: &BTreeSet<u64>) -> Found {
        if let Some(arrival) = injection.arrival {
            if arrival.nonce != self.nonce {
                return Found::Sure(None, Impact::Background);
            }
            return match self.places.get(&arrival.request()) {
                Some(place) => self.sure(injection, &self.outcomes[*place]),
                // One that this run did not make.
                None => Found::Sure(None, Impact::Unknown),
            };
        }
        if injection.idle || is_strangers(injection) {
            return Found::Sure(None, Impact::Background);
        }
        if injection.message().is_none() {
            return Found::Open;
        }
        let at = injection.at + self.warmup;
        // A proxy's clock may be a little late or early.
        let under_way = [Duration::ZERO, SLACK].into_iter().find_map(|slack| self.named(words, at, slack));
        match under_way.as_deref() {
            Some([only]) => self.sure(injection, only),
            Some(all) => Found::Sure(None, self.of_several(injection, all)),
            None if self.names.named_by(self.outcomes, words, at) => Found::Sure(None, Impact::Background),
            None => Found::Nameless,
        }
    }

    /// The requests under way that most of these words name, at least one.
    fn named(&self, words: &BTreeSet<u64>, at: Duration, slack: Duration) -> Option<Vec<&'a Outcome>> {
        if words.is_empty() {
            return None;
        }
        let counts: Vec<_> = self.under_way(at, slack).map(|one| (self.names.count(words, one), one)).collect();
        let most = counts.iter().map(|(count, _)| *count).max().filter(|most| *most > 0)?;
        Some(counts.into_iter().filter(|(count, _)| *count == most).map(|(_, one)| one).collect())
    }

    /// The impact of a message that is one of several requests', by its name.
    fn of_several(&self, injection: &Injection, all: &[&Outcome]) -> Impact {
        let impacts: BTreeSet<Impact> = all.iter().map(|outcome| self.of(injection, outcome)).collect();
        match impacts.first() {
            Some(only) if impacts.len() == 1 => *only,
            // Only a response can say that one message served several.
            _ if impacts.contains(&Impact::SharedFlight) => Impact::SharedFlight,
            _ => Impact::Unknown,
        }
    }

    fn sure(&self, injection: &Injection, outcome: &Outcome) -> Found {
        Found::Sure(Some(outcome.id()), self.of(injection, outcome))
    }

    /// The impact of a message without a name where others have one: nobody's, unless somebody was hurt whom nothing
    /// else explains.
    fn nobodys(&self, injection: &Injection, explained: &BTreeSet<RequestId>) -> Impact {
        if self.has_hurt(injection, explained) { Impact::Unknown } else { Impact::Background }
    }

    fn of_those_under_way(
        &self,
        injection: &Injection,
        explained: &BTreeSet<RequestId>,
    ) -> (Option<RequestId>, Impact) {
        let all: Vec<_> = self.under_way(injection.at + self.warmup, Duration::ZERO).collect();
        match all[..] {
            [] => (None, Impact::Background),
            [only] => (Some(only.id()), self.of(injection, only)),
            _ => {
                let alike = self.all_alike(injection, all.iter().copied());
                let harmless = || (!self.has_hurt(injection, explained)).then_some(Impact::Unnoticed);
                (None, alike.or_else(harmless).unwrap_or(Impact::Unknown))
            }
        }
    }

    /// The impact that all of these share, if they do.
    fn all_alike<'b>(&self, injection: &Injection, outcomes: impl Iterator<Item = &'b Outcome>) -> Option<Impact> {
        let impacts: BTreeSet<Impact> = outcomes.map(|outcome| self.of(injection, outcome)).collect();
        impacts.first().copied().filter(|_| impacts.len() == 1)
    }

    /// True if a request that was under way came to harm that no injection of its own explains.
    fn has_hurt(&self, injection: &Injection, explained: &BTreeSet<RequestId>) -> bool {
        let mut others = self
            .under_way(injection.at + self.warmup, Duration::ZERO)
            .filter(|outcome| !explained.contains(&outcome.id()));
        others.any(|outcome| !matches!(self.of(injection, outcome), Impact::Unnoticed | Impact::SharedFlight))
    }

    /// The requests that were under way at this moment, give or take some.
    fn under_way(&self, at: Duration, slack: Duration) -> impl Iterator<Item = &'a Outcome> {
        let first = self.outcomes.partition_point(|outcome| outcome.intended + self.longest + slack < at);
        let due = self.outcomes[first..].iter().take_while(move |outcome| outcome.intended <= at + slack);
        due.filter(move |outcome| {
            outcome.started.is_some_and(|started| started <= at + slack) && at <= outcome.ended + slack
        })
    }

    fn of(&self, injection: &Injection, outcome: &Outcome) -> Impact {
        if outcome.started.is_none() {
            return Impact::Unknown;
        }
        if injection.at + self.warmup > outcome.ended + SLACK {
            return Impact::Background;
        }
        let impact = self.impact(injection, outcome);
        if is_shared(&outcome.marks) && impact != Impact::Unnoticed { Impact::SharedFlight } else { impact }
    }

    fn impact(&self, injection: &Injection, outcome: &Outcome) -> Impact {
        if !is_good(outcome) {
            return Impact::Failed;
        }
        if is_partial(&outcome.marks) {
            return Impact::Partial;
        }
        if is_stale(&outcome.marks) {
            return Impact::Stale;
        }
        let latency = outcome.latency();
        let slower = match (injection.achieved.or(injection.asked), self.baseline) {
            (Some(delay), Some(usual)) => latency > usual.p99 && latency >= usual.p50 + delay / 2,
            (None, Some(usual)) => latency > usual.max,
            (Some(delay), None) if latency >= delay || latency < delay / 2 => latency >= delay,
            (_, None) => return Impact::Unknown,
        };
        if slower { Impact::Slower } else { Impact::Unnoticed }
    }
}

/// The places of outcomes, by which request they are of.
fn places(outcomes: &[Outcome]) -> BTreeMap<RequestId, usize> {
    outcomes.iter().enumerate().map(|(place, outcome)| (outcome.id(), place)).collect()
}

/// True where a message is a stranger's: on the clients' link, where every request of the load has a number.
fn is_strangers(injection: &Injection) -> bool {
    injection.message().is_some() && injection.link.starts_with(CLIENTS)
}

/// Acquits delays of what another fault made bad: how that response would have come out without it is not known.
fn acquit_delays(joined: &mut [Joined]) {
    let is_delay = |one: &Joined| one.injection.asked.is_some();
    let mut made_bad: BTreeMap<RequestId, BTreeSet<String>> = BTreeMap::new();
    for one in joined.iter().filter(|one| is_hurtful(one.impact) && !is_delay(one)) {
        if let Some(n) = one.met {
            made_bad.entry(n).or_default().insert(one.injection.fault.clone());
        }
    }
    for one in joined.iter_mut().filter(|one| is_hurtful(one.impact) && is_delay(one)) {
        let by = one.met.and_then(|n| made_bad.get(&n));
        if by.is_some_and(|by| by.iter().any(|fault| *fault != one.injection.fault)) {
            one.impact = Impact::Unknown;
        }
    }
}

#[cfg(test)]
mod tests;
