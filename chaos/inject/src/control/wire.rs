//! Bodies of the control API's requests and responses.

use crate::Message;
use chaos_model::{
    Fault,
    event::{Fired, LinkCounts},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// Health of the server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`, or there is no response.
    #[schema(example = "ok")]
    pub(super) status: &'static str,
}

/// Request for a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Name of the caller, for people: whoever is refused meanwhile is told. At most 200 bytes on one line.
    #[schema(example = "chaos run scenarios/redis_down.toml (process 4711 on ci-3)", max_length = 200)]
    pub holder: String,
    /// Time to live without being renewed, in milliseconds: 200 to 60000.
    #[serde(rename = "ttl_ms", with = "millis")]
    #[schema(value_type = u64, minimum = 200, maximum = 60000, example = 1000)]
    pub ttl: Duration,
    /// The seed of every draw of faults under this lease.
    pub seed: u64,
}

/// A lease that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Granted {
    /// Id of the lease, which nobody else is told.
    #[schema(example = "5b1d0f0f8a4e2c37")]
    pub id: String,
    /// Time to live without being renewed, in milliseconds.
    #[serde(rename = "ttl_ms", with = "millis")]
    #[schema(value_type = u64, example = 1000)]
    pub ttl: Duration,
}

/// State of the lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseState {
    /// The lease, if anybody holds it.
    pub lease: Option<Held>,
}

/// A lease that is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Held {
    /// By whom, in their words.
    pub holder: String,
    /// Since when (RFC 3339).
    #[schema(example = "2026-01-31T12:00:00.000Z")]
    pub since: String,
    /// Time to live without being renewed, in milliseconds.
    #[serde(rename = "ttl_ms", with = "millis")]
    #[schema(value_type = u64, example = 1000)]
    pub ttl: Duration,
    /// Number of faults that it has in place.
    pub faults: u64,
}

/// A message for the proxy of a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// The link, as scenarios write it.
    #[schema(example = "gateway -> redis")]
    pub link: String,
    /// Message for the link's proxy.
    #[schema(value_type = super::openapi::MessageSchema)]
    pub message: Message,
}

/// All links.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LinkStates {
    /// In the order of their names.
    pub links: Vec<LinkState>,
}

/// A link and its proxy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LinkState {
    /// Name of the link, as scenarios write it.
    #[schema(example = "gateway -> redis")]
    pub link: String,
    /// Protocol that its service speaks.
    #[schema(value_type = super::openapi::ProtocolSchema)]
    pub protocol: String,
    /// Address at which its proxy listens.
    #[schema(example = "127.0.0.1:16379")]
    pub listen: String,
    /// Address to which its proxy leads.
    #[schema(example = "redis:6379")]
    pub target: String,
    /// Number of connections that are open.
    pub connections: u64,
    /// Counts of what came since the proxy began.
    #[serde(default)]
    #[schema(value_type = super::openapi::LinkCountsSchema)]
    pub counts: LinkCounts,
    /// Faults that are in place.
    pub faults: Vec<Standing>,
}

/// A fault that is in place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Standing {
    /// The fault.
    #[schema(value_type = super::openapi::FaultSchema)]
    pub fault: Fault,
    /// Count of what it did so far.
    #[schema(value_type = super::openapi::FiredSchema)]
    pub fired: Fired,
}

/// Durations in whole milliseconds.
mod millis {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
