//! Progress of a run: the load so far, added up from the slices that were told.

use chaos_model::{Slice, slice::Counts};
use std::time::Duration;

/// The load so far, since the timeline began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The end of the last slice.
    pub(crate) at: Duration,
    /// Arrivals that were due.
    pub(crate) due: u64,
    /// Good responses.
    pub(crate) good: u64,
    /// Responses that are not good, and arrivals without a response.
    pub(crate) bad: u64,
    /// The 99th percentile of the last slice's latencies; none where nothing was due in it.
    pub(crate) p99: Option<Duration>,
    /// Faults whose services were not back in the last slice.
    pub(crate) restarting: Vec<String>,
}

impl Progress {
    /// Adds the next slice.
    pub(crate) fn add(&mut self, slice: &Slice) {
        let mut all = Counts::default();
        all.add(&slice.counts);
        all.add(&slice.straddled);
        self.at = slice.to;
        self.due += all.due;
        self.good += all.good;
        self.bad += all.due.saturating_sub(all.good);
        self.restarting.clone_from(&slice.restarting);
        self.p99 = all.latency.percentile(99_000);
    }
}
