//! The table of protocols: one row a protocol. Whatever knows a protocol by its name or its habits is made from its row:
//! the words of the language, schema and page, the ports that worlds give, how readiness is asked, which effects act.
//!
//! A row knows no more bytes than the first ([`Row::recognise`]). The filter that reads along on connections is in
//! `chaos/inject`, which has one for each row here; a row from elsewhere brings its own.

mod http;
mod login;
mod page;
mod redis;
mod tcp;
mod transport;

pub use login::Login;
pub use page::markdown;
pub use transport::{Stack, Transport};

use crate::{Start, effect::Level};
use serde::{Serialize, Serializer};
use std::{any::Any, fmt, ops::Deref};

/// The facts of one protocol.
pub struct Row {
    /// Name in the language: `protocol = "redis"`.
    pub name: &'static str,
    /// Description in a few words, for the page and for editors.
    pub about: &'static str,
    /// Port that its services usually listen on, where each has a machine of its own.
    pub usual_port: u16,
    /// Port in containers, whose programs need no privilege to listen on it.
    pub unprivileged_port: u16,
    /// Schemes of the URLs that lead to it.
    pub schemes: &'static [Scheme],
    /// Beginnings of the names of built-in programs that speak it.
    pub programs: &'static [&'static str],
    /// Question by which a service shows that it is ready, where the scenario names none.
    pub ready: Ready,
    /// Words for its messages; none where it has no messages that anybody could tell apart.
    pub words: Option<Words>,
    /// Levels of the effects that act on links which speak it.
    pub levels: &'static [Level],
    /// Keys of `only` and `except` by which its messages are chosen, as they are written; `nth` and its like apart.
    pub only: &'static [&'static str],
    /// Names in the TLS extension ALPN (IANA's registry of ALPN protocol IDs); empty where it has none.
    pub alpn: &'static [&'static str],
    /// True where its services can ask for a password, which faults (`flush`) then need.
    pub takes_password: bool,
    /// Words of other tools for it: the tool, and what it says.
    pub elsewhere: &'static [(&'static str, &'static str)],
    /// Messages and connections that faults on messages can't act on, and count as spared; each with the reason.
    pub limits: &'static [(&'static str, &'static str)],
    /// Judgement of the first bytes of a connection, those of the client.
    pub recognise: fn(&[u8]) -> Recognised,
    /// Filter of a protocol that is handed in; `chaos/inject` knows those of the rows here, and says what goes in.
    pub filter: Option<&'static (dyn Any + Send + Sync)>,
}

/// A URL scheme, with what is below the protocol there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Scheme without its colon: `rediss`.
    pub name: &'static str,
    /// Transport below the protocol.
    pub transport: Transport,
}

/// Words for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// One message of a client: `request`.
    pub message: &'static str,
    /// Several: `requests`.
    pub messages: &'static str,
    /// The service's message to it: `response`.
    pub response: &'static str,
}

/// The question by which a service shows that it is ready, past any proxy.
#[derive(Clone, Copy, Debug)]
pub enum Ready {
    /// A connection that is accepted: all that can be asked for.
    Connection,
    /// A line, and a judgement of the first line that comes back.
    Line {
        /// The line that is sent, without its end.
        ask: &'static str,
        /// True for a line that says that all is well.
        is_ready: fn(&str) -> bool,
    },
    /// `PING` in RESP. A Redis that refuses to answer strangers is ready; one that loads its data, or has lost the one
    /// that it copies, is not.
    RedisPing,
}

/// The judgement of a connection's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// The protocol begins like this.
    Yes,
    /// No connection of the protocol begins like this.
    No,
    /// More bytes are needed.
    More,
}

/// A protocol that a service speaks; faults above TCP need to know.
#[derive(Clone, Copy)]
pub struct Protocol(&'static Row);

impl Protocol {
    /// HTTP/1.1.
    pub const HTTP: Self = Self(&http::ROW);
    /// RESP2 or RESP3.
    pub const REDIS: Self = Self(&redis::ROW);
    /// Bytes, whatever they mean.
    pub const TCP: Self = Self(&tcp::ROW);

    /// The protocols that `chaos` brings, in the order in which people are told of them.
    pub const ALL: &[Self] = &[Self::HTTP, Self::REDIS, Self::TCP];

    /// The protocol of a row.
    #[must_use]
    pub const fn new(row: &'static Row) -> Self {
        Self(row)
    }

    /// The protocol among these that what a service runs speaks, unless its `protocol` says otherwise.
    #[must_use]
    pub fn usual(start: &Start, among: &[Self]) -> Self {
        match start {
            Start::Program(name) => {
                let speaks = |one: &&Self| one.programs.iter().any(|beginning| name.starts_with(beginning));
                among.iter().find(speaks).copied().unwrap_or(Self::HTTP)
            }
            // Nothing is known of a stranger's program, and as bytes every protocol passes.
            Start::Command(_) | Start::Image(_) | Start::Address(_) | Start::Compose(_) => Self::TCP,
        }
    }

    /// Looks for what does not go together in its row.
    ///
    /// # Errors
    /// In words, for whoever wrote the row.
    pub fn check(self) -> Result<(), String> {
        let messages = self.has(Level::Messages);
        let wrong = if !self.has(Level::Connections) {
            "effects on connections act on every protocol: its levels lack `Connections`"
        } else if self.has(Level::Services) {
            "effects on services act on no link: `Services` is none of its levels"
        } else if self.words.is_some() != messages {
            "its levels have `Messages` where its messages have words, and there alone"
        } else if self.only.is_empty() == messages {
            "its messages are chosen by keys of `only` where effects act on them, and there alone"
        } else {
            return Ok(());
        };
        Err(format!("the protocol `{self}`: {wrong}"))
    }

    /// True where effects of this level act on links that speak it.
    #[must_use]
    pub fn has(self, level: Level) -> bool {
        self.levels.contains(&level)
    }
}

impl Deref for Protocol {
    type Target = Row;

    fn deref(&self) -> &Row {
        self.0
    }
}

impl PartialEq for Protocol {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Protocol {}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl Ready {
    /// A few words for people: `PING`.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Connection => "a connection",
            Self::Line { ask, .. } => ask,
            Self::RedisPing => "PING",
        }
    }

    /// True where a program answers, and not its machine alone.
    #[must_use]
    pub fn asks_the_program(&self) -> bool {
        !matches!(self, Self::Connection)
    }
}

/// A protocol that has no row, with what to use in its place.
pub(crate) struct Absent {
    /// Names that people look for.
    pub(crate) names: &'static [&'static str],
    /// Advice.
    pub(crate) instead: &'static str,
}

/// The protocols that people look for and that are not here.
pub(crate) const ABSENT: [Absent; 4] = [
    Absent {
        names: &["https", "tls", "rediss"],
        instead: "write `tcp`: what is encrypted passes as bytes, and effects on connections act on it",
    },
    Absent {
        names: &["http2", "h2", "grpc", "websocket"],
        instead: "write `tcp`: effects on connections act on it; requests of HTTP/1.1 are told apart with `http`",
    },
    Absent {
        names: &[
            "postgres",
            "postgresql",
            "mysql",
            "mariadb",
            "mongodb",
            "mssql",
            "kafka",
            "amqp",
            "nats",
            "memcached",
        ],
        instead: "write `tcp`: effects on connections (`latency`, `hang`, `reset` and their like) act on it",
    },
    Absent { names: &["valkey", "keydb", "dragonfly", "resp"], instead: "write `redis`: they speak the same protocol" },
];

#[cfg(test)]
mod tests;
