//! `error`: a Redis that answers with an error.

use super::{
    Action, Facts, Keys, EffectKind, Level,
    action::{RedisAction, ReplyEdit},
    key, term, Written};
use crate::language::{findings::Wrong, nearest::list};
use serde::{Deserialize, Serialize};

/// A command has an error as its reply, and the server does not see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// The error as it goes over the wire, without the leading `-`.
    pub reply: String,
}

/// Errors of Redis 7, with the text that it gives in each of these states.
const KNOWN: [(&str, &str); 10] = [
    ("LOADING", "LOADING Redis is loading the dataset in memory"),
    ("READONLY", "READONLY You can't write against a read only replica."),
    ("OOM", "OOM command not allowed when used memory > 'maxmemory'."),
    ("NOAUTH", "NOAUTH Authentication required."),
    ("WRONGPASS", "WRONGPASS invalid username-password pair or user is disabled."),
    ("NOPERM", "NOPERM User default has no permissions to run this command"),
    ("MOVED", "MOVED 3999 127.0.0.1:6381"),
    ("BUSY", "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."),
    ("MASTERDOWN", "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
    ("MAXCLIENTS", "ERR max number of clients reached"),
];

impl EffectKind for Error {
    const FACTS: Facts = Facts {
        name: "error",
        level: Level::Commands,
        about: "commands have an error as their reply; the server does not see them",
        keys: &[key("reply", "`LOADING`, `READONLY`, `OOM`, `NOAUTH`, `WRONGPASS`, `NOPERM`, `MOVED`, `BUSY`, `MASTERDOWN`, `MAXCLIENTS`, or a whole reply, as `ERR it is so`")],
        example: "effect = \"error\"\nreply = \"LOADING\"",
        others: &[
            term("Envoy", "error"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let reply = keys.needed("reply", "reply = \"LOADING\"", |text| {
            if let Some((_, whole)) = KNOWN.iter().find(|(word, _)| *word == text.trim()) {
                return Ok((*whole).to_owned());
            }
            let word = text.split(' ').next().unwrap_or_default();
            let is_code = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
            if is_code && text.contains(' ') && !text.contains(['\r', '\n']) {
                return Ok(text.to_owned());
            }
            let advice = format!(
                "write a whole reply, as `ERR it is so`, or one of {}",
                list(KNOWN.iter().map(|(word, _)| *word))
            );
            Err(Wrong::new(format!("`{text}` is no error that Redis gives")).advice(advice))
        });
        Some(Self { reply: reply? })
    }

    fn written(&self) -> Written {
        vec![("reply", self.reply.clone())]
    }

    fn words(&self) -> String {
        format!("error {}", self.reply.split(' ').next().unwrap_or_default())
    }

    fn action(&self) -> Action {
        let reply = Some(ReplyEdit::Error(self.reply.clone()));
        Action::of_redis(RedisAction { reply })
    }
}
