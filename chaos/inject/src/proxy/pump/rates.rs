//! The rates that messages go at, each on its stream.
//!
//! The rate of a message that has the connection to itself is the direction's, and [`Shaper`] keeps it byte by byte. On a
//! stream among several, whole frames go, each at the time at which its last byte would have: nothing may come between
//! the parts of a frame, so one that went in pieces would hold up all other streams.

use super::super::shaper::time;
use crate::{
    active::Active,
    protocol::{Rate, StreamId},
};
use std::{sync::Arc, time::Duration};

/// The rates of streams. No more than there are messages under way that faults slow down.
#[derive(Debug, Default)]
pub(super) struct StreamRates(Vec<StreamRate>);

#[derive(Debug)]
struct StreamRate {
    stream: StreamId,
    rate: Rate,
    /// The rate counts from here, …
    since: Duration,
    /// … and has let so many bytes pass.
    passed: u64,
}

impl StreamRates {
    /// Tells whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether this stream has one.
    pub(super) fn has(&self, stream: StreamId) -> bool {
        self.0.iter().any(|one| one.stream == stream)
    }

    /// Sets the rate of what follows on a stream, or lifts it.
    pub(super) fn set(&mut self, stream: StreamId, rate: Option<Rate>, now: Duration) {
        self.0.retain(|one| one.stream != stream);
        self.0.extend(rate.map(|rate| StreamRate { stream, rate, since: now, passed: 0 }));
    }

    /// The faults have changed: keeps the rates that some of these ask for.
    pub(super) fn keep(&mut self, faults: &[Arc<Active>]) {
        self.0.retain(|one| one.rate.under(faults).is_some());
    }

    /// The rate, in bytes a second, of what belongs to the connection as a whole.
    pub(super) fn of_connection(&self) -> Option<u64> {
        let own = self.0.iter().find(|one| one.stream == StreamId::CONNECTION);
        own.map(|one| one.rate.throughput.bytes_per_second)
    }

    /// The time at which a frame of so many bytes, ready to go at `ready`, may go on a stream among several.
    pub(super) fn ready(&mut self, stream: StreamId, bytes: usize, ready: Duration) -> Duration {
        let Some(one) = self.among_several(stream) else { return ready };
        if ready > one.after(0) {
            (one.since, one.passed) = (ready, 0);
        }
        one.after(bytes as u64)
    }

    /// A frame of so many bytes has gone, at that time.
    pub(super) fn wrote(&mut self, stream: StreamId, bytes: usize, at: Duration) {
        let Some(one) = self.among_several(stream) else { return };
        one.passed = one.passed.saturating_add(bytes as u64);
        // Later than the rate asked for: that time is not made up for.
        if at > one.after(0) {
            (one.since, one.passed) = (at, 0);
        }
    }

    fn among_several(&mut self, stream: StreamId) -> Option<&mut StreamRate> {
        self.0.iter_mut().find(|one| one.stream == stream && stream != StreamId::CONNECTION)
    }
}

impl StreamRate {
    /// The time at which so many more bytes have passed.
    fn after(&self, bytes: u64) -> Duration {
        let bytes = self.passed.saturating_add(bytes);
        self.since.saturating_add(time(bytes, self.rate.throughput.bytes_per_second))
    }
}
