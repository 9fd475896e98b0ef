//! The stream of events that a run is: versioned, one JSON object a line. Every report is a fold over it.

use crate::{
    Calibration, Fault, Phase, Rate, Share, Slice, Span, Verdict,
    ledger::{FaultFigures, Joined},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{collections::BTreeMap, ops::AddAssign, time::Duration};

/// The version of the stream's format. It changes when a reader of today would misread it.
pub const FORMAT: u32 = 1;

/// An event and when it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Microseconds since the run began (provisioning included), on the run's own clock.
    pub at_us: u64,
    /// The event itself; its name and its fields stand beside `at_us` in the recorded line.
    #[serde(flatten)]
    pub event: Event,
}

/// Every kind of event that a run tells of, in about the order in which they come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The run began. Always the first.
    Begin(Begin),
    /// Another run uses this machine: waiting for our turn.
    Waiting {
        /// The process that holds the run lock, if known.
        holder: Option<u32>,
    },
    /// A service is ready.
    ServiceReady {
        /// The service's name.
        service: String,
        /// The program that runs there: `redis-server 7.0.15`, `gateway (built in)`.
        what: String,
        /// The service's own address, past any proxy.
        address: String,
        /// Time from its start until it was ready.
        #[serde(rename = "took_us", with = "crate::micros")]
        took: Duration,
    },
    /// A link is in place.
    LinkReady {
        /// The link as written.
        link: String,
        /// The address at which the link's proxy listens.
        address: String,
    },
    /// Every service is ready; the warm-up begins, or else the timeline.
    Ready {
        /// Time that provisioning took, waiting for the run lock not included.
        #[serde(rename = "took_us", with = "crate::micros")]
        took: Duration,
    },
    /// The timeline began: phases count from here.
    TimelineBegan,
    /// A fault took effect.
    FaultApplied {
        /// The fault's name.
        fault: String,
    },
    /// A fault was taken back. One that comes and goes is, at the end of each stretch in which it was there.
    FaultRemoved {
        /// The fault's name.
        fault: String,
        /// Counts of what the fault did since it was applied.
        fired: Fired,
    },
    /// A slice of the timeline that can't change any more: what clients saw in it. In the order of time, without gaps.
    Slice(Slice),
    /// A service ended although nobody asked it to.
    ServiceDied {
        /// The service's name.
        service: String,
        /// The way it ended (`exit status: 1`, `signal: 9 (SIGKILL)`).
        how: String,
        /// The last lines that it wrote.
        last_lines: Vec<String>,
    },
    /// Figures of a phase: what clients saw in it.
    Phase(PhaseFigures),
    /// Injections, each with the request that met it. A fault's come in several of these where there are many.
    Injected {
        /// In the order of time.
        injections: Vec<Joined>,
    },
    /// Figures of a fault: what its injections came to, and how the system took it.
    FaultFigures(FaultFigures),
    /// Judgement of an expectation.
    Judged(Judged),
    /// Something that makes the run inconclusive as a whole.
    Inconclusive {
        /// The reason, in words.
        why: String,
    },
    /// The system is left up, for whoever wants to poke at it, until an interrupt.
    Held,
    /// The run was interrupted.
    Interrupted {
        /// By what (`SIGINT`).
        by: String,
    },
    /// The world failed: it could not do what the scenario asks.
    WorldFailed {
        /// The reason, in words.
        why: String,
    },
    /// The system was taken down.
    TornDown {
        /// Time that taking it down took.
        #[serde(rename = "took_us", with = "crate::micros")]
        took: Duration,
        /// Leftovers: what could not be removed, in words. Empty is as it should be.
        left: Vec<String>,
        /// Folders of the logs by service, where logs were kept.
        logs: BTreeMap<String, String>,
    },
    /// The run ended. Always the last.
    End {
        /// The run's verdict; none where the world failed or it was interrupted.
        verdict: Option<Verdict>,
    },
}

/// Everything that is known of a run as it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    /// [`FORMAT`].
    pub format: u32,
    /// The scenario's file.
    pub file: String,
    /// The scenario's title.
    pub title: String,
    /// The world's name, as `sim` or `local`.
    pub world: String,
    /// The seed of every draw.
    pub seed: u64,
    /// The time of the beginning, in milliseconds since the Unix epoch.
    pub unix_ms: u64,
    /// The load's rate.
    pub rate: Rate,
    /// The warm-up.
    #[serde(rename = "warmup_us", with = "crate::micros")]
    pub warmup: Duration,
    /// The phases, `run` first.
    pub phases: Vec<Phase>,
    /// The faults.
    pub faults: Vec<Fault>,
    /// The protection that was taken away, where a guard is proven.
    pub without: Option<String>,
    /// Settings that were laid over the scenario for this run, as `load.rate=500/s`.
    #[serde(default)]
    pub sets: Vec<String>,
    /// The expectations that were asked for, where not all of them are judged.
    #[serde(default)]
    pub only: Vec<String>,
    /// The expectations that this world leaves to others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<String>,
    /// The control: the same load, and none of the faults.
    #[serde(default)]
    pub control: bool,
    /// Accuracy of this machine, when that was last measured, if it ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// Counts of what a fault did while it was in place, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// Connections that it met.
    pub connections: u64,
    /// Chunks of bytes that it delayed, held or cut up; the ends of streams that it delayed.
    pub chunks: u64,
    /// Connections that it reset.
    pub resets: u64,
    /// Connections that it closed in an orderly way.
    #[serde(default)]
    pub closes: u64,
    /// Attempts to connect that were refused (where the system can't count them by socket: at most).
    pub refused: u64,
    /// Attempts to connect that were dropped, resent ones included.
    pub dropped: u64,
    /// Requests or commands that it acted on.
    #[serde(default)]
    pub messages: u64,
    /// Requests or commands that waited behind one of these, on its connection.
    #[serde(default)]
    pub bystanders: u64,
    /// Times that a service was stopped, killed, frozen, restarted or flushed.
    #[serde(default)]
    pub services: u64,
}

impl Fired {
    /// True where the fault did anything at all; that it met a connection is not enough.
    #[must_use]
    pub fn any(&self) -> bool {
        // Connections alone don't count: to meet one and let it pass is nothing that anybody could have noticed.
        self.chunks + self.resets + self.closes + self.refused + self.dropped + self.messages + self.services > 0
    }
}

/// Sums over the times that a fault was in place: a connection that it met in each is counted in each.
impl AddAssign for Fired {
    fn add_assign(&mut self, other: Self) {
        let Self { connections, chunks, resets, closes, refused, dropped, messages, bystanders, services } = other;
        self.connections += connections;
        self.chunks += chunks;
        self.resets += resets;
        self.closes += closes;
        self.refused += refused;
        self.dropped += dropped;
        self.messages += messages;
        self.bystanders += bystanders;
        self.services += services;
    }
}

/// Figures of a phase: what clients saw of the arrivals that it is judged by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PhaseFigures {
    /// The phase's name.
    pub phase: String,
    /// Arrivals that were due, and are judged.
    pub arrivals: u64,
    /// Arrivals that were due and straddled the beginning of a fault: begun before it, ended after. Counted apart.
    pub straddled: u64,
    /// Arrivals that the generator did not make.
    pub missed: u64,
    /// Responses by status.
    #[serde(deserialize_with = "status_keys")]
    pub statuses: BTreeMap<u16, u64>,
    /// Arrivals without a response, by reason.
    pub errors: BTreeMap<String, u64>,
    /// Responses marked partial.
    pub partial: u64,
    /// Responses with a stale part.
    pub stale: u64,
    /// The age of the oldest response, where responses say their age.
    #[serde(rename = "oldest_us", with = "crate::micros::option", default)]
    pub oldest: Option<Duration>,
    /// Latencies from the intended start; unanswered arrivals count as the client's timeout.
    pub latency: Option<LatencyFigures>,
}

impl PhaseFigures {
    /// The share of arrivals that got a response below 500.
    #[must_use]
    pub fn availability(&self) -> Share {
        let parts = self.statuses.range(..500).map(|(_, count)| count).sum();
        Share { parts, whole: self.arrivals }
    }
}

/// Reads keys that JSON spells as strings. serde buffers a flattened or tagged value, and then no longer takes `"200"`
/// for a number by itself.
pub(crate) fn status_keys<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<u16, u64>, D::Error> {
    let texts = BTreeMap::<String, u64>::deserialize(from)?;
    let number =
        |(status, count): (String, u64)| status.parse().map(|status| (status, count)).map_err(D::Error::custom);
    texts.into_iter().map(number).collect()
}

/// Latencies of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyFigures {
    /// The median.
    #[serde(rename = "p50_us", with = "crate::micros")]
    pub p50: Duration,
    /// Nine of ten were faster.
    #[serde(rename = "p90_us", with = "crate::micros")]
    pub p90: Duration,
    /// 99 of a hundred were faster.
    #[serde(rename = "p99_us", with = "crate::micros")]
    pub p99: Duration,
    /// 999 of a thousand were faster.
    #[serde(rename = "p999_us", with = "crate::micros")]
    pub p999: Duration,
    /// The slowest.
    #[serde(rename = "max_us", with = "crate::micros")]
    pub max: Duration,
}

/// Judgement of an expectation, with that of each of its comparisons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Number of the expectation in the scenario, from 0.
    pub index: usize,
    /// The expectation's name.
    pub that: String,
    /// The time in which it had to hold, in words: `outage`, `within 2s after outage`.
    pub when: String,
    /// The worst of its comparisons' verdicts.
    pub verdict: Verdict,
    /// Judgements of its comparisons, in the order of the file.
    pub checks: Vec<JudgedCheck>,
}

/// Judgement of one comparison of an expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedCheck {
    /// The comparison as written: `latency.p99 < 50ms`.
    pub asked: String,
    /// The value that was seen: `12.4ms`, `99.2% (794 of 800)`.
    pub seen: String,
    /// The comparison's verdict.
    pub verdict: Verdict,
    /// An explanation, if there is any: why it can't be said, or an example of what broke it.
    pub note: Option<String>,
    /// The place of the comparison: the file,
    pub file: String,
    /// the line, from 1,
    pub line: usize,
    /// and the place in the scenario's sources, so that a report that has them can show it.
    pub span: Span,
}
