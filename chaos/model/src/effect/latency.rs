//! `latency`: a link that takes longer, for each chunk of bytes.

use super::{Action, Directions, Facts, Keys, EffectKind, Level, Spread, action::StreamAction, key, term, Written};
use serde::{Deserialize, Serialize};

/// Every chunk of bytes arrives later; the order stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Time by which each chunk is late.
    #[serde(flatten)]
    pub delay: Spread,
    /// Directions in which chunks are late.
    pub direction: Directions,
}

impl EffectKind for Latency {
    const FACTS: Facts = Facts {
        name: "latency",
        level: Level::Connections,
        about: "every chunk of bytes arrives later",
        keys: &[
            key("delay", "how much later, on the average"),
            key("jitter", "how far from that: half the width (`uniform`) or the standard deviation"),
            key("distribution", "`uniform` (the default), `normal`, `lognormal`, `pareto`"),
            key(
                "direction",
                "`downstream` (the default: a request and its response together take it once), `upstream`, `both`",
            ),
        ],
        example: "effect = \"latency\"\ndelay = \"200ms\"",
        others: &[
            term("Toxiproxy", "latency"),
            term("Gremlin", "latency"),
            term("Litmus", "pod-network-latency"),
            term("Pumba", "netem delay"),
            term("AWS FIS", "aws:ecs:task-network-latency"),
            term("AWS FIS", "aws:eks:pod-network-latency"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let delay = keys.spread();
        let direction = keys.direction();
        Some(Self { delay: delay?, direction })
    }

    fn written(&self) -> Written {
        let mut keys = self.delay.written();
        keys.push(self.direction.written());
        keys
    }

    fn words(&self) -> String {
        format!("latency {}{}", self.delay, self.direction.words())
    }

    fn action(&self) -> Action {
        Action::of_stream(StreamAction { delay: Some((self.delay, self.direction)), ..StreamAction::default() })
    }
}
