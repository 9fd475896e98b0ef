//! Matching of commands: the commands that a fault is for, and what draws on them hang on. Pure.

use crate::protocol::{Key, Message, shortened};
use chaos_model::{KeyKind, Only, effect::Action};

/// A command, as far as decisions go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command<'a> {
    /// Name of the command, in upper case.
    pub(crate) name: &'a str,
    /// Keys among its arguments.
    pub(crate) keys: &'a [&'a [u8]],
}

impl Message for Command<'_> {
    fn matches(&self, action: &Action, only: &Only) -> bool {
        (action.message.is_some() || action.redis.is_some()) && matches(only, self)
    }

    fn key(&self) -> Key {
        let parts: Vec<&[u8]> = std::iter::once(b"command".as_slice()).chain(key_parts(self)).collect();
        Key::new(KeyKind::Command, &parts)
    }

    fn subject(&self) -> String {
        let keys: Vec<String> = self.keys.iter().take(3).map(|key| shortened(key)).collect();
        format!("{} {}", self.name, keys.join(" ")).trim_end().to_owned()
    }
}

/// Tells whether a fault that is for these is for this command, apart from its number (`nth`). A pattern of keys takes
/// a command with any key that is like it, and none without keys.
fn matches(only: &Only, command: &Command<'_>) -> bool {
    let named = only.commands.is_empty() || only.commands.iter().any(|name| name == command.name);
    named && only.key.as_ref().is_none_or(|pattern| command.keys.iter().any(|key| pattern.matches(key)))
}

/// The parts that identify a command in draws: its name and its keys.
fn key_parts<'a>(command: &Command<'a>) -> Vec<&'a [u8]> {
    std::iter::once(command.name.as_bytes()).chain(command.keys.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::Pattern;

    fn only(commands: &[&str], key: Option<&str>) -> Only {
        Only {
            commands: commands.iter().map(|name| (*name).to_owned()).collect(),
            key: key.map(|key| Pattern(key.to_owned())),
            ..Only::default()
        }
    }

    #[test]
    fn by_name_and_by_any_key() {
        let get = Command { name: "GET", keys: &[b"user:7"] };
        let mget = Command { name: "MGET", keys: &[b"order:1", b"user:7"] };
        let ping = Command { name: "PING", keys: &[] };
        assert!([get, mget, ping].iter().all(|command| matches(&Only::default(), command)));
        assert!(matches(&only(&["SET", "GET"], None), &get) && !matches(&only(&["SET", "GET"], None), &mget));
        assert!(matches(&only(&[], Some("user:*")), &mget) && !matches(&only(&[], Some("users:*")), &mget));
        assert!(!matches(&only(&["SET"], Some("user:*")), &get));
        assert!(!matches(&only(&[], Some("*")), &ping));
    }

    #[test]
    fn draws_hang_on_the_name_and_all_keys() {
        let mget = Command { name: "MGET", keys: &[b"a", b"b"] };
        assert_eq!(key_parts(&mget), [&b"MGET"[..], b"a", b"b"]);
        assert_eq!(key_parts(&Command { name: "PING", keys: &[] }), [&b"PING"[..]]);
    }
}
