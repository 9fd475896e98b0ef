//! `limit`: a peer that closes after some bytes, as one that was told a wrong length.

use super::{
    Action, Directions, Explored, Facts, Keys, EffectKind, Level,
    action::{Cut, StreamAction},
    key, term, Written};
use crate::quantity::show_bytes;
use serde::{Deserialize, Serialize};

/// Connections are closed in an orderly way, on both sides, once some bytes have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// After how many, since the fault met the connection.
    pub bytes: u64,
    /// The direction of those bytes.
    pub direction: Directions,
}

impl EffectKind for Limit {
    const FACTS: Facts = Facts {
        name: "limit",
        level: Level::Connections,
        about: "connections are closed in an orderly way once some bytes have passed",
        keys: &[
            key("bytes", "how many, as `4KiB`"),
            key("direction", "of the bytes: `downstream` (the default), `upstream`, `both`"),
        ],
        example: "effect = \"limit\"\nbytes = \"4KiB\"",
        explored: Explored::By(&[&[&[("bytes", "100B")], &[("bytes", "4KiB")]]]),
        others: &[
            term("Toxiproxy", "limit_data"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let bytes = keys.size("bytes", "4KiB");
        let direction = keys.direction();
        Some(Self { bytes: bytes?, direction })
    }

    fn written(&self) -> Written {
        vec![("bytes", show_bytes(self.bytes)), self.direction.written()]
    }

    fn words(&self) -> String {
        format!("limit of {}{}", show_bytes(self.bytes), self.direction.words())
    }

    fn action(&self) -> Action {
        let cut = Some(Cut::CloseAfterBytes(self.bytes, self.direction));
        Action::of_stream(StreamAction { cut, ..StreamAction::default() })
    }
}
