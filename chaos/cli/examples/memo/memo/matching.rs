//! Matching of commands: the commands that a fault is for, and what draws on them hang on. Pure.

use chaos_inject::protocol::{Key, Message};
use chaos_model::{KeyKind, Only, effect::Action};

/// A command, as far as decisions go: its name and its key, without the text that it may bring.
#[derive(Clone, Debug)]
pub(super) struct Command {
    name: String,
    key: String,
}

impl Command {
    /// The command of a line.
    pub(super) fn of(line: &[u8]) -> Self {
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_whitespace().map(str::to_owned);
        Self { name: words.next().unwrap_or_default(), key: words.next().unwrap_or_default() }
    }

    /// The kind by which it is counted on its link: what tells it from others of its name stays out.
    pub(super) fn kind(&self) -> &str {
        &self.name
    }
}

impl Message for Command {
    fn matches(&self, action: &Action, only: &Only) -> bool {
        let named = only.commands.is_empty() || only.commands.contains(&self.name);
        let has_key = only.key.as_ref().is_none_or(|pattern| pattern.matches(self.key.as_bytes()));
        action.message.is_some() && named && has_key
    }

    // The first part is a word of this protocol alone, and all of them stay as they are: they decide what is drawn.
    fn key(&self) -> Key {
        Key::new(KeyKind::Message, &[b"memo", self.name.as_bytes(), self.key.as_bytes()])
    }

    fn subject(&self) -> String {
        format!("{} {}", self.name, self.key).trim_end().to_owned()
    }
}
