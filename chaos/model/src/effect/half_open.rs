//! `half-open`: a connection of which one direction is dead, as behind a firewall that forgot it.

use super::{Action, Directions, Explored, Facts, Keys, EffectKind, Level, action::StreamAction, key, Written};
use serde::{Deserialize, Serialize};

/// Nothing passes in one direction, and everything in the other. Connecting works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfOpen {
    /// The dead direction: not both, which would be `hang`.
    pub direction: Directions,
}

impl EffectKind for HalfOpen {
    const FACTS: Facts = Facts {
        name: "half-open",
        level: Level::Connections,
        about: "nothing passes in one direction, everything in the other",
        keys: &[key("direction", "the dead one: `downstream` (the default) or `upstream`")],
        example: "effect = \"half-open\"",
        explored: Explored::By(&[&[&[("direction", "downstream")]], &[&[("direction", "upstream")]]]),
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let all = [("upstream", Directions::Upstream), ("downstream", Directions::Downstream)];
        let direction = keys.one_of("direction", "the dead direction", &all).unwrap_or_default();
        Some(Self { direction })
    }

    fn written(&self) -> Written {
        vec![self.direction.written()]
    }

    fn words(&self) -> String {
        format!("half-open ({} is dead)", self.direction.name())
    }

    fn action(&self) -> Action {
        Action::of_stream(StreamAction { holds: Some(self.direction), ..StreamAction::default() })
    }
}
