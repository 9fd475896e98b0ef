//! What effects do, in the terms of whoever carries them out: a proxy of streams, of HTTP, of Redis, or the keeper of nodes.
//!
//! An effect is one of these, or several. Whoever interprets faults combines the actions of all that are active and draws
//! what chance decides; there is nothing here that knows a clock, a socket or a seed.

use super::{Direction, Spread};
use crate::quantity::show_bytes;
use std::{fmt, time::Duration};

/// What an effect does, by where it can act. It fits a target for which it has something.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Action {
    /// To the bytes and the life of a connection, whatever it speaks.
    pub stream: Option<StreamAction>,
    /// To an HTTP request and its answer.
    pub http: Option<HttpAction>,
    /// To a Redis command and its reply.
    pub redis: Option<RedisAction>,
    /// To a node.
    pub node: Option<NodeAction>,
}

impl Action {
    /// Of streams alone.
    pub(crate) fn of_stream(stream: StreamAction) -> Self {
        Self { stream: Some(stream), ..Self::default() }
    }

    /// Of HTTP alone.
    pub(crate) fn of_http(http: HttpAction) -> Self {
        Self { http: Some(http), ..Self::default() }
    }

    /// Of Redis alone.
    pub(crate) fn of_redis(redis: RedisAction) -> Self {
        Self { redis: Some(redis), ..Self::default() }
    }

    /// Of nodes alone.
    pub(crate) fn of_node(node: NodeAction) -> Self {
        Self { node: Some(node), ..Self::default() }
    }
}

/// What happens to connections. Several on one connection: delays add up, the lowest rate holds, holding wins over
/// delays, a reset wins over all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamAction {
    /// What attempts to connect meet.
    pub answer: Listening,
    /// The directions in which nothing passes.
    pub holds: Option<Direction>,
    /// Each chunk arrives later.
    pub delay: Option<(Spread, Direction)>,
    /// Nothing passes, either way, for this long after a connection was accepted.
    pub dial_delay: Duration,
    /// How many bytes pass.
    pub rate: Option<(Throughput, Direction)>,
    /// Bytes pass in small pieces.
    pub slices: Option<(Slices, Direction)>,
    /// The connection ends early.
    pub cut: Option<Cut>,
    /// The end of a stream is passed on this much later than what precedes it.
    pub close_delay: Duration,
    /// Connections that were open when the fault began are spared.
    pub spares_open: bool,
}

/// What attempts to connect meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listening {
    /// They are accepted.
    #[default]
    Accept,
    /// They are refused, and open connections are reset.
    Refuse,
    /// They vanish, and open connections are held in both directions.
    Blackhole,
}

/// Bytes in a second, on each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throughput {
    /// Bytes per second, above 0.
    pub bytes_per_second: u64,
}

/// Small pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slices {
    /// Bytes of each but the last, above 0.
    pub size: usize,
    /// Time from one to the next.
    pub gap: Duration,
}

/// How and when a connection ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// With a reset, so long after the fault began (open connections) or after the accept (new ones).
    ResetAfter(Duration),
    /// With a reset, once so many bytes have passed in this direction since the fault met the connection.
    ResetAfterBytes(u64, Direction),
    /// With an orderly close on both sides, once so many bytes have passed in this direction since then.
    CloseAfterBytes(u64, Direction),
}

/// What happens to a request and its answer. Several on one request: delays add up, the first canned answer holds, edits
/// of the answer apply in the order in which the faults were applied, the earliest ending wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpAction {
    /// The answer (the node's or a canned one) begins this much later than it would.
    pub delay: Option<Spread>,
    /// The node is not asked; this is the answer.
    pub answer: Option<Canned>,
    /// What is changed in the head of the answer.
    pub head: Vec<HeaderEdit>,
    /// What is changed in its body.
    pub body: Option<BodyEdit>,
    /// How the connection ends before the answer does.
    pub ending: Option<HttpEnding>,
}

/// An answer in the node's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canned {
    /// Its status, from 200 to 599.
    pub status: u16,
    /// Its headers, apart from those of its framing.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

/// A header of the answer that is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderEdit {
    /// Its name.
    pub name: String,
    /// What it is set to, in place of all that were there; `None` takes it away.
    pub value: Option<String>,
}

/// How a body is changed. The framing of the answer goes with it, unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyEdit {
    /// It ends after this part; the head says so (`Content-Length` or the last chunk).
    Shorten(Part),
    /// So many of a million of its bytes are others, at least one.
    Garble {
        /// Of a million.
        parts_per_million: u32,
    },
    /// It is another one.
    Replace(String),
    /// It is filled up with spaces to this many bytes.
    Pad(u64),
    /// It comes at this rate.
    Trickle(Throughput),
}

/// How the connection ends before the answer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpEnding {
    /// In an orderly way, in place of the answer.
    CloseInstead,
    /// In an orderly way, after the head and this part of the body: fewer bytes than were announced.
    CloseIn(Part),
    /// With a reset, after the head and this part of the body.
    ResetIn(Part),
}

/// A part of a body, from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// So many bytes.
    Bytes(u64),
    /// So many of a million of its bytes, rounded down. Of a body of unknown length: of its first chunk.
    PerMillion(u32),
}

impl Part {
    /// How many bytes that is of a body with `length` bytes.
    #[must_use]
    pub fn of(self, length: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.min(length),
            Self::PerMillion(parts) => {
                let part = u128::from(length) * u128::from(parts) / 1_000_000;
                u64::try_from(part).unwrap_or(length).min(length)
            }
        }
    }
}

/// `100B`, `50%`.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => f.write_str(&show_bytes(*bytes)),
            Self::PerMillion(parts) => write!(f, "{}%", f64::from(*parts) / 10_000.0),
        }
    }
}

/// What happens to a command and its reply. Several on one command: delays add up, the first reply in the server's place
/// holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RedisAction {
    /// The reply comes this much later; those behind it on its connection wait with it.
    pub delay: Option<Spread>,
    /// What the reply becomes.
    pub reply: Option<ReplyEdit>,
}

/// What a reply becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyEdit {
    /// This error; the server is not asked.
    Error(String),
    /// That there is nothing; the server is not asked. Reads alone.
    Miss,
    /// The value that the key had when the fault first saw it. Reads of one key alone.
    Stale,
    /// Another value of a key that it is not. Reads of one key alone.
    Wrong {
        /// The value; else that of another key, or the key's own with its bytes in reverse.
        value: Option<String>,
    },
    /// This part of it, and the connection is closed.
    Truncate(Part),
    /// Nothing: it is left out, so that the next reply is read as this one.
    Lose,
    /// The connection is closed in its place.
    Close,
}

/// What happens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeAction {
    /// Asked to end, and started again at the end of the fault.
    Stop,
    /// Ended without being asked, and started again at the end of the fault.
    Kill,
    /// Frozen until the end of the fault.
    Pause,
    /// Asked to end, and started again at once.
    Restart,
    /// A Redis forgets everything.
    Flush,
    /// Held to less of the machine than it has, until the end of the fault.
    Limit(NodeLimit),
}

/// What a node may use of the machine. Of several on one node, the lowest of each kind holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeLimit {
    /// Processor time.
    Cpu {
        /// In thousandths of one CPU: 500 is half of one.
        thousandths: u32,
    },
    /// Memory, swap included.
    Memory {
        /// So many bytes.
        bytes: u64,
    },
}
