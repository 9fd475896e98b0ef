//! The budget of a recording: the length that it may have by a moment of its run.

/// Bytes that any recording may have at its beginning,
const FIRST: u64 = 20_000;
/// and for each second of its timeline: 210 kB in a minute, so that injections, figures and the plan have room behind it. What
/// ships takes 800 to 3,000.
const EACH_SECOND: u64 = 3200;
/// Bytes that it may be ahead by where a phase ends: what is counted by name is then told for the phase alone.
const AHEAD_AT_PHASES: u64 = 20_000;

/// The length of a recording so far, beside what it may have.
// Counted in bytes of the run's own events, so that a simulation is recorded alike each time it is made.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// The beginning of the timeline, in microseconds since the run's.
    timeline_us: Option<u64>,
    bytes: u64,
}

impl Budget {
    /// Takes note that the timeline begins.
    pub(super) fn begin_timeline(&mut self, at_us: u64) {
        self.timeline_us = Some(at_us);
    }

    /// Takes note of so many bytes that were written.
    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// True if the recording is longer than it may be at this moment.
    pub(super) fn is_ahead(&self, at_us: u64) -> bool {
        self.bytes > self.allowed(at_us)
    }

    /// True if it is longer than it may be at this moment, where a phase ends.
    pub(super) fn is_ahead_at_phase(&self, at_us: u64) -> bool {
        self.bytes > self.allowed(at_us) + AHEAD_AT_PHASES
    }

    fn allowed(&self, at_us: u64) -> u64 {
        let since = self.timeline_us.map_or(0, |began| at_us.saturating_sub(began));
        FIRST.saturating_add((since / 1000).saturating_mul(EACH_SECOND) / 1000)
    }
}
