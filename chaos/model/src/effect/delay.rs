//! `delay`: a message that waits, where `latency` delays bytes.

use super::{
    Action, Explored, Facts, Keys, EffectKind, Level, Spread,
    action::MessageAction,
    key, term, Written};
use serde::{Deserialize, Serialize};

/// A request's response begins later, or a command's reply comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delay {
    /// Time by which a message is held up.
    #[serde(flatten)]
    pub delay: Spread,
}

impl EffectKind for Delay {
    const FACTS: Facts = Facts {
        name: "delay",
        level: Level::Messages,
        about: "a request's response or a command's reply comes later, and on its connection what waits behind it",
        keys: &[
            key("delay", "how much later, on the average"),
            key("jitter", "how far from that: half the width (`uniform`) or the standard deviation"),
            key("distribution", "`uniform` (the default), `normal`, `lognormal`, `pareto`"),
        ],
        example: "effect = \"delay\"\ndelay = \"200ms\"",
        explored: Explored::By(&[&[&[("delay", "2s")], &[("delay", "200ms")]]]),
        others: &[
            term("Chaos Mesh", "delay"),
            term("Istio", "fixedDelay"),
            term("Envoy", "fixed_delay"),
            term("k6", "averageDelay"),
            term("Litmus", "pod-http-latency"),
            term("WireMock", "fixedDelayMilliseconds"),
            term("AWS FIS", "aws:lambda:invocation-add-delay"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self { delay: keys.spread()? })
    }

    fn written(&self) -> Written {
        self.delay.written()
    }

    fn words(&self) -> String {
        format!("delay {}", self.delay)
    }

    fn action(&self) -> Action {
        Action::of_messages(MessageAction { delay: Some(self.delay), ending: None })
    }
}
