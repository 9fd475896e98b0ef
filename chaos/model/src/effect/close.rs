//! `close`: a peer that goes away in place of a response.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::{MessageAction, MessageEnding}, term};
use serde::{Deserialize, Serialize};

/// The connection is closed in an orderly way in place of the response or the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {}

impl EffectKind for Close {
    const FACTS: Facts = Facts {
        name: "close",
        level: Level::Messages,
        about: "the connection is closed in place of the response or the reply",
        keys: &[],
        example: "effect = \"close\"",
        explored: Explored::ONCE,
        others: &[
            term("WireMock", "EMPTY_RESPONSE"),
        ],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        Action::of_messages(MessageAction { delay: None, ending: Some(MessageEnding::Instead) })
    }
}
