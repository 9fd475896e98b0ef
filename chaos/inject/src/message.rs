//! What is said to a proxy, and what it answers. Serialisable, so that it goes over a pipe or over HTTP as it stands.

use chaos_model::{Fault, event::Fired};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Steers a proxy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Put this fault on the link, on connections that are open too.
    Apply(Box<Fault>),
    /// Take a fault back: what it holds goes on its way at once.
    Remove {
        /// Its name.
        fault: String,
    },
    /// Take all faults back.
    Clear,
    /// Say how often each active fault fired so far.
    Fired,
}

/// What a proxy answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It is so, for every connection.
    Done,
    /// The fault is gone from every connection.
    Removed {
        /// How often it fired.
        fired: Fired,
    },
    /// How often each active fault fired so far, by name.
    Fired(BTreeMap<String, Fired>),
    /// Nothing was changed.
    Refused {
        /// Why, in words.
        why: String,
    },
}
