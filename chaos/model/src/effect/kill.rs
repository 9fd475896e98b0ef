//! `kill`: a program that crashes and comes back.

use super::{Action, Facts, Keys, Kind, Level, action::ServiceAction};
use serde::{Deserialize, Serialize};

/// A service's program is ended without being asked, and is started again at the end of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {}

impl Kind for Kill {
    const FACTS: Facts = Facts {
        name: "kill",
        level: Level::Services,
        about: "SIGKILL, and started again when the fault ends",
        keys: &[],
        example: "effect = \"kill\"",
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        Action::of_service(ServiceAction::Kill)
    }
}
