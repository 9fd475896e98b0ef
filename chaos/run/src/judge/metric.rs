//! Metrics: a counter's increase within the scope, safe against restarts; a gauge in every scrape of the scope.

use super::{Finding, Stretch, at};
use crate::observe::{Kind, Reading, Side};
use chaos_model::{Comparison, Selector};
use std::{collections::BTreeMap, time::Duration};

/// Judges one metric check by the readings of its selector.
pub(super) fn judge(
    readings: &[Reading],
    stretch: &Stretch<'_>,
    selector: &Selector,
    bound: &Comparison<f64>,
    seen: Option<&BTreeMap<String, ()>>,
) -> Finding {
    let kind = match known(readings, selector, seen) {
        Ok(kind) => kind,
        Err(unknown) => return unknown,
    };
    // What has to be reached counts from the end of the fault, until it must be reached; all else from then on.
    let (from, to) = match stretch.within {
        Some(within) if bound.wants_more() => (stretch.from.saturating_sub(within), stretch.from),
        _ => (stretch.from, stretch.to),
    };
    let scope: Vec<&Reading> = readings.iter().filter(|reading| lies_within(reading, from, to)).collect();
    match kind {
        Kind::Counter => counter(&scope, from, to, bound),
        Kind::Gauge => gauge(&scope, bound),
    }
}

/// How a selector's series moves; what stands in for a finding where no scrape has it.
pub(super) fn known(
    readings: &[Reading],
    selector: &Selector,
    seen: Option<&BTreeMap<String, ()>>,
) -> Result<Kind, Finding> {
    let found = readings.iter().find_map(|reading| reading.value.as_ref().ok()?.map(|(_, kind)| kind));
    found.ok_or_else(|| Finding::inconclusive("no such series", unknown(selector, readings, seen)))
}

/// How far a counter rose within a stretch; what stands in for a finding where that is not known.
pub(super) fn counted(
    readings: &[Reading],
    selector: &Selector,
    seen: Option<&BTreeMap<String, ()>>,
    (from, to): (Duration, Duration),
) -> Result<f64, Finding> {
    if known(readings, selector, seen)? == Kind::Gauge {
        return Err(Finding::inconclusive(
            "no counter",
            format!("{selector} is a gauge, and what counts is a counter"),
        ));
    }
    let scope: Vec<&Reading> = readings.iter().filter(|reading| lies_within(reading, from, to)).collect();
    increase(&scope, from, to)
}

/// At its first moment what was read after the changes there, at its last what was read before them.
pub(super) fn lies_within(reading: &Reading, from: Duration, to: Duration) -> bool {
    (reading.at > from || (reading.at == from && reading.side != Side::Before))
        && (reading.at < to || (reading.at == to && reading.side != Side::After))
}

fn counter(scope: &[&Reading], from: Duration, to: Duration, bound: &Comparison<f64>) -> Finding {
    match increase(scope, from, to) {
        Ok(increase) => Finding::of(bound.holds(&increase), format!("+{increase}")),
        Err(unknown) => unknown,
    }
}

/// How far a counter rose within a stretch; what stands in for a finding where that is not known.
fn increase(scope: &[&Reading], from: Duration, to: Duration) -> Result<f64, Finding> {
    let edges = |moment| scope.iter().find(|reading| reading.at == moment).map(|reading| &reading.value);
    for moment in [from, to] {
        match edges(moment) {
            None => return Err(Finding::inconclusive("unknown", format!("there is no scrape {}", at(moment)))),
            Some(Err(why)) => {
                return Err(Finding::inconclusive("unknown", format!("the scrape {} failed: {why}", at(moment))));
            }
            Some(Ok(_)) => {}
        }
    }
    // A series that isn't there yet has counted nothing so far.
    let values = scope.iter().filter_map(|reading| reading.value.as_ref().ok()).map(|value| value.map_or(0.0, |v| v.0));
    let values: Vec<f64> = values.collect();
    Ok(risen(&values))
}

/// How far a counter rose. One that falls was restarted: all that it shows has been counted since.
pub(super) fn risen(values: &[f64]) -> f64 {
    values.windows(2).map(|pair| if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] }).sum()
}

fn gauge(scope: &[&Reading], bound: &Comparison<f64>) -> Finding {
    let values: Vec<(Duration, f64)> =
        scope.iter().filter_map(|reading| Some((reading.at, reading.value.as_ref().ok()?.as_ref()?.0))).collect();
    let (Some(low), Some(high)) =
        (values.iter().map(|v| v.1).reduce(f64::min), values.iter().map(|v| v.1).reduce(f64::max))
    else {
        return Finding::inconclusive("unknown", "no scrape of this stretch has it");
    };
    let seen = if (low - high).abs() < f64::EPSILON { low.to_string() } else { format!("{low} to {high}") };
    let seen = format!("{seen} in {} scrapes", values.len());
    let broken = values.iter().find(|(_, value)| !bound.holds(value));
    if broken.is_none() && values.len() < scope.len() {
        // It has to hold in every scrape, and of some nothing is known.
        return Finding::inconclusive(seen, missing(scope));
    }
    Finding::of(broken.is_none(), seen)
        .explained(|| broken.map(|(moment, value)| format!("the first, {}, was {value}", at(*moment))))
}

fn missing(scope: &[&Reading]) -> String {
    let why = scope.iter().find_map(|reading| match &reading.value {
        Err(why) => Some(format!("the scrape {} failed: {why}", at(reading.at))),
        Ok(None) => Some(format!("the scrape {} does not have it", at(reading.at))),
        Ok(Some(_)) => None,
    });
    why.unwrap_or_default()
}

fn unknown(selector: &Selector, readings: &[Reading], seen: Option<&BTreeMap<String, ()>>) -> String {
    if let Some(why) = readings.iter().find_map(|reading| reading.value.as_ref().err())
        && readings.iter().all(|reading| reading.value.is_err())
    {
        return format!("every scrape failed: {why}");
    }
    let wanted = selector.to_string();
    let nearest = seen.into_iter().flatten().map(|(series, ())| (strsim::jaro_winkler(&wanted, series), series));
    match nearest.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, series)) => format!("no scrape has it; the nearest is `{series}`"),
        None => "no scrape has any series".to_owned(),
    }
}
