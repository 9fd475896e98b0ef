//! `far-away`: a peer on another continent.

use super::{
    Action, Directions, EffectKind, Explored, Facts, Keys, Level, Spread, Written, action::StreamAction, key, term,
};
use crate::quantity::{show_duration, write_duration};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Each round trip takes longer, that of connecting too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FarAway {
    /// The time that it adds.
    #[serde(rename = "round_trip_us", with = "crate::micros")]
    pub round_trip: Duration,
}

impl EffectKind for FarAway {
    const FACTS: Facts = Facts {
        name: "far-away",
        level: Level::Connections,
        about: "each round trip takes longer, that of connecting too",
        keys: &[key("round-trip", "how much longer")],
        example: "effect = \"far-away\"\nround-trip = \"80ms\"",
        explored: Explored::By(&[&[&[("round-trip", "400ms")], &[("round-trip", "80ms")]]]),
        others: &[term("Gremlin", "region")],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let round_trip = keys.duration("round-trip")?;
        Some(Self { round_trip })
    }

    fn written(&self) -> Written {
        vec![("round-trip", write_duration(self.round_trip))]
    }

    fn words(&self) -> String {
        format!("far-away by {}", show_duration(self.round_trip))
    }

    fn action(&self) -> Action {
        let delay = Some((Spread::constant(self.round_trip / 2), Directions::Both));
        Action::of_stream(StreamAction { delay, dial_delay: self.round_trip, ..StreamAction::default() })
    }
}
