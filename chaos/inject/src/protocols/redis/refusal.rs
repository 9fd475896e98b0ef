//! Refusals of a server in one of its states: which commands it refuses, and by which error. In the order in which
//! `processCommand` of Redis 7 looks at them. Pure.

use super::{
    session::Session,
    spec,
    transaction::{Queued, has_keys},
};
use chaos_model::effect::RedisState;
use chaos_redis::{
    codec::RequestScanner,
    table::{Flag, Found, Spec},
};

/// The reply to `HELLO` without `AUTH`, which such a server does serve.
const HELLO: &str = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> \
     <pass> option can be used to authenticate the client and select the RESP protocol version at the same time";

/// The error for a command that a server in this state refuses; none for those that it serves, and for those that it does
/// not know or that have too few or too many arguments: of these it says so itself.
pub(super) fn refusal(state: RedisState, command: &RequestScanner, session: &Session) -> Option<&'static str> {
    let spec = match spec::found(command) {
        Found::Command(spec) if spec.takes(command.announced()) => spec,
        // Names with a dot are those of modules, whose commands are served in none of these states unless they say so.
        Found::Nothing if command.argument(0).is_some_and(|name| name.contains(&b'.')) => {
            let is_of_data = matches!(state, RedisState::ReadOnly | RedisState::Oom | RedisState::Misconf);
            return (!is_of_data && state != RedisState::MaxClients).then(|| state.reply());
        }
        _ => return None,
    };
    // The server refuses these by itself.
    if session.in_transaction() && spec.has(Flag::NoMulti) {
        return None;
    }
    let exec = session.queued().filter(|_| spec.name == "exec").unwrap_or_default();
    let writes = spec.has(Flag::Write) || exec.writes;
    let refused = match state {
        RedisState::NoAuth if spec.name == "hello" => return hello(command, session),
        RedisState::NoAuth => !spec.has(Flag::NoAuth),
        RedisState::ClusterDown => exec.has_keys || has_keys(spec, command),
        RedisState::Oom => needs_memory(spec, exec, session),
        RedisState::Misconf => writes || spec.name == "ping",
        RedisState::ReadOnly => writes,
        // A replica takes no writes, whether or not its master is there.
        RedisState::MasterDown if writes => return Some(RedisState::ReadOnly.reply()),
        RedisState::MasterDown => !spec.has(Flag::Stale) || exec.needs_master || is_script(spec, command, session),
        RedisState::Loading => !spec.has(Flag::Loading) || exec.needs_data,
        // They are for functions, and it is a script that runs.
        RedisState::Busy if matches!(spec.name, "function|kill" | "function|stats") => !session.in_transaction(),
        RedisState::Busy => !spec.has(Flag::AllowBusy),
        // New connections are, and no commands.
        RedisState::MaxClients => false,
    };
    refused.then(|| state.reply())
}

/// All that waits in a transaction takes memory.
fn needs_memory(spec: &Spec, exec: Queued, session: &Session) -> bool {
    let needs_none = ["exec", "discard", "quit", "reset"].contains(&spec.name);
    spec.has(Flag::DenyOom) || exec.needs_memory || (session.in_transaction() && !needs_none)
}

/// Tells whether this runs a script that does not say that it may read old data: its flags would stand in its first line.
/// One that is known by its digest is taken for such a one. What a script does within a server, only that sees.
fn is_script(spec: &Spec, command: &RequestScanner, session: &Session) -> bool {
    const DIGEST_BYTES: usize = 40;
    let script = command.argument(1).unwrap_or_default();
    let says_nothing = match spec.name {
        "eval" | "eval_ro" => !script.starts_with(b"#!"),
        "evalsha" | "evalsha_ro" => script.len() == DIGEST_BYTES,
        _ => false,
    };
    says_nothing && !session.in_transaction()
}

/// `HELLO` may authenticate. Other versions than 2 and 3 are refused first, and within a transaction it is queued.
fn hello(command: &RequestScanner, session: &Session) -> Option<&'static str> {
    let is_known = command.argument(1).is_none_or(|version| matches!(version, b"2" | b"3"));
    let authenticates = command.arguments().skip(2).any(|word| word.eq_ignore_ascii_case(b"auth"));
    (is_known && !authenticates && !session.in_transaction()).then_some(HELLO)
}

/// The error for `EXEC` where it is refused by this one.
pub(super) fn of_exec(error: &str) -> String {
    // A cluster sends clients elsewhere, and does not say that it is about the transaction.
    if error == RedisState::ClusterDown.reply() {
        return error.to_owned();
    }
    format!("EXECABORT Transaction discarded because of: {error}")
}
