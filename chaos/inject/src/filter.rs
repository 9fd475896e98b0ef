//! Filters: the part of a link's protocol that reads along on a connection, above the TCP proxy, and says step by step
//! what becomes of the bytes.
//!
//! Filters are pure: bytes and decisions in, steps out, no clock and no socket. They keep raw bytes as they came, and
//! hold back only what they must see whole before anything can be decided (a head, a command), within limits. What they
//! can't make sense of passes untouched, and so does all that follows on that connection ([`Filter::is_lost`]).

use crate::{
    http::GeneratedBody,
    interpreter::{Active, Way},
    redis::Values,
};
use bytes::Bytes;
use chaos_model::{
    KeyKind,
    effect::action::{BodyEdit, CannedResponse, HeaderEdit, HttpEnding, ReplyEdit, Throughput},
};
use std::{sync::Arc, time::Duration};

/// A step: what becomes of bytes, in order. Bytes that came are used up by `Pass` and `Skip`, in the order in which
/// they came; a filter that needs more before it can say leaves them for the next call.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// So many of the bytes that came this way go on.
    Pass(Way, usize),
    /// So many of the bytes that came this way are left out.
    Skip(Way, usize),
    /// Bytes that go this way too, where the step stands among what goes this way.
    Insert(Way, Bytes),
    /// Bytes that go this way too and are made as they are written: there may be more of them than fit into memory.
    Generated(Way, GeneratedBody),
    /// The rate of what follows this way, up to the next step of this kind; `None` lifts it.
    Rate(Way, Option<Rate>),
    /// All that follows this way goes later by this much, counted from now.
    Wait(Way, Wait),
    /// After all that precedes it this way, the connection ends, both ways.
    End(Way, Ending),
    /// A fault did what it does to a message: for the ledger.
    Fired(Injected),
    /// The message that what follows this way belongs to, up to the next step of this kind. Said where
    /// [`Decide::traces`].
    About(Way, Attribution),
}

/// A wait that faults ask for: the sum of what each asks, for as long as it is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wait {
    /// Faults that ask for it, each with its share of the time.
    pub(crate) parts: Vec<(Arc<Active>, Duration)>,
}

impl Wait {
    /// Adds what a fault asks for.
    pub(crate) fn add(&mut self, fault: &Arc<Active>, delay: Duration) {
        self.parts.push((Arc::clone(fault), delay));
    }

    /// Tells whether this fault asks for some of it.
    pub(crate) fn is_of(&self, fault: &Arc<Active>) -> bool {
        self.parts.iter().any(|(other, _)| Arc::ptr_eq(fault, other))
    }

    /// The wait's length while these faults are there.
    pub(crate) fn under(&self, faults: &[Arc<Active>]) -> Duration {
        let there = |fault: &Arc<Active>| faults.iter().any(|other| Arc::ptr_eq(other, fault));
        let asked = self.parts.iter().filter(|(fault, _)| there(fault)).map(|(_, delay)| *delay);
        asked.fold(Duration::ZERO, Duration::saturating_add)
    }

    /// The wait's length with all of its faults.
    pub(crate) fn whole(&self) -> Duration {
        self.parts.iter().map(|(_, delay)| *delay).fold(Duration::ZERO, Duration::saturating_add)
    }
}

/// A rate that faults ask for.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    /// Bytes that go in a second.
    pub(crate) throughput: Throughput,
    /// Faults that ask for it: when all of these are gone, so is the rate.
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
pub(crate) struct Attribution {
    /// Subject of the message, as in [`Injected`]; none where it came before anybody wanted to know.
    pub(crate) subject: Option<Arc<str>>,
    /// The number of the load's arrival that it belongs to, where it says so.
    pub(crate) arrival: Option<u64>,
}

/// The end that a filter or a fault gives to a connection.
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
    /// Number of earlier messages that were the same to the fault.
    pub(crate) attempt: u64,
    /// Messages that wait behind it on its connection (Redis).
    pub(crate) bystanders: u64,
}

/// Reads along on one connection.
pub(crate) trait Filter: Send {
    /// Bytes that came this way and are not used up yet: those of earlier calls that were left, and new ones behind
    /// them. Gives the steps that can be said now. `Pass` and `Skip` of all steps together are at most `bytes.len()`.
    fn on_bytes(&mut self, way: Way, bytes: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>);

    /// The sender of this way has ended its stream; `left` came and is not used up. What is not passed or skipped now
    /// passes.
    fn on_end(&mut self, way: Way, left: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>);

    /// The messages that were sent up and are not answered in full, in order.
    fn under_way(&self) -> Vec<Attribution>;

    /// Tells whether it reads along no more, and lets everything pass from now on, what was left of both ways first: it
    /// has lost track, or the connection speaks something else by now (HTTP after 101, and after 2xx to CONNECT).
    fn is_lost(&self) -> bool;
}

/// Decides what happens to messages: the active faults, with what is drawn and counted for them.
pub(crate) trait Decide {
    /// Tells whether any active fault may act on messages. Where none does, a filter need not build what only decisions
    /// need; it still has to know where messages begin and end.
    fn is_armed(&self) -> bool;

    /// Tells whether any active fault acts on connections, so that its ledger wants to know whose bytes it meets.
    fn traces(&self) -> bool {
        false
    }

    /// Tells whether a decision on a request without a number needs the hash of its body.
    fn wants_body(&self) -> bool;

    /// Decides what happens to this request. Asked once for each.
    fn on_request(&mut self, request: &Request<'_>) -> HttpPlan;

    /// Decides what happens to this command. Asked once for each.
    fn on_command(&mut self, command: &Command<'_>) -> RedisPlan;
}

/// A request, as far as decisions go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// Method, as sent.
    pub(crate) method: &'a str,
    /// Target, as sent: path and query (of the absolute form too).
    pub(crate) target: &'a str,
    /// Header fields, as sent, in order.
    pub(crate) headers: &'a [(&'a str, &'a [u8])],
    /// Body as far as it was waited for (see [`Decide::wants_body`]); `None` where it was not.
    pub(crate) body: Option<&'a [u8]>,
}

/// A command, as far as decisions go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command<'a> {
    /// Name of the command, in upper case.
    pub(crate) name: &'a str,
    /// Keys among its arguments.
    pub(crate) keys: &'a [&'a [u8]],
}

/// The plan for a request and its response: the actions of all faults that take it, together.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpPlan {
    /// The response begins this much later, counted from the moment at which it would have begun.
    pub(crate) delay: Option<Wait>,
    /// The service is not asked; this is the response.
    pub(crate) response: Option<CannedResponse>,
    /// Edits of the response's head, in order.
    pub(crate) head: Vec<HeaderEdit>,
    /// Edits of the response's body, in order, each with a seed for what chance decides.
    pub(crate) body: Vec<(BodyEdit, u64)>,
    /// End of the connection before the response is whole.
    pub(crate) ending: Option<HttpEnding>,
    /// Injections that go to the ledger once they have happened: when the response's head has been seen (or made).
    pub(crate) injected: Vec<Injected>,
    /// The faults, for waits that a filter makes itself (`Trickle`).
    pub(crate) faults: Vec<Arc<Active>>,
}

impl HttpPlan {
    /// Tells whether nothing happens.
    pub(crate) fn is_clear(&self) -> bool {
        self.injected.is_empty()
    }
}

/// The plan for a command and its reply.
#[derive(Clone, Debug, Default)]
pub(crate) struct RedisPlan {
    /// The reply comes this much later, and what is behind it on its connection with it.
    pub(crate) delay: Option<Wait>,
    /// Edit of the reply.
    pub(crate) reply: Option<ReplyEdit>,
    /// Injections that go to the ledger once they have happened. An edit that does not fit the command (a miss of a
    /// write) does not happen.
    pub(crate) injected: Vec<Injected>,
    /// Attribution that faults on connections are told, where [`Decide::traces`].
    pub(crate) attribution: Attribution,
    /// Replies that the fault of a stale or wrong reply remembers, on all connections of its link.
    pub(crate) values: Option<Arc<Values>>,
}
