//! `detect.'breaker_state{state="open"}'`: from when a fault took effect until a metric shows that the system knows. Its
//! resolution is the time between two scrapes, and an upper bound is what is judged.

use super::{Finding, metric};
use crate::observe::{Reading, ScrapeSide};
use chaos_model::{Comparison, Fault, Selector, quantity::show_duration};
use std::{collections::BTreeMap, time::Duration};

/// Judges when a series first differed from what it was before the fault.
pub(super) fn judge(
    readings: &[Reading],
    selector: &Selector,
    seen: Option<&BTreeMap<String, ()>>,
    fault: &Fault,
    bound: &Comparison<Duration>,
) -> Finding {
    if let Err(unknown) = metric::known(readings, selector, seen) {
        return unknown;
    }
    let value = |reading: &Reading| Some(reading.value.as_ref().ok()?.map_or(0.0, |(value, _)| value));
    let before =
        |reading: &&Reading| reading.at < fault.at || (reading.at == fault.at && reading.side == ScrapeSide::Before);
    let Some(usual) = readings.iter().rfind(before).and_then(value) else {
        return Finding::inconclusive("unknown", "there is no scrape from before the fault");
    };
    let mut within = readings.iter().filter(|reading| !before(reading) && reading.at <= fault.ends());
    // What the scrape itself says is known when it was asked for, and no earlier.
    match within.find(|reading| value(reading).is_some_and(|value| (value - usual).abs() > f64::EPSILON)) {
        Some(reading) => {
            let took = reading.taken.saturating_sub(fault.at);
            Finding::of(bound.holds(&took), format!("{}, by a scrape", show_duration(took)))
        }
        None => Finding::of(false, format!("it stayed at {usual} for {}", show_duration(fault.lasts))),
    }
}
