//! `flush`: a cache that is cold from one moment to the next.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::ServiceAction, term};
use serde::{Deserialize, Serialize};

/// A Redis forgets everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flush {}

impl EffectKind for Flush {
    const FACTS: Facts = Facts {
        name: "flush",
        level: Level::Services,
        about: "a Redis is emptied",
        keys: &[],
        example: "effect = \"flush\"",
        explored: Explored::ONCE,
        others: &[
            term("Redis", "FLUSHALL"),
        ],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        Action::of_service(ServiceAction::Flush)
    }
}
