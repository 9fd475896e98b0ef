//! Actions of effects, in the terms of whoever carries them out: a proxy of streams, of HTTP, of Redis, or the
//! supervisor of services.
//!
//! An effect is one of these, or several. Whoever interprets faults combines the actions of all that are active and
//! draws by chance what is a matter of chance; there is nothing here that knows a clock, a socket or a seed.

use super::{Coding, Directions, RedisState, Spread, TlsAction};
use crate::quantity::show_bytes;
use std::{fmt, time::Duration};

/// The action of an effect, by where it can act. It fits a target for which it has something.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Action {
    /// To the bytes and the life of a connection, whatever it speaks.
    pub stream: Option<StreamAction>,
    /// To a message and its response, whatever their protocol.
    pub message: Option<MessageAction>,
    /// To an HTTP request and its response, beside that.
    pub http: Option<HttpAction>,
    /// To a Redis command and its reply, beside that.
    pub redis: Option<RedisAction>,
    /// To a service.
    pub service: Option<ServiceAction>,
}

impl Action {
    /// True where it is on messages of some protocol.
    #[must_use]
    pub fn is_of_messages(&self) -> bool {
        self.message.is_some() || self.http.is_some() || self.redis.is_some()
    }

    /// An action on messages of all protocols.
    pub(crate) fn of_messages(message: MessageAction) -> Self {
        Self { message: Some(message), ..Self::default() }
    }

    /// An action on streams alone.
    pub(crate) fn of_stream(stream: StreamAction) -> Self {
        Self { stream: Some(stream), ..Self::default() }
    }

    /// An action on HTTP alone.
    pub(crate) fn of_http(http: HttpAction) -> Self {
        Self { http: Some(http), ..Self::default() }
    }

    /// An action on Redis alone.
    pub(crate) fn of_redis(redis: RedisAction) -> Self {
        Self { redis: Some(redis), ..Self::default() }
    }

    /// An action on services alone.
    pub(crate) fn of_service(service: ServiceAction) -> Self {
        Self { service: Some(service), ..Self::default() }
    }
}

/// An action on connections. Several on one connection: delays add up, the lowest rate holds, holding wins over
/// delays, a reset wins over all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamAction {
    /// The fate of attempts to connect.
    pub accepting: Accepting,
    /// The directions in which nothing passes.
    pub holds: Option<Directions>,
    /// Each chunk arrives later.
    pub delay: Option<(Spread, Directions)>,
    /// Bytes that such a delay keeps under way in a direction of a connection, before its sender has to wait; [`IN_FLIGHT`]
    /// unless it is said.
    pub in_flight: Option<u64>,
    /// Nothing passes, either way, for this long after a connection was accepted.
    pub dial_delay: Duration,
    /// The rate at which bytes pass.
    pub rate: Option<(Throughput, Directions)>,
    /// Bytes pass in small pieces.
    pub slices: Option<(Slices, Directions)>,
    /// The connection ends early.
    pub cut: Option<Cut>,
    /// The end of a stream is passed on this much later than what precedes it.
    pub close_delay: Option<(Duration, Directions)>,
    /// Bytes are thrown away.
    pub discards: Option<Discards>,
    /// Connections that were open when the fault began are spared.
    pub spares_open: bool,
    /// The client is sent this line, and the connection ends; the service is not dialled.
    pub turns_away: Option<&'static str>,
    /// To TLS with the client, where that ends on the link.
    pub tls: TlsAction,
}

/// Bytes that a delay keeps under way in a direction of a connection, before its sender has to wait.
// A delay is no rate: this is what 640 MiB/s come to in a tenth of a second. Memory bounds it.
pub const IN_FLIGHT: u64 = 64 << 20;

/// The fate of attempts to connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accepting {
    /// Attempts are accepted.
    #[default]
    Accept,
    /// Attempts are refused, and open connections are reset.
    Refuse,
    /// Attempts vanish, and open connections are held in both directions.
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
    /// Bytes of each but the last, above 0: on the average.
    pub size: usize,
    /// The most that a piece is larger or smaller by, below `size`.
    pub variation: usize,
    /// Time from one to the next.
    pub gap: Duration,
}

/// Bytes that are thrown away. As long as it lasts, the end of a stream waits; and since bytes are missing by then, no
/// connection goes on where it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discards {
    /// The directions of these bytes.
    pub directions: Directions,
    /// The end of the connection; none of its own.
    pub then: Option<DiscardEnd>,
}

/// The end of a connection whose bytes are thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscardEnd {
    /// An orderly close on both sides, once nothing came for so long.
    CloseAfterSilence(Duration),
    /// A reset on both sides, so long after the first of these bytes.
    ResetAfterFirst(Duration),
}

/// The early end of a connection: how and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// With a reset, so long after the fault began (open connections) or after the accept (new ones).
    ResetAfter(Duration),
    /// With a reset, once so many bytes have passed in this direction since the fault met the connection.
    ResetAfterBytes(u64, Directions),
    /// With an orderly close on both sides, once so many bytes have passed in this direction since then.
    CloseAfterBytes(u64, Directions),
}

/// An action on a message and its response, in the terms of no protocol. Several on one message: delays add up, the
/// earliest ending wins.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MessageAction {
    /// The response (the service's or one in its place) begins this much later than it would; what waits behind it on its
    /// connection or stream waits with it.
    pub delay: Option<Spread>,
    /// The end of the connection before that of the response.
    pub ending: Option<MessageEnding>,
}

/// The orderly end of a connection before that of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageEnding {
    /// In place of the response.
    Instead,
    /// After this part of it: of its body, where it has a head.
    In(Part),
}

/// An action on a request and its response. Several on one request: the first canned response holds, edits of the
/// response apply in the order in which the faults were applied, the earliest ending wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpAction {
    /// The service is not asked; this is the response.
    pub response: Option<CannedResponse>,
    /// Changes to the head of the response.
    pub head: Vec<HeaderEdit>,
    /// The change to its body.
    pub body: Option<BodyEdit>,
    /// The body that is changed: without its content coding, and the head is put right; or as it is sent.
    pub coding: Coding,
    /// With a reset, the connection ends after the head and this part of the body.
    pub resets_in: Option<Part>,
}

/// A response in the service's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannedResponse {
    /// The response's status, from 200 to 599.
    pub status: u16,
    /// The response's headers, apart from those of its framing.
    pub headers: Vec<(String, String)>,
    /// The response's body.
    pub body: String,
}

/// A header of the response that is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderEdit {
    /// The header's name.
    pub name: String,
    /// The value that takes the place of all that were there; `None` takes the header away.
    pub value: Option<String>,
}

/// A change to a body. The framing of the response goes with it, unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyEdit {
    /// The body ends after this part; the head says so (`Content-Length` or the last chunk).
    Shorten(Part),
    /// So many of a million of its bytes are others, at least one.
    Garble {
        /// Bytes that are changed, of a million.
        parts_per_million: u32,
    },
    /// The body is replaced by this one.
    Replace(String),
    /// The body is filled up with spaces to this many bytes.
    Pad(u64),
    /// The body comes at this rate.
    Trickle(Throughput),
}

/// A part of a body, from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// So many bytes.
    Bytes(u64),
    /// So many of a million of its bytes, rounded down.
    PerMillion(u32),
}

impl Part {
    /// Tells whether it is another number of bytes for each length of the body.
    #[must_use]
    pub fn is_share(self) -> bool {
        matches!(self, Self::PerMillion(1..))
    }

    /// The number of bytes that this part is of a body with `length` bytes.
    #[must_use]
    pub fn of(self, length: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.min(length),
            Self::PerMillion(parts) => {
                // In 128 bits: a length times a million does not fit into 64.
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

/// An action on a command and its reply. Several on one command: the first change of the reply holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RedisAction {
    /// The change to the reply.
    pub reply: Option<ReplyEdit>,
}

/// A change to a reply of Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyEdit {
    /// An error in the reply's place; the server is not asked.
    Error(String),
    /// The error of this state, for commands that a server in it refuses; others are served.
    State(RedisState),
    /// A reply that says that there is nothing; the server is not asked. Reads alone.
    Miss,
    /// The value that the key had when the fault first saw it. Reads of one key alone.
    Stale,
    /// Another value of a key that it is not. Reads of one key alone.
    Wrong {
        /// The value; else that of another key, or the key's own with its bytes in reverse.
        value: Option<String>,
    },
    /// Nothing: it is left out, so that the next reply is read as this one.
    Lose,
}

/// An action on a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceAction {
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
    Limit(ServiceLimit),
}

/// A limit to what a service may use of the machine. Of several on one service, the lowest of each kind holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceLimit {
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
