//! `lose`: a reply that is lost, so that later ones are read out of step.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::{RedisAction, ReplyEdit}};
use serde::{Deserialize, Serialize};

/// The reply is left out: whoever counts replies reads the next one as this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lose {}

impl EffectKind for Lose {
    const FACTS: Facts = Facts {
        name: "lose",
        level: Level::Commands,
        about: "the reply is left out, so that later ones on its connection are read out of step",
        keys: &[],
        example: "effect = \"lose\"",
        explored: Explored::ONCE,
        others: &[],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        Action::of_redis(RedisAction { reply: Some(ReplyEdit::Lose) })
    }
}
