//! Faults: what is broken, where, when and for whom. One type for every world, proxy and report.

use crate::{Link, NodeName, Share, Span};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Its name: the phase that it makes, and part of the key of its draws.
    pub name: String,
    /// Where it acts.
    pub on: Target,
    /// What it does.
    pub effect: Effect,
    /// For how many: of connections, since the effects here are TCP's.
    pub share: Share,
    /// From when, counted from the start of the timeline.
    #[serde(rename = "at_us", with = "crate::micros")]
    pub at: Duration,
    /// For how long.
    #[serde(rename = "lasts_us", with = "crate::micros")]
    pub lasts: Duration,
    /// Where it stands.
    pub span: Span,
}

impl Fault {
    /// When it is taken back.
    #[must_use]
    pub fn ends(&self) -> Duration {
        self.at + self.lasts
    }
}

/// Where a fault acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// On a link.
    Link(Link),
    /// On a node.
    Node(NodeName),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(link) => link.fmt(f),
            Self::Node(node) => f.write_str(node),
        }
    }
}

/// What a fault does to a link or to a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum Effect {
    /// Every chunk of bytes arrives later; the order stays.
    Latency {
        /// How much later, on the average.
        #[serde(rename = "delay_us", with = "crate::micros")]
        delay: Duration,
        /// How far from that: half the width of a uniform, the standard deviation of a normal distribution. Never below 0.
        #[serde(rename = "jitter_us", with = "crate::micros")]
        jitter: Duration,
        /// How the jitter is spread.
        distribution: Distribution,
        /// Which way it acts.
        direction: Direction,
    },
    /// As when the program is gone: new connections are refused, open ones are reset, the port stays bound.
    Refuse {
        /// What happens to open connections.
        open: OpenConnections,
    },
    /// Connecting works, and nothing is ever answered: bytes are held in both directions, on open connections too.
    Hang,
    /// As when packets vanish: connecting does not complete, and on open connections bytes are held in both directions.
    Blackhole,
    /// Connections are reset.
    Reset {
        /// After how long: from the start of the fault for open connections, from the accept for new ones.
        #[serde(rename = "after_us", with = "crate::micros")]
        after: Duration,
    },
    /// A node's program is asked to end (SIGTERM), and is started again at the end of the fault.
    Stop,
    /// A node's program is ended without being asked (SIGKILL), and is started again at the end of the fault.
    Kill,
    /// A node's program is frozen (SIGSTOP: its kernel still accepts and acknowledges) until the end of the fault.
    Pause,
    /// A node's program is asked to end, and is started again at once; the fault's time is what it takes to get over it.
    Restart,
    /// A Redis forgets everything; the fault's time is what it takes to get over it.
    Flush,
}

impl Effect {
    /// The name that it has in the language.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::Refuse { .. } => "refuse",
            Self::Hang => "hang",
            Self::Blackhole => "blackhole",
            Self::Reset { .. } => "reset",
            Self::Stop => "stop",
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Restart => "restart",
            Self::Flush => "flush",
        }
    }

    /// Whether it acts on a node, rather than on a link.
    #[must_use]
    pub fn is_of_nodes(&self) -> bool {
        match self {
            Self::Stop | Self::Kill | Self::Pause | Self::Restart | Self::Flush => true,
            Self::Latency { .. } | Self::Refuse { .. } | Self::Hang | Self::Blackhole | Self::Reset { .. } => false,
        }
    }
}

/// How jitter is spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Evenly between delay - jitter and delay + jitter.
    #[default]
    Uniform,
    /// Normally, with the jitter as standard deviation, cut off at 0.
    Normal,
}

/// Which way a fault acts, seen from the side that connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// On what is sent to the node that is used.
    Upstream,
    /// On what comes back: a request and its answer together take the delay once.
    #[default]
    Downstream,
    /// On both: together they take it twice.
    Both,
}

/// What `refuse` does to connections that are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenConnections {
    /// They are reset.
    #[default]
    Reset,
    /// They are kept.
    Keep,
}
