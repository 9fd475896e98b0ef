//! `miss`: a cache that has nothing, as after an eviction.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::{RedisAction, ReplyEdit}};
use serde::{Deserialize, Serialize};

/// A read has the reply that there is nothing, and the server does not see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {}

impl EffectKind for Miss {
    const FACTS: Facts = Facts {
        name: "miss",
        level: Level::Commands,
        about: "reads have the reply that there is nothing; the server does not see them",
        keys: &[],
        example: "effect = \"miss\"",
        explored: Explored::ONCE,
        others: &[],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        Action::of_redis(RedisAction { reply: Some(ReplyEdit::Miss) })
    }
}
