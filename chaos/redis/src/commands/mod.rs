//! The commands, one a file or some that are alike, and the table that finds them. A command is a synchronous function
//! from a [`Call`] to a reply; what is common to all (arity, authentication, rights, room in memory, transactions) is
//! checked here, in the order of Redis.

mod acl;
mod admission;
mod auth;
mod client;
mod command;
mod config;
mod dbsize;
mod deadline;
mod del;
mod echo;
mod exists;
mod expire;
mod expiry_time;
mod flush;
mod get;
mod getdel;
mod getex;
mod getset;
mod glob;
mod hello;
mod info;
mod keys;
mod kind;
mod mget;
mod mset;
mod ping;
mod quit;
mod randomkey;
mod refusal;
mod reset;
mod scan;
mod select;
mod set;
mod setex;
mod setnx;
mod slowlog;
mod table;
mod time;
mod touch;
mod transaction;
mod ttl;
mod watch;

pub(crate) use glob::matches as glob;

use crate::{
    codec::Frame,
    server::{Client, Look, State},
};
use admission::check;
use bytes::{Bytes, BytesMut};
use refusal::Refusal;
use table::{InTransaction, TABLE, find};

pub(crate) use table::{Command, is_command};

/// One request on its way through a command.
pub(crate) struct Call<'a> {
    /// The command's name and its arguments; never empty.
    pub(crate) arguments: &'a [Bytes],
    pub(crate) client: &'a mut Client,
    pub(crate) state: &'a mut State,
    /// Milliseconds since the Unix epoch; the same for all requests of a batch.
    pub(crate) now_ms: i64,
}

impl<'a> Call<'a> {
    /// The words that follow the first `skip`. The arity makes sure of those.
    fn after(&self, skip: usize) -> &'a [Bytes] {
        self.arguments.get(skip..).unwrap_or_default()
    }

    /// The word at `place`, 0 being the command.
    fn word(&self, place: usize) -> &'a [u8] {
        self.arguments.get(place).map(AsRef::as_ref).unwrap_or_default()
    }

    /// The value of `key`, counted as read.
    fn read(&mut self, key: &[u8]) -> Option<Bytes> {
        self.state.store.get(self.client.database, key, self.now_ms)
    }

    /// The deadline of `key`: `None` where there is no such key, `Some(None)` where it has none.
    fn deadline_ms(&mut self, key: &[u8], look: Look) -> Option<Option<i64>> {
        self.state.store.look(self.client.database, key, self.now_ms, look).map(|entry| entry.deadline_ms)
    }

    fn remove(&mut self, key: &[u8]) -> bool {
        self.state.store.remove(self.client.database, key, self.now_ms)
    }
}

type Reply = Result<Frame, Refusal>;

/// Runs a command, or queues it in a transaction, and writes the reply to `out`. What it refuses is its reply too.
pub(crate) fn execute(call: &mut Call<'_>, out: &mut BytesMut) {
    let (found, admitted) = match find(call.arguments) {
        Ok(command) => (Some(command), check(command, call)),
        Err(refusal) => (None, Err(refusal)),
    };
    let command = match (found, admitted) {
        (Some(command), Ok(())) => command,
        (found, Err(refusal)) => return reject(found, refusal, call, out),
        (None, Ok(())) => return,
    };
    match command.in_transaction {
        InTransaction::Waits if call.client.transaction.is_open() => {
            call.client.transaction.queue(command, call.arguments);
            Frame::Simple(Bytes::from_static(b"QUEUED")).encode(call.client.protocol, out);
        }
        InTransaction::Executes => {
            count(command, call);
            transaction::execute(call, out);
        }
        _ => run(command, call, out),
    }
}

/// Runs a command whose time has come.
fn run(command: &'static Command, call: &mut Call<'_>, out: &mut BytesMut) {
    count(command, call);
    match (command.run)(call) {
        Ok(frame) => frame.encode(call.client.protocol, out),
        Err(refusal) => {
            call.state.stats.by_command.entry(command.name()).or_default().failed += 1;
            refuse(refusal, call, out);
        }
    }
}

fn count(command: &'static Command, call: &mut Call<'_>) {
    let stats = &mut call.state.stats;
    stats.commands += 1;
    stats.commands_rate.add(1, call.now_ms);
    stats.by_command.entry(command.name()).or_default().calls += 1;
    call.client.last_command = command.name();
}

/// Answers what isn't admitted. A transaction that it was meant for can't be carried out any more.
fn reject(command: Option<&'static Command>, refusal: Refusal, call: &mut Call<'_>, out: &mut BytesMut) {
    if let Some(command) = command {
        call.state.stats.by_command.entry(command.name()).or_default().rejected += 1;
    }
    call.client.transaction.fail();
    let executes = command.is_some_and(|command| command.in_transaction == InTransaction::Executes);
    if executes {
        transaction::abandon(call);
    }
    refuse(if executes { refusal.of_exec() } else { refusal }, call, out);
}

fn refuse(refusal: Refusal, call: &mut Call<'_>, out: &mut BytesMut) {
    let frame = refusal.into_frame();
    call.state.stats.count_error(frame.as_error().map(AsRef::as_ref).unwrap_or_default());
    frame.encode(call.client.protocol, out);
}
