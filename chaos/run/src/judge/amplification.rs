//! `amplification.'CALLS / FIRST'`: how many calls were made for each that had to be. Retries make it more than 1; that
//! much more load a service gets just when it is in trouble.

use super::{Finding, metric};
use crate::observe::Reading;
use chaos_model::{Comparison, Selector};
use std::{collections::BTreeMap, time::Duration};

/// Judges the increase of all calls over the increase of first attempts, within a window.
pub(super) fn judge(
    [calls, first]: [&[Reading]; 2],
    [calls_selector, first_selector]: [&Selector; 2],
    seen: Option<&BTreeMap<String, ()>>,
    (from, to): (Duration, Duration),
    bound: &Comparison<f64>,
) -> Finding {
    // From the services' own counters: a proxy on a link of bytes sees no requests, and only the services know which of
    // their calls are retries.
    let counted = |readings, selector| metric::counted(readings, selector, seen, (from, to));
    match (counted(calls, calls_selector), counted(first, first_selector)) {
        (Err(unknown), _) | (_, Err(unknown)) => unknown,
        (Ok(calls), Ok(0.0)) => Finding::inconclusive(
            format!("{calls} calls, no first attempt"),
            "nothing was called, so nothing could be amplified",
        ),
        (Ok(calls), Ok(first)) => {
            let ratio = calls / first;
            Finding::of(bound.holds(&ratio), format!("{ratio:.2} ({calls} calls for {first})"))
        }
    }
}
