//! `reset`: connections that end with a reset.

use super::{
    Action, Directions, Explored, Facts, Keys, EffectKind, Level,
    action::{Cut, StreamAction},
    key, term, Written};
use crate::{
    language::findings::Wrong,
    quantity::{show_bytes, show_duration, write_duration},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Connections are reset: at once, after a time, or after some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// After how long: from the start of the fault for open connections, from the accept for new ones.
    #[serde(rename = "after_us", with = "crate::micros")]
    pub after: Duration,
    /// After how many bytes instead, since the fault met the connection.
    #[serde(default)]
    pub after_bytes: Option<u64>,
    /// The direction of those bytes.
    #[serde(default)]
    pub direction: Directions,
}

impl Reset {
    /// After a time.
    #[must_use]
    pub fn after(after: Duration) -> Self {
        Self { after, after_bytes: None, direction: Directions::default() }
    }
}

impl EffectKind for Reset {
    const FACTS: Facts = Facts {
        name: "reset",
        level: Level::Connections,
        about: "connections are reset: at once, after a time, or after some bytes",
        keys: &[
            key("after", "a time, as `100ms`, or a number of bytes, as `4KiB`; at once unless it is there"),
            key("direction", "of the bytes: `downstream` (the default), `upstream`, `both`"),
        ],
        example: "effect = \"reset\"",
        explored: Explored::By(&[&[&[], &[("after", "1KiB")]]]),
        others: &[
            term("Toxiproxy", "reset_peer"),
            term("Litmus", "pod-http-reset-peer"),
            term("WireMock", "CONNECTION_RESET_BY_PEER"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let is_size = keys.text("after").is_some_and(|word| word.text.trim().ends_with('B'));
        if is_size {
            let after_bytes = keys.size("after", "4KiB");
            let direction = keys.direction();
            return Some(Self { after: Duration::ZERO, after_bytes: Some(after_bytes?), direction });
        }
        let after = keys.duration_or_zero("after")?;
        keys.within_the_fault("after", after, "nothing is reset");
        if keys.has("direction") {
            let wrong = Wrong::new("only bytes have a direction, and this reset comes by time");
            keys.refuse("direction", wrong.advice("write `after = \"4KiB\"`, or take `direction` away"));
        }
        Some(Self::after(after))
    }

    fn written(&self) -> Written {
        match self.after_bytes {
            Some(bytes) => vec![("after", show_bytes(bytes)), self.direction.written()],
            None => vec![("after", write_duration(self.after))],
        }
    }

    fn words(&self) -> String {
        match self.after_bytes {
            Some(bytes) => format!("reset after {}{}", show_bytes(bytes), self.direction.words()),
            None if self.after.is_zero() => "reset".to_owned(),
            None => format!("reset after {}", show_duration(self.after)),
        }
    }

    fn action(&self) -> Action {
        let cut = match self.after_bytes {
            Some(bytes) => Cut::ResetAfterBytes(bytes, self.direction),
            None => Cut::ResetAfter(self.after),
        };
        Action::of_stream(StreamAction { cut: Some(cut), ..StreamAction::default() })
    }
}
