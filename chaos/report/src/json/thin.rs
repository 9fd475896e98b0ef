//! The choice of injections that a recording holds in full: as many as keep it small, whatever is broken in its run.

use chaos_model::{
    Event, Impact,
    event::Begin,
    ledger::{Injected, Joined},
};
use std::{collections::BTreeSet, time::Duration};

/// The most injections of one fault that are written in full,
const MOST_OF_A_FAULT: usize = 1000;
/// the most of all faults of a run together,
const MOST_OF_A_RUN: usize = 2000;
/// and how many of them there is always room for: those that hurt are worth more than a small file.
const LEAST_OF_A_RUN: usize = 300;

/// The bytes that a recording of a minute may have with its injections, and without its plan.
const BYTES_OF_A_MINUTE: u64 = 350_000;
/// The bytes of a fault's figures, which come behind its injections.
const BYTES_OF_FIGURES: u64 = 320;

/// Room for injections in the recording of one run.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Faults of the run, and those whose injections are still to come.
    faults: usize,
    to_come: usize,
    /// Bytes that are left.
    left: u64,
}

impl Room {
    /// The room in a run that begins.
    fn new(begin: &Begin) -> Self {
        let length = begin.phases.iter().map(|phase| phase.to).max().unwrap_or_default();
        let minutes = length.max(Duration::from_secs(60)).as_secs().div_ceil(60);
        let faults = begin.faults.len();
        let left = (BYTES_OF_A_MINUTE * minutes).saturating_sub(BYTES_OF_FIGURES * faults as u64);
        Self { faults, to_come: faults, left }
    }

    /// Takes note of an event that has been written, in so many bytes.
    pub(super) fn take(&mut self, event: &Event, bytes: usize) {
        match event {
            // Its length depends on where a run is made, and what is kept must not.
            Event::Begin(begin) => *self = Self::new(begin),
            Event::FaultFigures(_) => self.to_come = self.to_come.saturating_sub(1),
            _ => {}
        }
        // Room for figures has been kept.
        let bytes = if matches!(event, Event::Begin(_) | Event::FaultFigures(_)) { 0 } else { bytes as u64 };
        self.left = self.left.saturating_sub(bytes);
    }

    /// The most injections to keep of a fault, of which so many took so many bytes.
    pub(super) fn most(&self, injections: usize, bytes: usize) -> usize {
        let faults = self.faults.max(1);
        let each = (bytes / injections.max(1)).max(1) as u64;
        let fit = self.left / self.to_come.max(1) as u64 / each;
        let fit = usize::try_from(fit).unwrap_or(usize::MAX);
        MOST_OF_A_FAULT.min(MOST_OF_A_RUN / faults).min(fit).max(LEAST_OF_A_RUN / faults)
    }
}

/// The same with `most` of the injections in full, in the order of time: the first quarter of these are the first that there
/// were, the last quarter the last, and between them those that hurt most. The others are counted.
pub(super) fn thinned(injected: &Injected, most: usize) -> Injected {
    let all = &injected.injections;
    let ends = most / 4;
    let mut between: Vec<usize> = (ends..all.len() - ends).collect();
    // Stable: among those that hurt alike, the earlier ones.
    between.sort_by_key(|index| std::cmp::Reverse(harm(&all[*index])));
    between.truncate(most - 2 * ends);
    let kept: BTreeSet<usize> = (0..ends).chain(between).chain(all.len() - ends..all.len()).collect();
    let mut rest = injected.rest.clone();
    for (_, one) in all.iter().enumerate().filter(|(index, _)| !kept.contains(index)) {
        *rest.entry(one.impact).or_default() += 1;
    }
    let injections = kept.iter().map(|index| all[*index].clone()).collect();
    Injected { injections, rest, ..injected.clone() }
}

/// The harm of an injection, from nothing upwards.
fn harm(joined: &Joined) -> u8 {
    match joined.impact {
        Impact::Failed => 5,
        Impact::Partial => 4,
        Impact::Stale => 3,
        Impact::Slower => 2,
        Impact::SharedFlight | Impact::Unknown => 1,
        Impact::Unnoticed | Impact::Background => 0,
    }
}
