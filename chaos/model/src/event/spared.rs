//! Connections and messages that faults on messages could not act on, by reason.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A row for each reason: its name in recordings, and its words for people.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident: $recorded:literal, $words:literal;)*) => {
        /// The reason for which faults on messages can't act on a connection, or on a message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Unreadable {
            $($(#[doc = $doc])* $name,)*
        }

        impl Unreadable {
            /// All of them, in the order in which people are told of them.
            pub const ALL: [Self; [$($recorded),*].len()] = [$(Self::$name),*];

            /// The reason's name in recordings.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $recorded,)*
                }
            }

            /// The reason in words, for people.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }
        }
    };
}

reasons! {
    /// It begins as TLS.
    Tls: "tls", "TLS";
    /// It begins as HTTP/2.
    Http2: "http_2", "HTTP/2";
    /// It begins with a header of the PROXY protocol.
    ProxyProtocol: "proxy_protocol", "PROXY protocol";
    /// It begins as another protocol than the service's.
    OtherProtocol: "other_protocol", "another protocol";
    /// It speaks another protocol by now, which both ends agreed on (`101 Switching Protocols`, `CONNECT`).
    Upgraded: "upgraded", "upgraded";
    /// Its end could be found in two places (RFC 9112, 11.2), or in none.
    AmbiguousLength: "ambiguous_length", "ambiguous length";
    /// Its head can't be read, or not in one way alone.
    UnreadableHead: "unreadable_head", "unreadable head";
    /// Its head is longer than what is read of one; or the command, than what is compared of one.
    LongHead: "long_head", "head beyond the bound";
    /// A response came that nobody had asked for.
    Unasked: "unasked_response", "response to nothing";
    /// Its body is compressed in a way that can't be undone, or is a part of one that is.
    Coded: "coded", "content coding";
    /// Its body is longer than what is kept of one.
    LongBody: "long_body", "body beyond the bound";
    /// It belongs to a transaction.
    Transaction: "transaction", "transaction";
    /// It is on a connection with subscriptions.
    Subscription: "subscription", "subscription";
    /// It is on a connection that the service streams on (`MONITOR`, replication).
    Stream: "stream", "stream of the service";
    /// Its client has turned off the replies.
    Muted: "muted", "replies turned off";
    /// More messages wait for their responses than are kept track of.
    Pipeline: "pipeline", "pipeline beyond the bound";
    /// It could be read in two ways, or in none.
    Unclear: "unclear", "unclear messages";
}

/// A count for each reason, in the order of [`Unreadable::ALL`].
type Counts = [u64; Unreadable::ALL.len()];

/// Counts of what a fault on messages could not act on, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Recorded", into = "Recorded")]
pub struct Spared {
    connections: Counts,
    messages: Counts,
}

/// Counts as recordings have them: by name, without those that are zero.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Recorded {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    connections: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    messages: BTreeMap<String, u64>,
}

impl Spared {
    /// Nothing was spared.
    pub const NONE: Self = Self { connections: [0; Unreadable::ALL.len()], messages: [0; Unreadable::ALL.len()] };

    /// The same with so many connections for this reason, on each of which something was sent that could not be read.
    #[must_use]
    pub fn with(mut self, why: Unreadable, connections: u64) -> Self {
        self.connections[why as usize] = connections;
        self
    }

    /// The same with so many messages for this reason, those apart that a connection stands for.
    #[must_use]
    pub fn with_messages(mut self, why: Unreadable, messages: u64) -> Self {
        self.messages[why as usize] = messages;
        self
    }

    /// The number of connections, whatever the reason.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.iter().sum()
    }

    /// The number of messages that were counted by themselves, whatever the reason.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages.iter().sum()
    }

    /// The number of messages that were spared, at the least: a connection stands for one.
    #[must_use]
    pub fn least(&self) -> u64 {
        self.connections() + self.messages()
    }

    /// True where nothing was spared.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// The reasons for connections in words: `TLS`, and where there are several, `3 TLS, 1 HTTP/2`.
    #[must_use]
    pub fn connection_words(&self) -> String {
        words(&self.connections)
    }

    /// The reasons for messages in words, likewise.
    #[must_use]
    pub fn message_words(&self) -> String {
        words(&self.messages)
    }

    /// Each count made of those of two.
    pub(super) fn combined(self, other: Self, make: impl Fn(u64, u64) -> u64) -> Self {
        let each = |mut counts: Counts, other: Counts| {
            counts.iter_mut().zip(other).for_each(|(one, other)| *one = make(*one, other));
            counts
        };
        Self { connections: each(self.connections, other.connections), messages: each(self.messages, other.messages) }
    }
}

/// The reasons that there were, each with its count.
fn reasons(counts: &Counts) -> impl Iterator<Item = (Unreadable, u64)> {
    Unreadable::ALL.into_iter().zip(*counts).filter(|(_, count)| *count > 0)
}

fn words(counts: &Counts) -> String {
    let reasons: Vec<_> = reasons(counts).collect();
    match reasons.as_slice() {
        [(why, _)] => why.words().to_owned(),
        _ => reasons.iter().map(|(why, count)| format!("{count} {}", why.words())).collect::<Vec<_>>().join(", "),
    }
}

impl From<Spared> for Recorded {
    fn from(spared: Spared) -> Self {
        let named = |counts: &Counts| reasons(counts).map(|(why, count)| (why.name().to_owned(), count)).collect();
        Self { connections: named(&spared.connections), messages: named(&spared.messages) }
    }
}

impl From<Recorded> for Spared {
    fn from(recorded: Recorded) -> Self {
        let counts = |named: BTreeMap<String, u64>| {
            let mut counts = Counts::default();
            for (name, count) in named {
                // A reason of a later version is one that this one has no words for.
                let why = Unreadable::ALL.into_iter().find(|why| why.name() == name).unwrap_or(Unreadable::Unclear);
                counts[why as usize] += count;
            }
            counts
        };
        Self { connections: counts(recorded.connections), messages: counts(recorded.messages) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_own_place_and_name() {
        let mut spared = Spared::default();
        for (count, why) in (1..).zip(Unreadable::ALL) {
            spared = spared.with(why, count).with_messages(why, 100 * count);
        }
        let all = (1..=Unreadable::ALL.len() as u64).sum::<u64>();
        assert_eq!((spared.connections(), spared.messages(), spared.least()), (all, 100 * all, 101 * all));
        let text = serde_json::to_string(&spared).unwrap();
        assert_eq!(serde_json::from_str::<Spared>(&text).unwrap(), spared, "{text}");
        let later: Spared = serde_json::from_str(r#"{"connections": {"tls": 1, "quic": 2}, "more": 3}"#).unwrap();
        assert_eq!(later, Spared::default().with(Unreadable::Tls, 1).with(Unreadable::Unclear, 2));
    }

    #[test]
    fn what_is_zero_is_not_recorded() {
        let text = |spared: Spared| serde_json::to_string(&spared).unwrap();
        assert_eq!(text(Spared::NONE), "{}");
        let queued = Spared::NONE.with_messages(Unreadable::Transaction, 4);
        assert_eq!(text(queued), r#"{"messages":{"transaction":4}}"#);
        assert!(!queued.is_none() && Spared::NONE.is_none());
    }

    #[test]
    fn reasons_in_words() {
        let tls = Spared::default().with(Unreadable::Tls, 3);
        assert_eq!((tls.connection_words().as_str(), tls.message_words().as_str()), ("TLS", ""));
        assert_eq!(tls.with(Unreadable::Http2, 1).connection_words(), "3 TLS, 1 HTTP/2");
        let queued = tls.with_messages(Unreadable::Transaction, 2);
        assert_eq!((queued.message_words().as_str(), queued.least()), ("transaction", 5));
    }
}
