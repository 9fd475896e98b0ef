//! Slices: what clients saw, second by second. Figures of phases and verdicts are folds over them.
//!
//! What links carried is counted by their proxies and not by clients, which see only the entry's:
//! [`Counted`](crate::event::Counted). Figures by instance are there where responses say which one made them, by the system's
//! `[responses]`.

use crate::{
    Histogram,
    event::{InstanceFigures, PhaseFigures, PhaseTime},
    responses::Marker,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// The instances that have no figures of their own, together: there are too many, or their names are too long.
pub const OTHER_INSTANCES: &str = "others";

/// A slice of the timeline: at most a second, cut where a phase begins or ends, where a fault comes or goes, and
/// where a change of faults was acknowledged. Arrivals belong to the slice in which they were due.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// The beginning, counted from the start of the timeline.
    #[serde(rename = "from_us", with = "crate::micros")]
    pub from: Duration,
    /// The end, which no longer belongs to it.
    #[serde(rename = "to_us", with = "crate::micros")]
    pub to: Duration,
    /// Edges of the timeline before it whose changes had not been acknowledged: what arrived here belongs to no phase
    /// that began at one of these.
    #[serde(rename = "pending_us", with = "crate::micros::list", default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Duration>,
    /// Faults that had ended a service which was not ready again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarting: Vec<String>,
    /// Arrivals that were due, but for those that straddled the beginning of a fault.
    #[serde(flatten)]
    pub counts: Counts,
    /// Arrivals that were due before a fault began and ended after that: the whole run counts them, and phases that
    /// end there don't.
    #[serde(default, skip_serializing_if = "Counts::is_empty")]
    pub straddled: Counts,
    /// The time in it in which a task of the machine waited for a processor; none where the machine does not tell.
    #[serde(
        rename = "cpu_stalled_us",
        with = "crate::micros::option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub cpu_stalled: Option<Duration>,
    /// The lateness of the arrival that began latest after it was due: how late the runner itself was.
    #[serde(rename = "latest_us", with = "crate::micros", default, skip_serializing_if = "Duration::is_zero")]
    pub latest: Duration,
    /// Requests under way at its end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub in_flight: u64,
    /// The same by name of request, where the load has more than one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, PartCounts>,
    /// The same by instance, of arrivals whose response names one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub instances: BTreeMap<String, PartCounts>,
    /// The beginning of what is counted by name, where that is before the slice's own: in recordings that would be large, one
    /// slice has it of several.
    #[serde(
        rename = "parts_from_us",
        with = "crate::micros::option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub parts_from: Option<Duration>,
}

impl Slice {
    /// The time of a phase that this slice lies in, and had this time before it.
    #[must_use]
    pub fn time_with(&self, earlier: Option<PhaseTime>) -> PhaseTime {
        PhaseTime { from: earlier.map_or(self.from, |time| time.from), to: self.to }
    }
}

/// Counts of a part of the arrivals, by request or by instance, as a [`Slice`] has them of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartCounts {
    /// Arrivals that were due, but for those that straddled the beginning of a fault.
    #[serde(flatten)]
    pub counts: Counts,
    /// Arrivals that straddled it.
    #[serde(default, skip_serializing_if = "Counts::is_empty")]
    pub straddled: Counts,
}

impl PartCounts {
    /// Adds the counts of other arrivals.
    pub fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.straddled.add(&other.straddled);
    }
}

/// Counts of arrivals: what clients saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Arrivals that were due.
    pub due: u64,
    /// Arrivals that were sent.
    #[serde(default)]
    pub sent: u64,
    /// Arrivals that the generator did not make.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: u64,
    /// Arrivals that were made twice, since their first connection, a reused one that had idled, closed as they went out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retried: u64,
    /// Steps of journeys that were not reached, since a step before them had failed: no requests. They belong to the slice in
    /// which that one was due.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_reached: u64,
    /// Responses by status.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "crate::event::status_keys")]
    pub statuses: BTreeMap<u16, u64>,
    /// Arrivals without a response, by reason (`timeout`, `connect_refused`), missed ones included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unanswered: BTreeMap<String, u64>,
    /// Good responses, by the system's `[responses]`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub good: u64,
    /// Responses marked partial.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub partial: u64,
    /// Responses marked stale.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stale: u64,
    /// The age of the oldest response, where responses say their age.
    #[serde(rename = "oldest_us", with = "crate::micros::option", default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Duration>,
    /// Latencies from when they were due; unanswered arrivals count as the client's timeout.
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    pub latency: Histogram,
}

impl Counts {
    /// True if nothing was due, or would have been.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.due + self.not_reached == 0
    }

    /// The number of responses, whatever their status.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// The figures of a phase of this name, whose judged arrivals these are; so many are counted
    /// apart. What responses have no marker for is not in them.
    #[must_use]
    pub fn figures(&self, phase: &str, apart: u64, markers: &[Marker]) -> PhaseFigures {
        PhaseFigures {
            phase: phase.to_owned(),
            time: None,
            arrivals: self.due,
            straddled: apart,
            missed: self.missed,
            retried: self.retried,
            not_reached: self.not_reached,
            statuses: self.statuses.clone(),
            good: self.good,
            unanswered: self.unanswered.clone(),
            partial: markers.contains(&Marker::Partial).then_some(self.partial),
            stale: markers.contains(&Marker::Stale).then_some(self.stale),
            oldest: self.oldest,
            latency: self.latency.figures(),
            instances: BTreeMap::new(),
        }
    }

    /// The figures of an instance whose responses these are.
    #[must_use]
    pub fn of_instance(&self) -> InstanceFigures {
        InstanceFigures { responses: self.answered(), good: self.good, latency: self.latency.figures() }
    }

    /// Adds the counts of other arrivals.
    pub fn add(&mut self, other: &Self) {
        let Self {
            due,
            sent,
            missed,
            retried,
            not_reached,
            statuses,
            unanswered,
            good,
            partial,
            stale,
            oldest,
            latency,
        } = other;
        self.due += due;
        self.sent += sent;
        self.missed += missed;
        self.retried += retried;
        self.not_reached += not_reached;
        self.good += good;
        self.partial += partial;
        self.stale += stale;
        self.oldest = self.oldest.max(*oldest);
        self.latency.merge(latency);
        for (status, count) in statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (why, count) in unanswered {
            // A reason is known after its first time, and need not be copied again.
            match self.unanswered.get_mut(why) {
                Some(sum) => *sum += count,
                None => drop(self.unanswered.insert(why.clone(), *count)),
            }
        }
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Record};

    fn counts() -> Counts {
        let mut latency = Histogram::default();
        [4, 4, 2000].map(Duration::from_millis).into_iter().for_each(|took| latency.record(took));
        Counts {
            due: 3,
            sent: 3,
            good: 2,
            statuses: BTreeMap::from([(200, 2)]),
            unanswered: BTreeMap::from([("timeout".to_owned(), 1)]),
            oldest: Some(Duration::from_secs(7)),
            latency,
            ..Counts::default()
        }
    }

    #[test]
    fn a_slice_survives_a_recording() {
        let named = PartCounts { counts: counts(), straddled: counts() };
        let slice = Slice {
            from: Duration::from_secs(1),
            to: Duration::from_millis(1500),
            pending: vec![Duration::from_secs(1)],
            restarting: vec!["outage".to_owned()],
            counts: counts(),
            straddled: counts(),
            cpu_stalled: Some(Duration::from_millis(17)),
            latest: Duration::from_micros(90),
            in_flight: 2,
            requests: BTreeMap::from([("GET /".to_owned(), named.clone())]),
            instances: BTreeMap::from([("web-1".to_owned(), named)]),
            parts_from: Some(Duration::ZERO),
        };
        let record = Record { at_us: 1, event: Event::Slice(slice) };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record, "{text}");
    }

    #[test]
    fn a_quiet_second_is_a_short_line() {
        let latency = Histogram::default();
        let counts = Counts { unanswered: BTreeMap::new(), oldest: None, latency, ..counts() };
        let slice = Slice { to: Duration::from_secs(1), counts, ..Slice::default() };
        let text = serde_json::to_string(&Record { at_us: 5, event: Event::Slice(slice) }).unwrap();
        let expected =
            r#"{"at_us":5,"event":"slice","from_us":0,"to_us":1000000,"due":3,"sent":3,"statuses":{"200":2},"good":2}"#;
        assert_eq!(text, expected);
    }

    /// Zero is said only of what was looked for.
    #[test]
    fn figures_have_what_responses_have_a_marker_for() {
        let figures = |markers: &[Marker]| counts().figures("outage", 2, markers);
        let (known, unknown) = (figures(&[Marker::Partial, Marker::Stale]), figures(&[Marker::Age]));
        assert_eq!((known.partial, known.stale), (Some(counts().partial), Some(counts().stale)));
        assert_eq!((unknown.partial, unknown.stale), (None, None));
        let text = serde_json::to_string(&unknown).unwrap();
        assert!(!text.contains("partial") && !text.contains("stale"), "{text}");
    }

    #[test]
    fn counts_add_up() {
        let mut sum = counts();
        sum.add(&Counts { oldest: Some(Duration::from_secs(9)), ..counts() });
        assert_eq!((sum.due, sum.answered(), sum.good, sum.unanswered["timeout"]), (6, 4, 4, 2));
        assert_eq!((sum.oldest, sum.latency.count()), (Some(Duration::from_secs(9)), 6));
    }
}
