//! What a link's protocol adds to the TCP proxy: a filter that reads along on a connection and says, step by step, what
//! becomes of the bytes.
//!
//! Filters are pure: bytes and decisions in, steps out, no clock and no socket. They keep raw bytes as they came, and hold
//! back only what they must see whole before anything can be decided (a head, a command), within limits. What they can't
//! make sense of passes untouched, and so does all that follows on that connection ([`Filter::is_lost`]).

use crate::{
    http::Fill,
    interpreter::{Active, Way},
    redis::Values,
};
use bytes::Bytes;
use chaos_model::{
    KeyKind,
    effect::action::{BodyEdit, Canned, HeaderEdit, HttpEnding, ReplyEdit, Throughput},
};
use std::{sync::Arc, time::Duration};

/// What becomes of bytes, in order. Bytes that came are used up by `Pass` and `Skip`, in the order in which they came; a
/// filter that needs more before it can say leaves them for the next call.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// So many of the bytes that came this way go on.
    Pass(Way, usize),
    /// So many of the bytes that came this way are left out.
    Skip(Way, usize),
    /// These go this way too, where the step stands among what goes this way.
    Insert(Way, Bytes),
    /// So do these, which are made as they are written: there may be more of them than fit into memory.
    Fill(Way, Fill),
    /// What follows this way goes at this rate, up to the next step of this kind; `None` lifts it.
    Rate(Way, Option<Rate>),
    /// All that follows this way goes later by this much, counted from now.
    Wait(Way, Wait),
    /// After all that precedes it this way, the connection ends, both ways.
    End(Way, Ending),
    /// A fault did what it does to a message: for the ledger.
    Fired(Injected),
    /// What follows this way belongs to this message, up to the next step of this kind. Said where [`Decide::traces`].
    About(Way, Whose),
}

/// A wait that faults ask for: the sum of what each asks, for as long as it is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wait {
    /// Who asks, and for how long.
    pub(crate) parts: Vec<(Arc<Active>, Duration)>,
}

impl Wait {
    /// Adds what a fault asks for.
    pub(crate) fn add(&mut self, fault: &Arc<Active>, delay: Duration) {
        self.parts.push((Arc::clone(fault), delay));
    }

    /// Whether this fault asks for some of it.
    pub(crate) fn is_of(&self, fault: &Arc<Active>) -> bool {
        self.parts.iter().any(|(other, _)| Arc::ptr_eq(fault, other))
    }

    /// How long it is while these faults are there.
    pub(crate) fn under(&self, faults: &[Arc<Active>]) -> Duration {
        let there = |fault: &Arc<Active>| faults.iter().any(|other| Arc::ptr_eq(other, fault));
        let asked = self.parts.iter().filter(|(fault, _)| there(fault)).map(|(_, delay)| *delay);
        asked.fold(Duration::ZERO, Duration::saturating_add)
    }

    /// How long it is with all of them.
    pub(crate) fn whole(&self) -> Duration {
        self.parts.iter().map(|(_, delay)| *delay).fold(Duration::ZERO, Duration::saturating_add)
    }
}

/// A rate that faults ask for.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    /// How many bytes go.
    pub(crate) throughput: Throughput,
    /// Whose it is: when all of these are gone, so is the rate.
    pub(crate) faults: Vec<Arc<Active>>,
}

impl Rate {
    /// The rate in bytes a second while these faults are there, if it is.
    pub(crate) fn under(&self, faults: &[Arc<Active>]) -> Option<u64> {
        let there = |fault: &Arc<Active>| faults.iter().any(|other| Arc::ptr_eq(other, fault));
        self.faults.iter().any(there).then_some(self.throughput.bytes_per_second)
    }
}

/// The message that bytes belong to, as far as it is known: for the ledger of faults on connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Whose {
    /// Its subject, as in [`Injected`]; none where it came before anybody wanted to know.
    pub(crate) subject: Option<Arc<str>>,
    /// The number of the load's arrival that it belongs to, where it says so.
    pub(crate) arrival: Option<u64>,
}

/// How a filter ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// In an orderly way.
    Close,
    /// With a reset.
    Reset,
}

/// An injection into a message.
#[derive(Clone, Debug)]
pub(crate) struct Injected {
    /// The fault.
    pub(crate) fault: Arc<Active>,
    /// By what it was drawn.
    pub(crate) key: KeyKind,
    /// The message's subject, for people: `GET /users/7`, `GET gateway:profile:7`.
    pub(crate) subject: String,
    /// The number of the load's arrival that it belongs to, where it says so.
    pub(crate) arrival: Option<u64>,
    /// Which try of the same it is, from 0.
    pub(crate) attempt: u64,
    /// Messages that wait behind it on its connection (Redis).
    pub(crate) bystanders: u64,
}

/// Reads along on one connection.
pub(crate) trait Filter: Send {
    /// Bytes that came this way and are not used up yet: those of earlier calls that were left, and new ones behind them.
    /// Gives the steps that can be said now. `Pass` and `Skip` of all steps together are at most `bytes.len()`.
    fn on_bytes(&mut self, way: Way, bytes: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>);

    /// The sender of this way has ended its stream; `left` came and is not used up. What is not passed or skipped now passes.
    fn on_end(&mut self, way: Way, left: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>);

    /// The messages that were sent up and are not answered in full, in order.
    fn under_way(&self) -> Vec<Whose>;

    /// Whether it reads along no more, and lets everything pass from now on, what was left of both ways first: it has lost
    /// track, or the connection speaks something else by now (HTTP after 101, and after 2xx to CONNECT).
    fn is_lost(&self) -> bool;
}

/// Decides what happens to messages: the active faults, with what is drawn and counted for them.
pub(crate) trait Decide {
    /// Whether any active fault may act on messages. Where none does, a filter need not build what only decisions need; it
    /// still has to know where messages begin and end.
    fn is_armed(&self) -> bool;

    /// Whether any active fault acts on connections, so that its ledger wants to know whose bytes it meets.
    fn traces(&self) -> bool {
        false
    }

    /// Whether a decision on a request without a number needs the hash of its body.
    fn wants_body(&self) -> bool;

    /// What happens to this request. Asked once for each.
    fn on_request(&mut self, request: &Request<'_>) -> HttpPlan;

    /// What happens to this command. Asked once for each.
    fn on_command(&mut self, command: &Command<'_>) -> RedisPlan;
}

/// A request, as far as decisions go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// Its method, as sent.
    pub(crate) method: &'a str,
    /// Its target, as sent: path and query (of the absolute form too).
    pub(crate) target: &'a str,
    /// Its headers, as sent, in order.
    pub(crate) headers: &'a [(&'a str, &'a [u8])],
    /// Its body as far as it was waited for (see [`Decide::wants_body`]); `None` where it was not.
    pub(crate) body: Option<&'a [u8]>,
}

/// A command, as far as decisions go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command<'a> {
    /// Its name, in upper case.
    pub(crate) name: &'a str,
    /// Its keys.
    pub(crate) keys: &'a [&'a [u8]],
}

/// What happens to a request and its answer: the actions of all faults that take it, together.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpPlan {
    /// The answer begins this much later, counted from the moment at which it would have begun.
    pub(crate) delay: Option<Wait>,
    /// The node is not asked; this is the answer.
    pub(crate) answer: Option<Canned>,
    /// What is changed in the head of the answer, in order.
    pub(crate) head: Vec<HeaderEdit>,
    /// What is changed in its body, in order, each with a seed for what chance decides.
    pub(crate) body: Vec<(BodyEdit, u64)>,
    /// How the connection ends before the answer does.
    pub(crate) ending: Option<HttpEnding>,
    /// What goes to the ledger once it has happened: when the answer's head has been seen (or made).
    pub(crate) injected: Vec<Injected>,
    /// The faults, for waits that a filter makes itself (`Trickle`).
    pub(crate) faults: Vec<Arc<Active>>,
}

impl HttpPlan {
    /// Whether nothing happens.
    pub(crate) fn is_clear(&self) -> bool {
        self.injected.is_empty()
    }
}

/// What happens to a command and its reply.
#[derive(Clone, Debug, Default)]
pub(crate) struct RedisPlan {
    /// The reply comes this much later, and what is behind it on its connection with it.
    pub(crate) delay: Option<Wait>,
    /// What the reply becomes.
    pub(crate) reply: Option<ReplyEdit>,
    /// What goes to the ledger once it has happened. An edit that does not fit the command (a miss of a write) does not happen.
    pub(crate) injected: Vec<Injected>,
    /// What is told of it to faults on connections, where [`Decide::traces`].
    pub(crate) whose: Whose,
    /// What the fault of a stale or wrong reply remembers, on all connections of its link.
    pub(crate) values: Option<Arc<Values>>,
}
