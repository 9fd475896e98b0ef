//! The stream of events that a run is: versioned, one JSON object a line. Every report is a fold over it.

mod begin;
mod cause;
mod counted;
mod early;
mod figures;
mod fired;
mod judged;
mod probed;
mod scraped;
mod shown;
mod spared;

pub use begin::Begin;
pub use cause::Cause;
pub use counted::{Counted, LinkCounts, ProxyCounts};
pub use early::{EarlyEnd, EndedEarly};
pub use figures::{InstanceFigures, LatencyFigures, PhaseFigures, PhaseTime};
pub use fired::Fired;
pub use judged::{Judged, JudgedCheck};
pub use probed::Probed;
pub use scraped::{Sample, Scrape, Scraped, ScrapedSeries};
pub use shown::{Shown, ShownResponse};
pub use spared::{Spared, Unreadable};

pub(crate) use figures::status_keys;

use crate::{
    Slice, Verdict,
    ledger::{FaultFigures, Injected},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// The version of the stream's format. It changes when a reader of today would misread it.
pub const FORMAT: u32 = 2;

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
        /// Counts of what the fault did in these times.
        #[serde(default, with = "fired::sparse")]
        fired: Fired,
        /// Times that it was applied and taken back since it was told last. A run tells each; its recording puts some together
        /// where there are many, and has no `fault_applied` for these.
        #[serde(default = "once", skip_serializing_if = "is_once")]
        times: u64,
        /// The same on each of its links, where it is on several.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "fired::sparse_map")]
        links: BTreeMap<String, Fired>,
    },
    /// A slice of the timeline that can't change any more: what clients saw in it. In the order of time, without gaps.
    Slice(Slice),
    /// Counts of proxies so far: what each link carried, and what each fault did.
    Counted(Counted),
    /// Scrapes of the metrics that expectations ask for.
    Scraped(Scraped),
    /// A probe of a service that an expectation asks about.
    Probed(Probed),
    /// A service ended although nobody asked it to.
    ServiceDied {
        /// The service's name.
        service: String,
        /// The way it ended (`exit status: 1`, `signal: 9 (SIGKILL)`).
        how: String,
        /// The last lines that it wrote.
        last_lines: Vec<String>,
    },
    /// A service was asked to end and did not in its time: it was killed.
    ServiceKilled {
        /// The service's name.
        service: String,
        /// Time that it had.
        #[serde(rename = "after_us", with = "crate::micros")]
        after: Duration,
    },
    /// A service that a fault had ended is ready again.
    ServiceBack {
        /// The service's name.
        service: String,
        /// Time from its start until it was ready; the longest, where it was several times.
        #[serde(rename = "took_us", with = "crate::micros")]
        took: Duration,
        /// Times that it was, since it was told last: more than once where a recording puts many together.
        #[serde(default = "once", skip_serializing_if = "is_once")]
        times: u64,
    },
    /// The run ends before its time: all faults that were there have been taken back, and no other begins.
    EndedEarly(EndedEarly),
    /// Figures of a phase: what clients saw in it.
    Phase(PhaseFigures),
    /// Injections of a fault, each with the request that met it.
    Injected(Injected),
    /// Figures of a fault: what its injections came to, and how the system took it.
    FaultFigures(FaultFigures),
    /// Judgement of an expectation.
    Judged(Judged),
    /// Something that makes the run inconclusive as a whole.
    Inconclusive {
        /// The reason, in words.
        why: String,
        /// The cause, where it has a name of its own.
        #[serde(default, skip_serializing_if = "Cause::is_other")]
        cause: Cause,
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
        /// The reason for which there may be leftovers that can't be seen, where there may be some.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unseen: Option<String>,
        /// Folders of the logs by service, where logs were kept.
        logs: BTreeMap<String, String>,
    },
    /// The run ended. Always the last.
    End {
        /// The run's verdict; none where the world failed or it was interrupted.
        verdict: Option<Verdict>,
    },
}

/// The times that something happened, where an event doesn't say.
fn once() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_once(times: &u64) -> bool {
    *times == 1
}

impl Event {
    /// Names of all events, as they stand in recordings. A reader passes over what is not among them.
    pub const NAMES: [&str; 26] = [
        "begin",
        "waiting",
        "service_ready",
        "link_ready",
        "ready",
        "timeline_began",
        "fault_applied",
        "fault_removed",
        "slice",
        "counted",
        "scraped",
        "probed",
        "service_died",
        "service_killed",
        "service_back",
        "ended_early",
        "phase",
        "injected",
        "fault_figures",
        "judged",
        "inconclusive",
        "held",
        "interrupted",
        "world_failed",
        "torn_down",
        "end",
    ];

    /// The event's name, as it stands in recordings.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Begin(_) => "begin",
            Self::Waiting { .. } => "waiting",
            Self::ServiceReady { .. } => "service_ready",
            Self::LinkReady { .. } => "link_ready",
            Self::Ready { .. } => "ready",
            Self::TimelineBegan => "timeline_began",
            Self::FaultApplied { .. } => "fault_applied",
            Self::FaultRemoved { .. } => "fault_removed",
            Self::Slice(_) => "slice",
            Self::Counted(_) => "counted",
            Self::Scraped(_) => "scraped",
            Self::Probed(_) => "probed",
            Self::ServiceDied { .. } => "service_died",
            Self::ServiceKilled { .. } => "service_killed",
            Self::ServiceBack { .. } => "service_back",
            Self::EndedEarly(_) => "ended_early",
            Self::Phase(_) => "phase",
            Self::Injected(_) => "injected",
            Self::FaultFigures(_) => "fault_figures",
            Self::Judged(_) => "judged",
            Self::Inconclusive { .. } => "inconclusive",
            Self::Held => "held",
            Self::Interrupted { .. } => "interrupted",
            Self::WorldFailed { .. } => "world_failed",
            Self::TornDown { .. } => "torn_down",
            Self::End { .. } => "end",
        }
    }
}
