//! `wrong`: a Redis that answers with a value of something else.

use super::{
    Action, Explored, Facts, Keys, EffectKind, Level,
    action::{RedisAction, ReplyEdit},
    key, Written, there};
use serde::{Deserialize, Serialize};

/// A read of one key has as its reply a value that is not the key's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// The value; else that of another key, or the key's own with its bytes in reverse.
    #[serde(default)]
    pub value: Option<String>,
}

impl EffectKind for Wrong {
    const FACTS: Facts = Facts {
        name: "wrong",
        level: Level::Commands,
        about: "reads of one key have another value as their reply",
        keys: &[key("value", "the value (that of another key, or the key's own with its bytes in reverse)")],
        example: "effect = \"wrong\"",
        explored: Explored::ONCE,
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self { value: keys.text("value").map(|word| word.text.to_owned()) })
    }

    fn written(&self) -> Written {
        [("value", self.value.clone())].into_iter().filter_map(there).collect()
    }

    fn action(&self) -> Action {
        let reply = Some(ReplyEdit::Wrong { value: self.value.clone() });
        Action::of_redis(RedisAction { reply })
    }
}
