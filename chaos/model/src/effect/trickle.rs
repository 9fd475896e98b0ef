//! `trickle`: a body that comes drop by drop, which timeouts for a first byte don't notice.

use super::{
    Action, Explored, Facts, Keys, EffectKind, Level,
    action::{BodyEdit, HttpAction, Throughput},
    key, term, Written};
use crate::quantity::show_bytes;
use serde::{Deserialize, Serialize};

/// The head comes at once, the body at a limited rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trickle {
    /// Bytes per second.
    pub bytes_per_second: u64,
}

impl EffectKind for Trickle {
    const FACTS: Facts = Facts {
        name: "trickle",
        level: Level::Requests,
        about: "the head comes at once, the body at a limited rate",
        keys: &[key("rate", "bytes per second, as `1KiB/s`")],
        example: "effect = \"trickle\"\nrate = \"1KiB/s\"",
        explored: Explored::By(&[&[&[("rate", "100B/s")], &[("rate", "1KiB/s")]]]),
        others: &[
            term("Envoy", "response_rate_limit"),
            term("WireMock", "chunkedDribbleDelay"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self { bytes_per_second: keys.throughput("rate")?.bytes_per_second })
    }

    fn written(&self) -> Written {
        vec![("rate", format!("{}/s", show_bytes(self.bytes_per_second)))]
    }

    fn words(&self) -> String {
        format!("trickle {}/s", show_bytes(self.bytes_per_second))
    }

    fn action(&self) -> Action {
        let body = Some(BodyEdit::Trickle(Throughput { bytes_per_second: self.bytes_per_second }));
        Action::of_http(HttpAction { body, ..HttpAction::default() })
    }
}
