//! `kill`: a program that crashes and comes back.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::ServiceAction, term};
use serde::{Deserialize, Serialize};

/// A service's program is ended without being asked, and is started again at the end of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {}

impl EffectKind for Kill {
    const FACTS: Facts = Facts {
        name: "kill",
        level: Level::Services,
        about: "SIGKILL, and started again when the fault ends",
        keys: &[],
        example: "effect = \"kill\"",
        explored: Explored::ONCE,
        others: &[
            term("Docker", "kill"),
            term("Chaos Mesh", "pod-kill"),
            term("Chaos Mesh", "container-kill"),
            term("Litmus", "pod-delete"),
            term("Gremlin", "process killer"),
            term("k6", "terminatePods"),
            term("AWS FIS", "aws:ecs:task-kill-process"),
            term("AWS FIS", "aws:eks:pod-delete"),
        ],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        Action::of_service(ServiceAction::Kill)
    }
}
