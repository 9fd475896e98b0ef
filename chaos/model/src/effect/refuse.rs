//! `refuse`: a program that is gone, on a machine that is not.

use super::{
    Action, Explored, Facts, Keys, EffectKind, Level, OpenConnections,
    action::{Cut, Accepting, StreamAction},
    key, term, Written};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// New connections are refused, open ones are reset, the port stays bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refuse {
    /// The fate of open connections.
    pub open: OpenConnections,
}

impl EffectKind for Refuse {
    const FACTS: Facts = Facts {
        name: "refuse",
        level: Level::Connections,
        about: "as when the program is gone: new connections are refused, open ones are reset",
        keys: &[key("open", "`reset` (the default) or `keep`, which spares the open ones")],
        example: "effect = \"refuse\"",
        explored: Explored::By(&[&[&[], &[("open", "keep")]]]),
        others: &[
            term("Toxiproxy", "down"),
            term("iptables", "REJECT"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self { open: keys.open() })
    }

    fn written(&self) -> Written {
        vec![("open", self.open.name().to_owned())]
    }

    fn words(&self) -> String {
        match self.open {
            OpenConnections::Reset => "refuse".to_owned(),
            OpenConnections::Keep => "refuse (open connections are kept)".to_owned(),
        }
    }

    fn action(&self) -> Action {
        let (accepting, cut) = (Accepting::Refuse, Some(Cut::ResetAfter(Duration::ZERO)));
        let spares_open = self.open == OpenConnections::Keep;
        Action::of_stream(StreamAction { accepting, cut, spares_open, ..StreamAction::default() })
    }
}
