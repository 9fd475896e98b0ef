//! `latency`: a link that takes longer, for each chunk of bytes.

use super::{
    Action, Directions, Explored, Facts, Keys, EffectKind, Level, Spread,
    action::{IN_FLIGHT, StreamAction},
    key, term, Written};
use crate::{language::findings::Wrong, quantity::show_bytes};
use serde::{Deserialize, Serialize};

/// The most that may be asked to be under way: it is kept in memory.
const MOST: u64 = 1 << 30;

/// Every chunk of bytes arrives later; the order stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Time by which each chunk is late.
    #[serde(flatten)]
    pub delay: Spread,
    /// Directions in which chunks are late.
    pub direction: Directions,
    /// Bytes that are under way at most, in each direction of a connection: beyond it the sender has to wait.
    #[serde(default = "in_flight", skip_serializing_if = "is_usual")]
    pub in_flight: u64,
}

impl Latency {
    /// A latency with as much under way as there is unless something else is said.
    #[must_use]
    pub fn of(delay: Spread, direction: Directions) -> Self {
        Self { delay, direction, in_flight: IN_FLIGHT }
    }
}

fn in_flight() -> u64 {
    IN_FLIGHT
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
fn is_usual(in_flight: &u64) -> bool {
    *in_flight == IN_FLIGHT
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
            key(
                "in-flight",
                "how many bytes may be under way in a direction of a connection before its sender has to wait, as TCP's window: \
                 `64MiB` (the default); on all connections of a link together four times that, and `256KiB` on each. Where that \
                 throttles, the report says so",
            ),
        ],
        example: "effect = \"latency\"\ndelay = \"200ms\"",
        explored: Explored::By(&[&[&[("delay", "2s")], &[("delay", "200ms")]]]),
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
        let in_flight = if keys.has("in-flight") { keys.size("in-flight", "64MiB") } else { Some(IN_FLIGHT) };
        if in_flight.is_some_and(|bytes| bytes > MOST) {
            let message = format!("what is under way is kept in memory, so that it is `{}` at most", show_bytes(MOST));
            keys.refuse("in-flight", Wrong::new(message).advice("write it as `64MiB`"));
        }
        Some(Self { delay: delay?, direction, in_flight: in_flight? })
    }

    fn written(&self) -> Written {
        let mut keys = self.delay.written();
        keys.push(self.direction.written());
        if self.in_flight != IN_FLIGHT {
            keys.push(("in-flight", show_bytes(self.in_flight)));
        }
        keys
    }

    fn words(&self) -> String {
        let in_flight = match self.in_flight {
            IN_FLIGHT => String::new(),
            other => format!(", {} under way at most", show_bytes(other)),
        };
        format!("latency {}{}{in_flight}", self.delay, self.direction.words())
    }

    fn action(&self) -> Action {
        let (delay, in_flight) = (Some((self.delay, self.direction)), Some(self.in_flight));
        Action::of_stream(StreamAction { delay, in_flight, ..StreamAction::default() })
    }
}
