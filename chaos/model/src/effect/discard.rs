//! `discard`: bytes that vanish without a word, as behind a firewall that drops what it has let connect.

use super::{
    Action, Directions, EffectKind, Explored, Facts, Keys, Level, Written,
    action::{DiscardEnd, Discards, StreamAction},
    key, term,
};
use crate::{
    language::findings::Wrong,
    quantity::{show_duration, write_duration},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Bytes are thrown away, and connections end with the fault, or before. Connecting works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discard {
    /// Directions in which bytes are thrown away.
    pub direction: Directions,
    /// The end of the connection, before the fault's.
    #[serde(flatten)]
    pub then: Then,
}

/// The end of a connection before the fault's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "then", content = "after_us")]
pub enum Then {
    /// None.
    Nothing,
    /// An orderly close on both sides, once nothing came for so long.
    #[serde(with = "crate::micros")]
    Close(Duration),
    /// A reset on both sides, so long after the first bytes.
    #[serde(with = "crate::micros")]
    Reset(Duration),
}

impl EffectKind for Discard {
    const FACTS: Facts = Facts {
        name: "discard",
        level: Level::Connections,
        about: "bytes are thrown away; connections that it met are closed when it ends, since bytes are missing on them",
        keys: &[
            key("direction", "`downstream` (the default), `upstream`, `both`"),
            key("close-after", "a connection on which nothing came for so long is closed; never unless it is there"),
            key("reset-after", "a connection is reset so long after the first bytes instead; `0s`: with them"),
        ],
        example: "effect = \"discard\"",
        explored: Explored::Not("to its callers it is as `half-open`, which is tried, or as `reset`"),
        others: &[term("Toxiproxy", "timeout")],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let direction = keys.direction();
        let then = match (keys.has("close-after"), keys.has("reset-after")) {
            (true, true) => {
                let wrong = Wrong::new("a connection ends in one way");
                keys.refuse("reset-after", wrong.advice("take `close-after` away, or this"));
                return None;
            }
            (true, false) => Then::Close(keys.duration("close-after")?),
            (false, true) => Then::Reset(keys.duration_or_zero("reset-after")?),
            (false, false) => Then::Nothing,
        };
        if let Then::Close(after) = then {
            keys.within_the_fault("close-after", after, "nothing is closed before it ends");
        }
        if let Then::Reset(after) = then {
            keys.within_the_fault("reset-after", after, "nothing is reset before it ends");
        }
        Some(Self { direction, then })
    }

    fn written(&self) -> Written {
        let mut keys = vec![self.direction.written()];
        match self.then {
            Then::Nothing => {}
            Then::Close(after) => keys.push(("close-after", write_duration(after))),
            Then::Reset(after) => keys.push(("reset-after", write_duration(after))),
        }
        keys
    }

    fn words(&self) -> String {
        let then = match self.then {
            Then::Nothing => String::new(),
            Then::Close(after) => format!(", closed after {} of silence", show_duration(after)),
            Then::Reset(after) if after.is_zero() => ", reset".to_owned(),
            Then::Reset(after) => format!(", reset after {}", show_duration(after)),
        };
        format!("discard{}{then}", self.direction.words())
    }

    fn action(&self) -> Action {
        let then = match self.then {
            Then::Nothing => None,
            Then::Close(after) => Some(DiscardEnd::CloseAfterSilence(after)),
            Then::Reset(after) => Some(DiscardEnd::ResetAfterFirst(after)),
        };
        let discards = Some(Discards { directions: self.direction, then });
        Action::of_stream(StreamAction { discards, ..StreamAction::default() })
    }
}
