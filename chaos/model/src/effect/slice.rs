//! `slice`: bytes that come in small pieces, for readers that take a read for a message.

use super::{
    Action, Directions, Explored, Facts, Keys, EffectKind, Level,
    action::{Slices, StreamAction},
    key, term, Written};
use crate::{
    language::findings::Wrong,
    quantity::{show_bytes, show_duration, write_duration},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Bytes come in small pieces, with a gap between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Bytes of a piece.
    pub size: u32,
    /// The most that a piece is larger or smaller by.
    #[serde(default)]
    pub variation: u32,
    /// Time from one to the next.
    #[serde(rename = "gap_us", with = "crate::micros")]
    pub gap: Duration,
    /// Directions in which bytes are cut up.
    pub direction: Directions,
}

impl EffectKind for Slice {
    const FACTS: Facts = Facts {
        name: "slice",
        level: Level::Connections,
        about: "bytes come in small pieces, each a write of its own",
        keys: &[
            key("size", "bytes of a piece, as `16B`; up to `32KiB`"),
            key("variation", "the most that a piece is larger or smaller by, evenly drawn; less than `size` (none)"),
            key("gap", "time from one piece to the next (`0s`)"),
            key("direction", "`downstream` (the default), `upstream`, `both`"),
        ],
        example: "effect = \"slice\"\nsize = \"16B\"",
        explored: Explored::By(&[&[&[("size", "16B"), ("gap", "20ms")], &[("size", "16B")]]]),
        others: &[
            term("Toxiproxy", "slicer"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let size = keys.size("size", "16B");
        let variation = if keys.has("variation") { keys.size("variation", "4B") } else { Some(0) };
        let gap = keys.duration_or_zero("gap");
        let direction = keys.direction();
        let size = size?;
        if size > 32 << 10 {
            keys.refuse("size", Wrong::new("pieces are `32KiB` at most").advice("write it as `16B`"));
            return None;
        }
        let variation = variation?;
        if variation >= size {
            let wrong = Wrong::new(format!("pieces of {} can't be {} smaller", show_bytes(size), show_bytes(variation)));
            keys.refuse("variation", wrong.advice(format!("write less than `{}`", show_bytes(size))));
            return None;
        }
        let (size, variation) = (u32::try_from(size).ok()?, u32::try_from(variation).ok()?);
        Some(Self { size, variation, gap: gap?, direction })
    }

    fn written(&self) -> Written {
        let mut keys = vec![("size", show_bytes(u64::from(self.size)))];
        if self.variation > 0 {
            keys.push(("variation", show_bytes(u64::from(self.variation))));
        }
        keys.extend([("gap", write_duration(self.gap)), self.direction.written()]);
        keys
    }

    fn words(&self) -> String {
        let gap = if self.gap.is_zero() { String::new() } else { format!(", one each {}", show_duration(self.gap)) };
        let bytes = |count: u32| show_bytes(u64::from(count));
        let variation = if self.variation > 0 { format!(" ± {}", bytes(self.variation)) } else { String::new() };
        format!("slice into {}{variation}{gap}{}", bytes(self.size), self.direction.words())
    }

    fn action(&self) -> Action {
        let slices = Slices { size: self.size as usize, variation: self.variation as usize, gap: self.gap };
        Action::of_stream(StreamAction { slices: Some((slices, self.direction)), ..StreamAction::default() })
    }
}
