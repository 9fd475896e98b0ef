//! `error`: a Redis that answers with an error.

use super::{
    Action, Explored, Facts, Keys, EffectKind, Level, RedisState,
    action::{RedisAction, ReplyEdit, StreamAction},
    key, term, Written};
use crate::language::{findings::Wrong, nearest::list};
use serde::{Deserialize, Serialize};

/// A command has an error as its reply, and the server does not see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// The error as it goes over the wire, without the leading `-`.
    pub reply: String,
}

/// Errors of Redis 7 that are of no state, with its texts.
const OTHERS: [(&str, &str); 3] = [
    ("WRONGPASS", "WRONGPASS invalid username-password pair or user is disabled."),
    ("NOPERM", "NOPERM User default has no permissions to run this command"),
    ("MOVED", "MOVED 3999 127.0.0.1:6381"),
];

/// Words of errors, with their texts.
fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    RedisState::ALL.iter().map(|state| (state.word(), state.reply())).chain(OTHERS)
}

impl EffectKind for Error {
    const FACTS: Facts = Facts {
        name: "error",
        level: Level::Commands,
        about: "commands have an error as their reply; the server does not see them",
        keys: &[key("reply", "a state, `LOADING`, `READONLY`, `OOM`, `NOAUTH`, `MASTERDOWN`, `BUSY`, `MISCONF` or `CLUSTERDOWN`: what a server in it refuses is refused, the rest is served; `MAXCLIENTS`: new connections are told so and closed; `WRONGPASS`, `NOPERM`, `MOVED`, or a whole reply, as `ERR it is so`: any command has it")],
        example: "effect = \"error\"\nreply = \"LOADING\"",
        explored: Explored::By(&[&[&[("reply", "LOADING")]], &[&[("reply", "READONLY")]], &[&[("reply", "OOM")]], &[&[("reply", "MAXCLIENTS")]], &[&[("reply", "ERR unknown command")]]]),
        others: &[
            term("Envoy", "error"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let reply = keys.needed("reply", "reply = \"LOADING\"", |text| {
            if let Some((_, whole)) = known().find(|(word, _)| *word == text.trim()) {
                return Ok(whole.to_owned());
            }
            let word = text.split(' ').next().unwrap_or_default();
            let is_code = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
            if is_code && text.contains(' ') && !text.contains(['\r', '\n']) {
                return Ok(text.to_owned());
            }
            let advice = format!(
                "write a whole reply, as `ERR it is so`, or one of {}",
                list(known().map(|(word, _)| word))
            );
            Err(Wrong::new(format!("`{text}` is no error that Redis gives")).advice(advice))
        });
        Some(Self { reply: reply? })
    }

    fn written(&self) -> Written {
        vec![("reply", self.reply.clone())]
    }

    fn words(&self) -> String {
        let code = self.reply.split(' ').next().unwrap_or_default();
        format!("error {}", RedisState::of_reply(&self.reply).map_or(code, |state| state.word()))
    }

    fn action(&self) -> Action {
        let reply = match RedisState::of_reply(&self.reply) {
            Some(state @ RedisState::MaxClients) => {
                let turns_away = Some(state.reply());
                return Action::of_stream(StreamAction { turns_away, spares_open: true, ..StreamAction::default() });
            }
            Some(state) => ReplyEdit::State(state),
            None => ReplyEdit::Error(self.reply.clone()),
        };
        Action::of_redis(RedisAction { reply: Some(reply) })
    }
}
