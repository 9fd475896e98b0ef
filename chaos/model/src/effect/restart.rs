//! `restart`: a program that is deployed anew.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::ServiceAction, term};
use serde::{Deserialize, Serialize};

/// A service's program is asked to end, and is started again at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {}

impl EffectKind for Restart {
    const FACTS: Facts = Facts {
        name: "restart",
        level: Level::Services,
        about: "asked to end (`stop-signal`), SIGKILL after its `stop-grace`, and started again at once",
        keys: &[],
        example: "effect = \"restart\"",
        explored: Explored::ONCE,
        others: &[
            term("Docker", "restart"),
            term("AWS FIS", "aws:rds:reboot-db-instances"),
        ],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        Action::of_service(ServiceAction::Restart)
    }
}
