//! `dial-delay`: connecting that takes long, as to a server whose accept queue is long.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::StreamAction, key, Written};
use crate::quantity::{show_duration, write_duration};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Nothing passes on a new connection for a time: the kernel shakes hands before a proxy sees a connection, so it is
/// the first byte that is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialDelay {
    /// Time for which nothing passes after the accept.
    #[serde(rename = "delay_us", with = "crate::micros")]
    pub delay: Duration,
}

impl EffectKind for DialDelay {
    const FACTS: Facts = Facts {
        name: "dial-delay",
        level: Level::Connections,
        about: "nothing passes on a new connection for a time after the handshake",
        keys: &[key("delay", "how long")],
        example: "effect = \"dial-delay\"\ndelay = \"200ms\"",
        explored: Explored::By(&[&[&[("delay", "2s")], &[("delay", "200ms")]]]),
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self { delay: keys.duration("delay")? })
    }

    fn written(&self) -> Written {
        vec![("delay", write_duration(self.delay))]
    }

    fn words(&self) -> String {
        format!("dial-delay {}", show_duration(self.delay))
    }

    fn action(&self) -> Action {
        Action::of_stream(StreamAction { dial_delay: self.delay, spares_open: true, ..StreamAction::default() })
    }
}
