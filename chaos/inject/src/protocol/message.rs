//! Messages, as far as decisions go.

use chaos_model::{ArrivalId, KeyKind, Only, effect::Action};

/// A message of a client: a request, a command, whatever its protocol calls it.
pub trait Message {
    /// Tells whether a fault that does this, and is for these, is for this message; its number among those that match
    /// (`nth`) apart. One whose action is another protocol's is not.
    fn matches(&self, action: &Action, only: &Only) -> bool;

    /// The key that it is drawn by. Asked for where a fault is for it.
    fn key(&self) -> Key;

    /// The words for it, for people and the ledger: `GET /users/7`.
    fn subject(&self) -> String;

    /// The arrival that it belongs to, where it says so: of whatever run.
    fn arrival(&self) -> Option<ArrivalId> {
        None
    }
}

/// The key of a message in draws: a hash of what tells it from others, but for how often it came. Equal keys are decided
/// alike in every world, whatever other faults there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub(crate) kind: KeyKind,
    pub(crate) hash: u64,
}

impl Key {
    /// The key of a message with these parts. The first should be a word for the kind of message, so that no message is
    /// drawn as one of another kind is. A protocol's parts may never change: they are in the draws.
    #[must_use]
    pub fn new(kind: KeyKind, parts: &[&[u8]]) -> Self {
        Self { kind, hash: host::hash(0, parts) }
    }
}

/// A text for a subject, cut where it is long.
pub(crate) fn shortened(text: &[u8]) -> String {
    const LONGEST: usize = 120;
    let shown = String::from_utf8_lossy(&text[..text.len().min(LONGEST)]);
    if text.len() > LONGEST { format!("{shown}…") } else { shown.into_owned() }
}
