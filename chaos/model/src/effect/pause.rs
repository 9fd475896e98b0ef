//! `pause`: a program that stands still, as in a long collection of garbage or on a frozen machine.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::ServiceAction, term};
use serde::{Deserialize, Serialize};

/// A service's program is frozen until the end of the fault, while its kernel still accepts and acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {}

impl EffectKind for Pause {
    const FACTS: Facts = Facts {
        name: "pause",
        level: Level::Services,
        about: "SIGSTOP: the program is frozen, while its kernel still accepts and acknowledges; SIGCONT when the fault ends",
        keys: &[],
        example: "effect = \"pause\"",
        explored: Explored::ONCE,
        others: &[
            term("Docker", "pause"),
            term("Linux", "SIGSTOP"),
        ],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        Action::of_service(ServiceAction::Pause)
    }
}
