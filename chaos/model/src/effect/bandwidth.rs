//! `bandwidth`: a link that is narrow or full.

use super::{
    Action, Directions, Explored, Facts, Keys, EffectKind, Level,
    action::{StreamAction, Throughput},
    key, term, Written};
use crate::quantity::show_bytes;
use serde::{Deserialize, Serialize};

/// Bytes come at a limited rate, on each connection and in each direction for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bandwidth {
    /// Bytes per second.
    pub bytes_per_second: u64,
    /// Directions in which bytes are slowed.
    pub direction: Directions,
}

impl EffectKind for Bandwidth {
    const FACTS: Facts = Facts {
        name: "bandwidth",
        level: Level::Connections,
        about: "bytes come at a limited rate, on each connection for itself",
        keys: &[
            key("rate", "bytes per second, as `64KiB/s`"),
            key("direction", "`downstream` (the default), `upstream`, `both`"),
        ],
        example: "effect = \"bandwidth\"\nrate = \"64KiB/s\"",
        explored: Explored::By(&[&[&[("rate", "1KiB/s")], &[("rate", "16KiB/s")]]]),
        others: &[
            term("Toxiproxy", "bandwidth"),
            term("Chaos Mesh", "bandwidth"),
            term("Pumba", "rate"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let rate = keys.throughput("rate");
        let direction = keys.direction();
        Some(Self { bytes_per_second: rate?.bytes_per_second, direction })
    }

    fn written(&self) -> Written {
        vec![("rate", format!("{}/s", show_bytes(self.bytes_per_second))), self.direction.written()]
    }

    fn words(&self) -> String {
        format!("bandwidth {}/s{}", show_bytes(self.bytes_per_second), self.direction.words())
    }

    fn action(&self) -> Action {
        let rate = Throughput { bytes_per_second: self.bytes_per_second };
        Action::of_stream(StreamAction { rate: Some((rate, self.direction)), ..StreamAction::default() })
    }
}
