//! Messages to a proxy, and its replies. Over HTTP they go in the words of scenarios: [`WireMessage`](crate::control::WireMessage).

use chaos_model::{Fault, event::Fired, ledger::Removed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Steers a proxy.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Put this fault on the link, on connections that are open too.
    Apply(Box<Fault>),
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

/// The reply of a proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one for each message that steers, and gone at once")]
pub enum Reply {
    /// The message has been carried out, for every connection.
    Done,
    /// The fault is gone from every connection.
    Removed(Removed),
    /// Counts of each active fault so far, by name.
    Fired(BTreeMap<String, Fired>),
    /// Nothing was changed.
    Refused {
        /// Reason, in words.
        why: String,
    },
}

impl Reply {
    /// The outcome of [`Message::Apply`].
    ///
    /// # Errors
    /// The reason for which it was refused, in words.
    pub fn applied(self) -> Result<(), String> {
        match self {
            Self::Done | Self::Removed(_) | Self::Fired(_) => Ok(()),
            Self::Refused { why } => Err(why),
        }
    }

    /// The outcome of [`Message::Remove`].
    ///
    /// # Errors
    /// The reason for which it was refused, in words.
    pub fn removed(self) -> Result<Removed, String> {
        match self {
            Self::Removed(removed) => Ok(removed),
            Self::Refused { why } => Err(why),
            Self::Done | Self::Fired(_) => Err("the proxy misunderstood".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{Injection, KeyKind};
    use std::time::Duration;

    #[test]
    fn replies_survive_the_wire() {
        let fired = Fired { refused: 3, ..Fired::default() };
        let all = Reply::Fired(BTreeMap::from([("outage".to_owned(), fired)]));
        let injection = Injection {
            fault: "outage".to_owned(),
            link: "client -> gateway".to_owned(),
            at: Duration::from_millis(12),
            key: KeyKind::Connection,
            subject: "connection 3".to_owned(),
            arrival: None,
            idle: true,
            attempt: 0,
            asked: None,
            achieved: None,
            bystanders: 2,
        };
        let removed = Reply::Removed(Removed { fired, injections: vec![injection], left_out: 7 });
        for reply in [Reply::Done, removed, all, Reply::Refused { why: "no".to_owned() }] {
            let text = serde_json::to_string(&reply).unwrap();
            assert_eq!(serde_json::from_str::<Reply>(&text).unwrap(), reply, "{text}");
        }
        let text = serde_json::json!({ "removed": { "fired": fired } });
        let bare = Reply::Removed(Removed::of(fired));
        assert_eq!(serde_json::from_value::<Reply>(text).unwrap(), bare, "a proxy that keeps no ledger");
    }
}
