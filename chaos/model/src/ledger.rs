//! The ledger: each injection that happened, with what was asked and what was achieved, and what it came to for the
//! request that met it.

mod injected;

pub use injected::Injected;

use crate::{ArrivalId, RequestId, Share, event::Fired};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, time::Duration};

/// The most injections of one fault that a proxy keeps. Those beyond are counted, and said to be left out.
pub const MOST_INJECTIONS: usize = 10_000;

/// One injection: a fault acted on one request, command or connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Injection {
    /// The fault's name.
    pub fault: String,
    /// The link, as written.
    pub link: String,
    /// Time of the injection. A proxy counts from when the fault was put on its link, since it knows no other clock of
    /// the run's; in an event it counts from the start of the timeline.
    #[serde(rename = "at_us", with = "crate::micros")]
    pub at: Duration,
    /// By what the draw was made that decided it.
    pub key: KeyKind,
    /// The message or connection that it acted on, as `GET /users/7`, `GET profile:7` or `connection 3`.
    pub subject: String,
    /// The arrival that it was made for, where the message said so. One of another run is a stranger's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<ArrivalId>,
    /// True where no message was under way on the connection that it acted on, so that nobody waited for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idle: bool,
    /// Number of times that the same was requested on this link before: 0 for the first time. What says its number is a retry
    /// then; others may have asked for the same.
    #[serde(default)]
    pub attempt: u64,
    /// For a delay: what was asked.
    #[serde(rename = "asked_us", with = "crate::micros::option", default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Duration>,
    /// For a delay: what was achieved.
    #[serde(rename = "achieved_us", with = "crate::micros::option", default, skip_serializing_if = "Option::is_none")]
    pub achieved: Option<Duration>,
    /// Requests or commands that waited behind it on its connection.
    #[serde(default)]
    pub bystanders: u64,
}

/// Record of a fault that was taken back: what it did while it was in place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Counts of what it did, by kind.
    pub fired: Fired,
    /// The fault's injections, in the order of time: at most [`MOST_INJECTIONS`]. Times count from when it was applied.
    #[serde(default)]
    pub injections: Vec<Injection>,
    /// The number of injections that there was no room for.
    #[serde(default)]
    pub left_out: u64,
}

impl Removed {
    /// A fault that fired so often, and of which there is no ledger.
    #[must_use]
    pub fn of(fired: Fired) -> Self {
        Self { fired, ..Self::default() }
    }
}

impl Injection {
    /// The message that it acted on, as `GET profile:7`, where that is known.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        let is_connection = self.key == KeyKind::Connection && self.subject.starts_with(CONNECTION);
        (!is_connection).then_some(&self.subject)
    }
}

/// The beginning of subjects that are connections, before their number.
const CONNECTION: &str = "connection ";

/// The subject of an injection that acted on the nth connection of its link, where its message isn't known.
#[must_use]
pub fn connection(nth: u64) -> String {
    format!("{CONNECTION}{nth}")
}

/// By what a draw was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// The nth connection of the link.
    Connection,
    /// The number of the client's request, with method and path: the same in every world.
    NumberedRequest,
    /// Method, path and body, and how often they came before: no number was sent along.
    Request,
    /// The command, its key, and how often they came before.
    Command,
    /// The message of another protocol, by what tells it from others there, and how often it came before.
    Message,
}

/// Impact of an injection on the request that met it: what its client saw. Ordered as it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// The client saw nothing of it.
    Unnoticed,
    /// The response came later than it would have.
    Slower,
    /// The response had an old part.
    Stale,
    /// The response was partial.
    Partial,
    /// The request failed: no response, or none that is good.
    Failed,
    /// Nobody waited for it: no request was under way.
    Background,
    /// The client was given what came of another request, so that the impact can't be told from its response.
    SharedFlight,
    /// Nothing can be said: it isn't known which request met it, or how that would have been answered otherwise.
    Unknown,
}

impl Impact {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Unnoticed,
        Self::Slower,
        Self::Stale,
        Self::Partial,
        Self::Failed,
        Self::Background,
        Self::SharedFlight,
        Self::Unknown,
    ];
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unnoticed => "unnoticed",
            Self::Slower => "slower",
            Self::Stale => "stale",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Background => "background",
            Self::SharedFlight => "shared flight",
            Self::Unknown => "unknown",
        })
    }
}

/// An injection and the request that met it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The injection.
    #[serde(flatten)]
    pub injection: Injection,
    /// The arrival that met it, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met: Option<RequestId>,
    /// The impact on that arrival.
    pub impact: Impact,
}

/// The ledger of one fault in sums, and how the system took it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultFigures {
    /// The fault's name.
    pub fault: String,
    /// The number of injections that the ledger holds,
    pub injections: u64,
    /// and how many it had no room for.
    #[serde(default)]
    pub left_out: u64,
    /// Counts of injections by their impact.
    pub impacts: BTreeMap<Impact, u64>,
    /// The number of injections that met a retry: a request whose number the link had carried before. None where no message
    /// said its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u64>,
    /// For delays: what was asked and what was achieved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delays: Option<Delays>,
    /// Time to detect: from when the fault took effect to the first bad response (one that failed, was partial or stale)
    /// that it is charged with. None where there was no such.
    #[serde(rename = "detected_us", with = "crate::micros::option", default)]
    pub detected: Option<Duration>,
    /// Bad responses while it was there, where it is charged with none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncharged: Option<Uncharged>,
    /// Time to recover: how long after it was taken back responses were as good as in the baseline.
    #[serde(default)]
    pub recovery: Recovery,
}

/// Bad responses while a fault was there, with none of which it is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncharged {
    /// The number of bad responses,
    pub bad: u64,
    /// and of all that it may have met. Those that other faults are charged with are in neither.
    pub of: u64,
    /// The share of bad ones in the baseline.
    pub baseline: Share,
    /// The reason.
    pub reason: Reason,
}

/// The reason why a fault is charged with no bad response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It never fired.
    NeverFired,
    /// The share is none larger than in the baseline.
    AsBefore,
    /// The share is larger, and chance may be the reason: so many may be bad in the baseline too.
    TooFew,
    /// Another fault was there, and may be the reason.
    OthersToo,
}

impl Uncharged {
    /// True where it can't be said whether the fault is the reason.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.reason, Reason::TooFew | Reason::OthersToo)
    }
}

impl fmt::Display for Uncharged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bad, of, baseline, reason } = self;
        write!(f, "{bad} of {of} responses were bad")?;
        match reason {
            Reason::NeverFired => f.write_str(", none of them by it"),
            Reason::AsBefore => write!(f, ", no more than in the baseline ({baseline})"),
            Reason::TooFew if baseline.whole == 0 => f.write_str(", and without a baseline it can't be said by what"),
            Reason::TooFew => {
                write!(f, ", and {} of {} in the baseline: that may be chance", baseline.parts, baseline.whole)
            }
            Reason::OthersToo => f.write_str(", and another fault may have made them"),
        }
    }
}

/// Recovery of a system after a fault, as its responses show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// Responses were, and stayed until the next fault or the end, as good as in the baseline from so long after it was
    /// taken back.
    After {
        /// Time from when the fault was taken back until responses were good.
        #[serde(rename = "took_us", with = "crate::micros")]
        took: Duration,
    },
    /// Responses did not become as good in the time that was left.
    NotWithin {
        /// The time that was left.
        #[serde(rename = "left_us", with = "crate::micros")]
        left: Duration,
    },
    /// It is charged with no bad response, and none was bad after it beyond what the baseline has.
    Unnoticed,
    /// Nothing was asked after it.
    #[default]
    NoRequests,
}

/// Delays, asked and achieved, of the injections in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delays {
    /// The number of delays.
    pub samples: u64,
    /// The median of what was asked,
    #[serde(rename = "asked_p50_us", with = "crate::micros")]
    pub asked_p50: Duration,
    /// and what 99 of a hundred were not asked more than.
    #[serde(rename = "asked_p99_us", with = "crate::micros")]
    pub asked_p99: Duration,
    /// The median of what was achieved,
    #[serde(rename = "achieved_p50_us", with = "crate::micros")]
    pub achieved_p50: Duration,
    /// and what 99 of a hundred did not exceed.
    #[serde(rename = "achieved_p99_us", with = "crate::micros")]
    pub achieved_p99: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Record};

    fn injection() -> Injection {
        Injection {
            fault: "slow".to_owned(),
            link: "gateway -> user-service".to_owned(),
            at: Duration::from_micros(4_000_123),
            key: KeyKind::NumberedRequest,
            subject: "GET /users/7".to_owned(),
            arrival: Some(ArrivalId::of_seed(1, 812)),
            idle: false,
            attempt: 1,
            asked: Some(Duration::from_millis(200)),
            achieved: Some(Duration::from_micros(200_081)),
            bystanders: 0,
        }
    }

    fn survives(event: Event) -> String {
        let record = Record { at_us: 1, event };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record, "{text}");
        text
    }

    #[test]
    fn the_ledger_survives_a_recording() {
        let met = Joined { injection: injection(), met: Some(812.into()), impact: Impact::SharedFlight };
        let bare = Injection { key: KeyKind::Connection, arrival: None, asked: None, achieved: None, ..injection() };
        let unmet = Joined { injection: bare, met: None, impact: Impact::Background };
        let rest = BTreeMap::from([(Impact::Unnoticed, 7)]);
        let (fault, link) = (met.injection.fault.clone(), met.injection.link.clone());
        let text = survives(Event::Injected(Injected { fault, link, injections: vec![met, unmet], rest }));
        assert!(text.contains(r#""injections":[{"at_us":4000123,"subject":"GET /users/7","arrival":812,"attempt":1,"#));
        survives(Event::FaultFigures(FaultFigures {
            fault: "slow".to_owned(),
            injections: 2,
            impacts: BTreeMap::from([(Impact::Background, 1), (Impact::SharedFlight, 1)]),
            detected: Some(Duration::from_millis(3)),
            recovery: Recovery::After { took: Duration::from_millis(4) },
            ..FaultFigures::default()
        }));
    }

    #[test]
    fn each_impact_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<String> = Impact::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(words.len(), Impact::ALL.len());
        assert!(Impact::ALL.is_sorted());
    }
}
