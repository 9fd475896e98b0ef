//! The filter of Redis: reads commands and replies along on one connection, in RESP2 and RESP3, and does to them what
//! faults ask for.
//!
//! - [`commands`] follows the way up: where commands end, what they are ([`spec`]), and what is decided on them.
//! - [`replies`] follows the way down: which command each reply is for ([`queue`]), and what becomes of it ([`edit`],
//!   [`fate`]).
//! - [`session`] knows what commands do to the connection itself, as far as it says which replies come.
//!
//! Values are never kept, but where an edit needs a reply as a whole, within [`VALUE_BYTES`]. A command is held until
//! its name and keys are known, within [`COMMAND_BYTES`], and not at all while no fault acts on messages.
//!
//! Never acted on: what belongs to a transaction (`MULTI`, `EXEC` and all between, `WATCH`), and commands whose replies
//! a client has turned off. Where replies can no longer be told apart (RESP2 subscriptions, `MONITOR`, replication,
//! bytes that are no RESP), the filter is lost and everything passes.

mod commands;
mod decision;
mod edit;
mod fate;
mod matching;
mod miss;
mod queue;
mod replies;
mod session;
mod spec;
mod steps;
mod values;

pub(crate) use matching::{key_parts, matches};
pub(crate) use values::Values;

use crate::{
    filter::{Attribution, Decide, Filter, Step},
    interpreter::Way,
};
use commands::Commands;
use replies::Replies;
use session::Session;

/// A command of which so many bytes have come is decided on by what is known of it.
const COMMAND_BYTES: usize = 64 * 1024;

/// A value that is longer is neither held nor remembered.
const VALUE_BYTES: usize = 1024 * 1024;

/// Follows one connection, from its first byte on.
#[derive(Debug, Default)]
pub(crate) struct RedisFilter {
    session: Session,
    commands: Commands,
    replies: Replies,
}

impl Filter for RedisFilter {
    fn on_bytes(&mut self, way: Way, bytes: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        let Self { session, commands, replies } = self;
        match way {
            Way::Up => commands.on_bytes(bytes, session, replies, decide, steps),
            Way::Down => replies.on_bytes(bytes, session, steps),
        }
    }

    fn on_end(&mut self, way: Way, _left: &[u8], _decide: &mut dyn Decide, _steps: &mut Vec<Step>) {
        // A command that did not come whole is none, and what answers in the server's place needs a client to be there.
        match way {
            Way::Up => self.commands.lose(&mut self.replies),
            Way::Down => {
                self.replies.lose();
                self.commands.lose(&mut self.replies);
            }
        }
    }

    fn under_way(&self) -> Vec<Attribution> {
        self.replies.under_way()
    }

    fn is_lost(&self) -> bool {
        self.commands.is_lost() && self.replies.is_lost()
    }
}

#[cfg(test)]
mod tests;
