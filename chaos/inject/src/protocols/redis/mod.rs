//! The filter of Redis: reads commands and replies along on one connection, in RESP2 and RESP3, and does to them what
//! faults ask for.
//!
//! - [`commands`] follows the way up: where commands end, what they are ([`spec`]), and what is decided on them.
//! - [`replies`] follows the way down: which command each reply is for ([`queue`]), and what becomes of it ([`edit`],
//!   [`fate`]).
//! - [`session`] knows what commands do to the connection itself, as far as it says which replies come and what a server
//!   refuses ([`refusal`]); within a transaction, what they mean for `EXEC` ([`transaction`]).
//! - [`subscriptions`] tells what a server sends by itself from what it replies.
//!
//! Values are never kept, but where an edit needs a reply as a whole, within [`VALUE_BYTES`]. A command is held until
//! its name and keys are known, within [`COMMAND_BYTES`], and not at all while no fault acts on messages.
//!
//! Within a transaction, a command that is refused makes `EXEC` fail, as a server's refusal would, and the server is made to
//! forget the transaction; what a fault does to the reply of a queued command, it does to that of `EXEC`, and values are changed
//! within that ([`results`]).
//!
//! Never acted on: commands whose replies a client has turned off, and those that a server refuses since the client has
//! subscribed. Where replies can no longer be told apart (replication,
//! transactions in which the protocol is changed or channels are subscribed to, bytes that are no RESP), the filter is
//! lost and everything passes.

mod awaits;
mod commands;
mod decision;
mod edit;
mod fate;
mod matching;
mod miss;
mod plan;
mod planned;
mod queue;
mod refusal;
mod replies;
mod results;
mod session;
mod spec;
mod subscriptions;
mod transaction;
mod values;

use crate::{
    protocol::{Attribution, Decide, Filter, Injected, Step, Unreadable},
    protocols::steps::Steps,
};
use chaos_model::Direction;
use chaos_redis::codec::{Limits, Scanner};
use commands::Commands;
use replies::Replies;
use session::Session;

/// A command of which so many bytes have come is decided on by what is known of it.
const COMMAND_BYTES: usize = 64 * 1024;

/// A longer error is cut, where it is shown.
const ERROR_BYTES: usize = 80;

/// A value that is longer is neither held nor remembered.
const VALUE_BYTES: usize = 1024 * 1024;

/// Nested deeper than anything that Redis sends.
const DEPTH: usize = 128;

/// Finds where replies end.
fn reply_scanner() -> Scanner {
    Scanner::new(Limits { bytes: usize::MAX, elements: u64::MAX, depth: DEPTH }).with_attributes()
}

/// Follows one connection, from its first byte on.
#[derive(Debug, Default)]
pub(crate) struct RedisFilter {
    session: Session,
    commands: Commands,
    replies: Replies,
}

impl Filter for RedisFilter {
    fn on_bytes(&mut self, direction: Direction, bytes: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        let Self { session, commands, replies } = self;
        match direction {
            Direction::Upstream => commands.on_bytes(bytes, session, replies, decide, steps),
            Direction::Downstream => replies.on_bytes(bytes, session, steps),
        }
    }

    fn on_end(&mut self, direction: Direction, _left: &[u8], _decide: &mut dyn Decide, _steps: &mut Vec<Step>) {
        // A command that did not come whole is none, and what answers in the server's place needs a client to be there.
        match direction {
            Direction::Upstream => self.commands.lose(Unreadable::Unclear, &mut self.replies),
            Direction::Downstream => {
                // It was cut off: there is nothing that a fault could have acted on.
                drop(self.replies.lose());
                self.commands.lose(Unreadable::Unclear, &mut self.replies);
            }
        }
    }

    fn on_change(&mut self, direction: Direction, left: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        // A command that is held goes on with the rest of it.
        if direction == Direction::Downstream {
            let Self { session, replies, .. } = self;
            let is_there = |injected: &Injected| decide.has(injected);
            session.forget(&is_there);
            replies.forget(&is_there);
            replies.on_bytes(left, session, steps);
        }
    }

    fn under_way(&self) -> Vec<Attribution> {
        self.replies.under_way()
    }

    fn is_lost(&self) -> bool {
        self.commands.is_lost() && self.replies.is_lost()
    }

    fn unreadable(&self) -> Unreadable {
        self.commands.unreadable()
    }

    fn words(&self, response: &[u8]) -> String {
        words(response)
    }
}

/// Says that faults acted on one message.
fn fire(steps: Steps<'_>, injected: Vec<Injected>) {
    steps.extend(injected.into_iter().map(Step::Fired));
}

/// Says that faults were to act on messages and can't, for this reason.
fn spare(injected: Vec<Injected>, why: Unreadable, steps: Steps<'_>) {
    steps.extend(injected.into_iter().map(|injected| Step::Spared(injected, why)));
}

/// The words for a reply, by its first line: `nil`, `OK`, `57 bytes`, `3 elements`, `error: WRONGTYPE …`.
fn words(reply: &[u8]) -> String {
    let line = reply.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let Some((kind, rest)) = line.split_first() else { return "a reply".to_owned() };
    let rest = String::from_utf8_lossy(&rest[..rest.len().min(ERROR_BYTES)]);
    match kind {
        b'$' | b'*' if rest == "-1" => "nil".to_owned(),
        b'_' => "nil".to_owned(),
        b'$' => format!("{rest} bytes"),
        b'*' | b'~' | b'%' => format!("{rest} elements"),
        b'-' => format!("error: {rest}"),
        b'+' | b':' => rest.into_owned(),
        _ => "a reply".to_owned(),
    }
}

#[cfg(test)]
mod tests;
