//! `handshake-delay`: a server that is slow to compute, or whose own asking for certificates is.

use super::{
    Action, EffectKind, Explored, Facts, Handshake, Keys, Level, TlsAction, Written, key,
    tls_keys::{NOT_EXPLORED, of_new_connections},
};
use crate::quantity::{show_duration, write_duration};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The handshake of new connections goes on after a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandshakeDelay {
    /// Time between what the client begins with and the response to that.
    #[serde(rename = "delay_us", with = "crate::micros")]
    pub delay: Duration,
}

impl EffectKind for HandshakeDelay {
    const FACTS: Facts = Facts {
        name: "handshake-delay",
        level: Level::Tls,
        about: "the TLS handshake of clients that connect takes longer",
        keys: &[key("delay", "how long")],
        example: "effect = \"handshake-delay\"\ndelay = \"300ms\"",
        explored: Explored::Not(NOT_EXPLORED),
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self { delay: keys.duration("delay")? })
    }

    fn written(&self) -> Written {
        vec![("delay", write_duration(self.delay))]
    }

    fn words(&self) -> String {
        format!("handshake-delay {}", show_duration(self.delay))
    }

    fn action(&self) -> Action {
        of_new_connections(TlsAction { handshake: Some(Handshake::Delay(self.delay)), ..TlsAction::default() })
    }
}
