//! `slow-close`: a peer that takes its time to close.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::StreamAction, key, term, Written};
use crate::quantity::{show_duration, write_duration};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The end of a connection is passed on late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowClose {
    /// Time by which the end is passed on late.
    #[serde(rename = "delay_us", with = "crate::micros")]
    pub delay: Duration,
}

impl EffectKind for SlowClose {
    const FACTS: Facts = Facts {
        name: "slow-close",
        level: Level::Connections,
        about: "the end of a connection is passed on late",
        keys: &[key("delay", "how much later")],
        example: "effect = \"slow-close\"\ndelay = \"5s\"",
        explored: Explored::By(&[&[&[("delay", "5s")]]]),
        others: &[
            term("Toxiproxy", "slow_close"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self { delay: keys.duration("delay")? })
    }

    fn written(&self) -> Written {
        vec![("delay", write_duration(self.delay))]
    }

    fn words(&self) -> String {
        format!("slow-close {}", show_duration(self.delay))
    }

    fn action(&self) -> Action {
        Action::of_stream(StreamAction { close_delay: self.delay, ..StreamAction::default() })
    }
}
