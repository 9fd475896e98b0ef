//! `stale`: a replica that lags, or a write that was lost.

use super::{Action, Explored, Facts, Keys, EffectKind, Level, action::{RedisAction, ReplyEdit}};
use serde::{Deserialize, Serialize};

/// A read of one key has as its reply the value that it had when the fault first saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {}

impl EffectKind for Stale {
    const FACTS: Facts = Facts {
        name: "stale",
        level: Level::Commands,
        about: "reads of one key have as their reply the value that it had when the fault first saw it",
        keys: &[],
        example: "effect = \"stale\"",
        explored: Explored::ONCE,
        others: &[],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        Action::of_redis(RedisAction { reply: Some(ReplyEdit::Stale) })
    }
}
