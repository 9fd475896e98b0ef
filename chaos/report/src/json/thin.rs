//! The choice of injections that a recording holds in full.

use chaos_model::{
    Impact,
    ledger::{Injected, Joined},
};
use std::collections::BTreeSet;

/// The most injections of one fault that are written in full.
const MOST_OF_A_FAULT: usize = 1000;
/// The most of all faults of a run together: what keeps a recording small whatever is broken in it.
const MOST_OF_A_RUN: usize = 2000;

/// The most injections of each fault, in a run of so many.
pub(super) fn most(faults: usize) -> usize {
    MOST_OF_A_FAULT.min(MOST_OF_A_RUN / faults.max(1))
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
