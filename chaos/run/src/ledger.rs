//! The ledger: which request met each injection, and what came of it for that. Pure.
//!
//! - An injection that carries the number of an arrival was met by that one. A command or a connection carries none: it is
//!   that of the only request in flight at the entry then, and it can't be said where there are several.
//! - Where nobody was in flight, or the one it was made for had its answer already, it happened in the background.
//! - A request that was answered in full was slower if it took longer than the baseline's p99, and, where a delay was
//!   injected, at least half of that longer than the baseline's median. Where none was injected, 1 % are beyond the p99
//!   by chance, so it takes more than the baseline's slowest.
//! - An answer that says that it came of another request's flight (`collapsed` in `Cache-Status`, RFC 9211) shows what that
//!   flight met. So unless it was whole and in time, what came of the injection can't be told from it.

use crate::{
    examine::{is_partial, is_shared, is_stale},
    judge::{Evidence, Stretch, percentile},
};
use chaos_load::Outcome;
use chaos_model::{
    Impact, Injection,
    ledger::{Delays, FaultFigures, Joined},
    phase::BASELINE,
};
use std::time::Duration;

/// An injection that began so much later than an answer's last byte came after it; clocks of proxies differ by less.
const SLACK: Duration = Duration::from_millis(10);

/// The injections of one fault; times count from the start of the timeline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Injections {
    pub(crate) list: Vec<Injection>,
    pub(crate) left_out: u64,
}

/// Joins injections with the arrivals of a run.
pub(crate) struct Join<'a> {
    /// By number, and so by when they were due. Times count from the start of the warm-up.
    outcomes: &'a [Outcome],
    warmup: Duration,
    /// How long a request took at most, from when it was due.
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

impl<'a> Join<'a> {
    pub(crate) fn new(evidence: &Evidence<'a>) -> Self {
        let timeout = evidence.scenario.load.timeout;
        let baseline = evidence.scenario.timeline.phase(BASELINE).and_then(|phase| {
            let latencies = crate::judge::sorted(&Stretch::phase(evidence, phase), timeout);
            let max = *latencies.last()?;
            Some(Usual { p50: percentile(&latencies, 50_000)?, p99: percentile(&latencies, 99_000)?, max })
        });
        let warmup = evidence.scenario.load.warmup;
        let longest = evidence.outcomes.iter().map(Outcome::latency).max().unwrap_or_default();
        Self { outcomes: evidence.outcomes, warmup, longest, baseline }
    }

    /// The injection with the request that met it.
    pub(crate) fn join(&self, injection: Injection) -> Joined {
        let (met, impact) = match injection.arrival {
            Some(n) => match self.outcomes.binary_search_by_key(&n, |outcome| outcome.n) {
                Ok(index) => self.of(&injection, &self.outcomes[index]),
                // Of another load than this run's.
                Err(_) => (None, Impact::Unknown),
            },
            None => match self.in_flight(injection.at + self.warmup)[..] {
                [] => (None, Impact::Background),
                [only] => self.of(&injection, only),
                _ => (None, Impact::Unknown),
            },
        };
        Joined { injection, met, impact }
    }

    /// The first requests that were under way at this moment; two at the most, since more say no more.
    fn in_flight(&self, at: Duration) -> Vec<&'a Outcome> {
        let first = self.outcomes.partition_point(|outcome| outcome.intended + self.longest < at);
        let due = self.outcomes[first..].iter().take_while(|outcome| outcome.intended <= at);
        let spans = |outcome: &&Outcome| outcome.started.is_some_and(|started| started <= at) && at <= outcome.ended;
        due.filter(spans).take(2).collect()
    }

    fn of(&self, injection: &Injection, outcome: &Outcome) -> (Option<u64>, Impact) {
        let met = Some(outcome.n);
        if outcome.started.is_none() {
            return (met, Impact::Unknown);
        }
        if injection.at + self.warmup > outcome.ended + SLACK {
            return (met, Impact::Background);
        }
        let impact = self.impact(injection, outcome);
        if is_shared(outcome.marks) && impact != Impact::Unnoticed {
            return (met, Impact::SharedFlight);
        }
        (met, impact)
    }

    fn impact(&self, injection: &Injection, outcome: &Outcome) -> Impact {
        if outcome.result.as_ref().map_or(true, |status| *status >= 500) {
            return Impact::Failed;
        }
        if is_partial(outcome.marks) {
            return Impact::Partial;
        }
        if is_stale(outcome.marks) {
            return Impact::Stale;
        }
        let Some(usual) = self.baseline else { return Impact::Unknown };
        let slower = match injection.achieved.or(injection.asked) {
            Some(delay) => outcome.latency() > usual.p99 && outcome.latency() >= usual.p50 + delay / 2,
            None => outcome.latency() > usual.max,
        };
        if slower { Impact::Slower } else { Impact::Unnoticed }
    }
}

/// The sums of a fault's ledger.
pub(crate) fn sums(fault: &str, joined: &[Joined], left_out: u64) -> FaultFigures {
    let mut figures = FaultFigures {
        fault: fault.to_owned(),
        injections: joined.len() as u64,
        left_out,
        delays: delays(joined),
        ..FaultFigures::default()
    };
    for one in joined {
        *figures.impacts.entry(one.impact).or_default() += 1;
        figures.retries += u64::from(one.injection.attempt > 0);
    }
    figures
}

fn delays(joined: &[Joined]) -> Option<Delays> {
    let both = joined.iter().filter_map(|one| Some((one.injection.asked?, one.injection.achieved?)));
    let (mut asked, mut achieved): (Vec<_>, Vec<_>) = both.unzip();
    asked.sort_unstable();
    achieved.sort_unstable();
    Some(Delays {
        samples: asked.len() as u64,
        asked_p50: percentile(&asked, 50_000)?,
        asked_p99: percentile(&asked, 99_000)?,
        achieved_p50: percentile(&achieved, 50_000)?,
        achieved_p99: percentile(&achieved, 99_000)?,
    })
}

#[cfg(test)]
mod tests;
