//! Injections as a recording holds them: what is the same for all of a fault's injections stands once.

use super::{Impact, Injection, Joined, KeyKind};
use crate::{ArrivalId, Nonce, RequestId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Injections of a fault on a link, each with the request that met it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Lines", into = "Lines")]
pub struct Injected {
    /// The fault's name.
    pub fault: String,
    /// The link, as written.
    pub link: String,
    /// Injections in full, in the order of time.
    pub injections: Vec<Joined>,
    /// Counts of injections that are not here in full, by their impact.
    pub rest: BTreeMap<Impact, u64>,
}

/// The recorded form.
#[derive(Serialize, Deserialize)]
struct Lines {
    fault: String,
    link: String,
    /// By what most of the draws were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<KeyKind>,
    /// The nonce of the first arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<Nonce>,
    injections: Vec<Line>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rest: BTreeMap<Impact, u64>,
}

/// An injection without what stands once for all of them.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(rename = "at_us", with = "crate::micros")]
    at: Duration,
    subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arrival: Option<u64>,
    #[serde(default, skip_serializing_if = "is_first")]
    step: u32,
    /// Where the arrival is another run's than the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<Nonce>,
    /// Where it is not that of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<KeyKind>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    idle: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    attempt: u64,
    #[serde(rename = "asked_us", with = "crate::micros::option", default, skip_serializing_if = "Option::is_none")]
    asked: Option<Duration>,
    #[serde(rename = "achieved_us", with = "crate::micros::option", default, skip_serializing_if = "Option::is_none")]
    achieved: Option<Duration>,
    #[serde(default, skip_serializing_if = "is_zero")]
    bystanders: u64,
    /// The arrival that met it, where it is not the one that it was made for,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    met: Option<u64>,
    /// and its step.
    #[serde(default, skip_serializing_if = "is_first")]
    met_step: u32,
    /// It was made for an arrival, and none is known to have met it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unmet: bool,
    impact: Impact,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_first(step: &u32) -> bool {
    *step == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl From<Injected> for Lines {
    fn from(Injected { fault, link, injections, rest }: Injected) -> Self {
        let key = injections.first().map(|one| one.injection.key);
        let nonce = injections.iter().find_map(|one| one.injection.arrival).map(|arrival| arrival.nonce);
        let line = |Joined { injection, met, impact }: Joined| {
            let own = injection.arrival.map(|arrival| arrival.request());
            let other = met.filter(|met| own != Some(*met));
            Line {
                at: injection.at,
                subject: injection.subject,
                arrival: injection.arrival.map(|arrival| arrival.n),
                step: injection.arrival.map_or(0, |arrival| arrival.step),
                nonce: injection.arrival.map(|arrival| arrival.nonce).filter(|own| Some(*own) != nonce),
                key: Some(injection.key).filter(|own| Some(*own) != key),
                idle: injection.idle,
                attempt: injection.attempt,
                asked: injection.asked,
                achieved: injection.achieved,
                bystanders: injection.bystanders,
                met: other.map(|met| met.n),
                met_step: other.map_or(0, |met| met.step),
                unmet: met.is_none() && own.is_some(),
                impact,
            }
        };
        Self { key, nonce, injections: injections.into_iter().map(line).collect(), fault, link, rest }
    }
}

impl From<Lines> for Injected {
    fn from(Lines { fault, link, key: usual, nonce, injections, rest }: Lines) -> Self {
        let joined = |line: Line| {
            let injection = Injection {
                fault: fault.clone(),
                link: link.clone(),
                at: line.at,
                key: line.key.or(usual).unwrap_or(KeyKind::Connection),
                subject: line.subject,
                arrival: line.arrival.map(|n| {
                    let nonce = line.nonce.or(nonce).unwrap_or_default();
                    ArrivalId { nonce, n, step: line.step }
                }),
                idle: line.idle,
                attempt: line.attempt,
                asked: line.asked,
                achieved: line.achieved,
                bystanders: line.bystanders,
            };
            let own = line.arrival.filter(|_| !line.unmet).map(|n| RequestId { n, step: line.step });
            let other = line.met.map(|n| RequestId { n, step: line.met_step });
            Joined { met: other.or(own), injection, impact: line.impact }
        };
        let injections = injections.into_iter().map(joined).collect();
        Self { fault, link, injections, rest }
    }
}
