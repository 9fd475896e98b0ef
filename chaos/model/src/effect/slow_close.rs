//! `slow-close`: a peer that takes its time to close.

use super::{Action, Directions, Explored, Facts, Keys, EffectKind, Level, action::StreamAction, key, term, Written};
use crate::quantity::{show_duration, write_duration};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The end of a connection is passed on late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowClose {
    /// Time by which the end is passed on late.
    #[serde(rename = "delay_us", with = "crate::micros")]
    pub delay: Duration,
    /// Directions whose ends are late.
    #[serde(default = "both")]
    pub direction: Directions,
}

impl SlowClose {
    /// Late in both directions.
    #[must_use]
    pub fn by(delay: Duration) -> Self {
        Self { delay, direction: both() }
    }
}

fn both() -> Directions {
    Directions::Both
}

impl EffectKind for SlowClose {
    const FACTS: Facts = Facts {
        name: "slow-close",
        level: Level::Connections,
        about: "the end of a connection is passed on late",
        keys: &[
            key("delay", "how much later"),
            key("direction", "of the ends: `both` (the default), `downstream`, `upstream`"),
        ],
        example: "effect = \"slow-close\"\ndelay = \"5s\"",
        explored: Explored::By(&[&[&[("delay", "5s")]]]),
        others: &[
            term("Toxiproxy", "slow_close"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let delay = keys.duration("delay");
        let direction = if keys.has("direction") { keys.direction() } else { both() };
        Some(Self { delay: delay?, direction })
    }

    fn written(&self) -> Written {
        let mut keys = vec![("delay", write_duration(self.delay))];
        if self.direction != both() {
            keys.push(self.direction.written());
        }
        keys
    }

    fn words(&self) -> String {
        let of = if self.direction == both() { String::new() } else { format!(" ({})", self.direction.name()) };
        format!("slow-close {}{of}", show_duration(self.delay))
    }

    fn action(&self) -> Action {
        Action::of_stream(StreamAction { close_delay: Some((self.delay, self.direction)), ..StreamAction::default() })
    }
}
