//! Observations of a case: which expectations failed, what clients got, what links carried.

use chaos_model::{
    Event, Record, Verdict,
    event::{Judged, PhaseFigures},
    phase::RUN,
};
use serde::Serialize;
use std::{collections::BTreeSet, time::Duration};

/// Observations of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Each expectation in the order of the file.
    pub(crate) judged: Vec<Judged>,
    /// Faults that acted on something, by their names.
    pub(crate) fired: BTreeSet<String>,
    /// Figures of the whole timeline.
    pub(crate) run: PhaseFigures,
    /// The reason for which nothing could be judged: the world failed, or the run never came to its judgement.
    pub(crate) broken: Option<String>,
    /// Services that ended by themselves, each with how it ended: `gateway: it panicked`.
    pub(crate) died: Vec<String>,
    /// A number that is the same where clients saw the same, second by second, and links carried the same.
    pub(crate) signature: u64,
}

impl Seen {
    /// Observations that these events make.
    pub(crate) fn of(records: &[Record]) -> Self {
        let mut seen = Self::default();
        let (mut signature, mut figures_came, mut why_not) = (0, false, None);
        for record in records {
            match &record.event {
                Event::Judged(judged) => {
                    let checks: Vec<&str> = judged.checks.iter().map(|check| check.seen.as_str()).collect();
                    mix(&mut signature, &checks);
                    seen.judged.push(judged.clone());
                }
                Event::FaultRemoved { fault, fired, .. } if fired.any() => drop(seen.fired.insert(fault.clone())),
                Event::Phase(figures) if figures.phase == RUN => {
                    (seen.run, figures_came) = (figures.clone(), true);
                }
                Event::WorldFailed { why } => seen.broken = Some(why.clone()),
                Event::Inconclusive { why, .. } => why_not = Some(why.clone()),
                Event::ServiceDied { service, how, .. } => {
                    let died = format!("{service}: {how}");
                    mix(&mut signature, &died);
                    seen.died.push(died);
                }
                Event::Slice(slice) => mix(&mut signature, slice),
                Event::Counted(counted) => mix(&mut signature, &(counted.at.as_micros(), &counted.counts.links)),
                _ => {}
            }
        }
        seen.judged.sort_by_key(|judged| judged.index);
        seen.signature = signature;
        // Where not even figures came, nothing was seen, and that is no sign that all was well.
        if !figures_came && seen.broken.is_none() {
            seen.broken = Some(why_not.unwrap_or_else(|| "it came to no judgement".to_owned()));
        }
        seen
    }

    /// True where the expectation with this number failed.
    pub(crate) fn fails(&self, nth: usize) -> bool {
        self.judged.get(nth).is_some_and(|judged| judged.verdict == Verdict::Fail)
    }

    /// Checks of the expectation with this number that failed, as they were written.
    pub(crate) fn failing(&self, nth: usize) -> Vec<String> {
        let checks = self.judged.get(nth).into_iter().flat_map(|judged| &judged.checks);
        checks.filter(|check| check.verdict == Verdict::Fail).map(|check| check.expected.clone()).collect()
    }

    /// Bad kinds of responses, in words: `502, timeout`; `partial`, where all were good.
    pub(crate) fn shape(&self) -> String {
        let healthy = 200..400;
        let statuses = self.run.statuses.keys().filter(|status| !healthy.contains(*status)).map(u16::to_string);
        let mut words: Vec<String> = statuses.chain(self.run.unanswered.keys().cloned()).collect();
        words.extend((self.run.partial.unwrap_or_default() > 0).then(|| "partial".to_owned()));
        words.extend((self.run.stale.unwrap_or_default() > 0).then(|| "stale".to_owned()));
        words.join(", ")
    }

    /// Requests that got no good response.
    pub(crate) fn bad(&self) -> u64 {
        self.run.arrivals.saturating_sub(self.run.good)
    }

    /// The slowest response.
    pub(crate) fn slowest(&self) -> Duration {
        self.run.latency.map(|latency| latency.max).unwrap_or_default()
    }
}

/// Takes one more thing into a signature. What can't be written as JSON is nothing that a recording could have either.
fn mix(signature: &mut u64, value: &impl Serialize) {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    *signature = host::hash(*signature, &[&bytes]);
}
