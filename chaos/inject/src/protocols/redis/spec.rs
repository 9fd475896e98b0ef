//! The command that is coming, by the table of commands: what it is, where its keys are, how much of it a decision takes.

use chaos_redis::{
    codec::RequestScanner,
    table::{self, Flag, Found, Spec},
};

/// Commands whose reply is the value of one key, or of a part of it.
const VALUES: [&str; 9] = ["dump", "get", "getex", "getrange", "hget", "json.get", "lindex", "substr", "zscore"];

/// The row of a command, as far as it has come.
pub(super) fn found(command: &RequestScanner) -> Found {
    command.argument(0).map_or(Found::Nothing, |name| table::find(name, command.argument(1)))
}

/// The command that a server would run: it is there, and has as many arguments as it may. Others are refused.
pub(super) fn runnable(command: &RequestScanner) -> Option<&'static Spec> {
    match found(command) {
        Found::Command(spec) if spec.takes(command.announced()) => Some(spec),
        _ => None,
    }
}

/// The keys among the arguments that have come. Of a command that isn't in the table, the first argument counts as one.
pub(super) fn keys(command: &RequestScanner) -> Vec<&[u8]> {
    let words = usize::try_from(command.announced()).unwrap_or(usize::MAX);
    match found(command) {
        Found::Command(spec) => spec.keys_among(words, |place| command.argument(place)).collect(),
        Found::NoSubcommand(_) => vec![],
        Found::Nothing => command.argument(1).into_iter().collect(),
    }
}

/// The count of arguments that a decision on the command takes, its name included; nothing where it takes them all.
pub(super) fn needed(command: &RequestScanner) -> Option<usize> {
    match found(command) {
        Found::Command(spec) if reads(spec) => None,
        Found::Command(spec) => spec.only_key().map(|key| key + 1),
        Found::NoSubcommand(_) => None,
        Found::Nothing => Some(2),
    }
}

/// Tells whether a reply to it can be given again.
pub(super) fn reads(spec: &Spec) -> bool {
    spec.has(Flag::ReadOnly) || is_value(spec)
}

/// Tells whether its reply is the value of one key, or of a part of it.
pub(super) fn is_value(spec: &Spec) -> bool {
    VALUES.contains(&spec.name)
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
