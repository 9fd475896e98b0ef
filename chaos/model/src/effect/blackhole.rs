//! `blackhole`: packets that vanish, as behind a broken route or a firewall that drops.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::{Accepting, StreamAction}, term};
use serde::{Deserialize, Serialize};

/// Connecting does not complete, and nothing passes in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blackhole {}

impl EffectKind for Blackhole {
    const FACTS: Facts = Facts {
        name: "blackhole",
        level: Level::Connections,
        about: "connecting does not complete either, as when packets vanish",
        keys: &[],
        example: "effect = \"blackhole\"",
        explored: Explored::ONCE,
        others: &[
            term("Gremlin", "blackhole"),
            term("Chaos Mesh", "partition"),
            term("Litmus", "pod-network-partition"),
            term("iptables", "DROP"),
            term("AWS FIS", "aws:network:disrupt-connectivity"),
            term("AWS FIS", "aws:ecs:task-network-blackhole-port"),
        ],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        let holds = Some(super::Directions::Both);
        Action::of_stream(StreamAction { accepting: Accepting::Blackhole, holds, ..StreamAction::default() })
    }
}
