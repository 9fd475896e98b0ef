//! `stop`: a program that is taken down for a while.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::ServiceAction, term};
use serde::{Deserialize, Serialize};

/// A service's program is asked to end, and is started again at the end of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {}

impl EffectKind for Stop {
    const FACTS: Facts = Facts {
        name: "stop",
        level: Level::Services,
        about: "asked to end (`stop-signal`), SIGKILL after its `stop-grace`, and started again when the fault ends",
        keys: &[],
        example: "effect = \"stop\"",
        explored: Explored::ONCE,
        others: &[
            term("Docker", "stop"),
            term("Chaos Mesh", "pod-failure"),
            term("Gremlin", "shutdown"),
            term("AWS FIS", "aws:ecs:stop-task"),
        ],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        Action::of_service(ServiceAction::Stop)
    }
}
