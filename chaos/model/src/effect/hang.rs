//! `hang`: a program that has stopped serving, behind a kernel that has not.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::StreamAction};
use serde::{Deserialize, Serialize};

/// Connecting works, and nothing passes in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hang {}

impl EffectKind for Hang {
    const FACTS: Facts = Facts {
        name: "hang",
        level: Level::Connections,
        about: "connecting works, and nothing comes back",
        keys: &[],
        example: "effect = \"hang\"",
        explored: Explored::ONCE,
        others: &[],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        let holds = Some(super::Directions::Both);
        Action::of_stream(StreamAction { holds, ..StreamAction::default() })
    }
}
