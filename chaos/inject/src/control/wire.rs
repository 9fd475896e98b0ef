//! Bodies of the control API's requests and responses.

use super::{
    problem::Problem,
    schema::{FaultSchema, FiredSchema, LinkCountsSchema, MessageSchema},
};
use crate::Message;
use chaos_model::{
    Fault, Link, Nonce, Protocol,
    event::{Fired, LinkCounts},
    language::json::{Mistake, read_fault, write_fault},
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
    /// The nonce that the holder's requests carry (`baggage: chaos.request=NONCE-N-STEP`); none where they carry none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "9f3c5a1b2d4e6f70")]
    pub nonce: Option<Nonce>,
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
    #[schema(value_type = MessageSchema)]
    pub message: WireMessage,
}

/// A [`Message`] as it goes over HTTP: a fault is in the words of scenarios.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WireMessage {
    /// Put this fault on the link, on connections that are open too: see [`chaos_model::language::json`].
    Apply(serde_json::Value),
    /// Take a fault back: what it holds goes on its way at once.
    Remove {
        /// Name of the fault.
        fault: String,
    },
    /// Take all faults back.
    Clear,
    /// Say how often each active fault fired so far.
    Fired,
}

impl WireMessage {
    /// The message in these words. A fault's times on a timeline are left out: it begins when this comes, and ends when it
    /// is taken back.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        match message {
            Message::Apply(fault) => {
                let timeless = Fault { at: Duration::ZERO, lasts: Duration::ZERO, pulse: None, ..(**fault).clone() };
                Self::Apply(write_fault(&timeless))
            }
            Message::Remove { fault } => Self::Remove { fault: fault.clone() },
            Message::Clear => Self::Clear,
            Message::Fired => Self::Fired,
        }
    }

    /// The message that these words are, for the proxy on `link`, which is one of `links`.
    ///
    /// # Errors
    /// [`Problem::InvalidFault`], with the places of mistakes in the request's body.
    pub(super) fn read(self, link: &str, links: &[(Link, Protocol)]) -> Result<Message, Problem> {
        let invalid = |mistakes: Vec<Mistake>| {
            let within =
                |mistake: Mistake| Mistake { pointer: format!("/message/apply{}", mistake.pointer), ..mistake };
            Problem::InvalidFault(mistakes.into_iter().map(within).collect())
        };
        match self {
            Self::Apply(words) => {
                let fault = read_fault(&words, links).map_err(invalid)?;
                if fault.on.to_string() == link {
                    return Ok(Message::Apply(Box::new(fault)));
                }
                let message = format!("this fault is on `{}`, and the message is for `{link}`", fault.on);
                let advice = Some("`on` and `link` are the same".to_owned());
                Err(invalid(vec![Mistake { pointer: "/on".to_owned(), message, advice }]))
            }
            Self::Remove { fault } => Ok(Message::Remove { fault }),
            Self::Clear => Ok(Message::Clear),
            Self::Fired => Ok(Message::Fired),
        }
    }
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
    #[schema(example = "redis")]
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
    #[schema(value_type = LinkCountsSchema)]
    pub counts: LinkCounts,
    /// Faults that are in place.
    pub faults: Vec<Standing>,
}

/// A fault that is in place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Standing {
    /// The fault, with the keys of a scenario's.
    #[schema(value_type = FaultSchema)]
    pub fault: serde_json::Value,
    /// Count of what it did so far.
    #[schema(value_type = FiredSchema)]
    pub fired: Fired,
}

impl Standing {
    /// The fault's name, by which it is taken back.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.fault.get("name")?.as_str()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{Endpoint, Share, Target, effect::Reset};

    #[test]
    fn messages_survive_the_wire() {
        let link = Link { from: Endpoint::Client, to: "gateway".to_owned(), label: Some("sessions".to_owned()) };
        let reset = Reset::after(Duration::from_micros(1500));
        let share = Share { parts: 1, whole: 3 };
        let fault = Fault { share, ..Fault::new("outage", Target::Link(link.clone()), reset) };
        let times = Fault { at: Duration::from_secs(4), lasts: Duration::from_secs(2), ..fault.clone() };
        let remove = Message::Remove { fault: "outage".to_owned() };
        for message in [Message::Apply(Box::new(times)), remove, Message::Clear, Message::Fired] {
            let text = serde_json::to_string(&WireMessage::of(&message)).unwrap();
            let read = serde_json::from_str::<WireMessage>(&text).unwrap();
            let read = read.read(&link.to_string(), &[(link.clone(), Protocol::HTTP)]).unwrap();
            match (read, message) {
                (Message::Apply(read), Message::Apply(_)) => {
                    // A third has no end in decimals.
                    assert!((read.share.as_f64() - share.as_f64()).abs() < 1e-9, "{text}");
                    assert_eq!(Fault { share, span: fault.span.clone(), ..*read }, fault, "{text}");
                }
                (read, message) => assert_eq!(read, message, "{text}"),
            }
        }
    }
}
