//! `miss`: a cache that has nothing, as after an eviction.

use super::{Action, Facts, Keys, Kind, Level, action::{RedisAction, ReplyEdit}};
use serde::{Deserialize, Serialize};

/// A read is answered that there is nothing, without asking the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {}

impl Kind for Miss {
    const FACTS: Facts = Facts {
        name: "miss",
        level: Level::Commands,
        about: "reads are answered that there is nothing; the server is not asked",
        keys: &[],
        example: "effect = \"miss\"",
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        Action::of_redis(RedisAction { reply: Some(ReplyEdit::Miss) })
    }
}
