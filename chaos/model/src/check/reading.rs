//! Readings: what scrapes say of a series, and by how much a counter grew between two of them.

use super::{Finding, evidence::at};
use crate::Selector;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// The kind of a series: counter or gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesKind {
    /// Only up, but for restarts; the parts of histograms and summaries too.
    Counter,
    /// Up and down.
    Gauge,
}

/// The side of an edge on which a scrape was taken: before what changes there, or after it was acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScrapeSide {
    /// A scrape that closes what ends here.
    Before,
    /// A scrape that opens what begins here.
    After,
    /// Nothing changes here: it does both.
    #[default]
    Both,
}

/// One selector in one scrape.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The moment at which it was due,
    pub at: Duration,
    /// and when it was asked for.
    pub taken: Duration,
    /// The side of the edge.
    pub side: ScrapeSide,
    /// The sum of what matched, none where nothing did; or why there was no scrape.
    pub value: Result<Option<(f64, SeriesKind)>, String>,
}

impl Reading {
    /// The value; none where the scrape failed. A series that isn't there yet has counted nothing so far.
    #[must_use]
    pub fn known(&self) -> Option<f64> {
        Some(self.value.as_ref().ok()?.map_or(0.0, |(value, _)| value))
    }

    /// True within a window: at its first moment what was read after the changes there, at its last what was read
    /// before them.
    #[must_use]
    pub fn lies_within(&self, from: Duration, to: Duration) -> bool {
        (self.at > from || (self.at == from && self.side != ScrapeSide::Before))
            && (self.at < to || (self.at == to && self.side != ScrapeSide::After))
    }
}

/// Readings of the series that one check asks for.
#[derive(Clone, Debug, Default)]
pub struct Readings<'a> {
    /// By selector, in the check's order.
    pub of: Vec<&'a [Reading]>,
    /// Every series that its service ever had: for "did you mean".
    pub series: Option<&'a BTreeMap<String, ()>>,
}

impl<'a> Readings<'a> {
    /// The readings of the check's `nth` selector, in the order of time.
    #[must_use]
    pub fn of(&self, nth: usize) -> &'a [Reading] {
        self.of.get(nth).copied().unwrap_or_default()
    }

    /// The kind of a selector's series.
    ///
    /// # Errors
    /// A finding in its stead where no scrape has it.
    pub fn kind(&self, nth: usize, selector: &Selector) -> Result<SeriesKind, Finding> {
        let found = self.of(nth).iter().find_map(|reading| reading.value.as_ref().ok()?.map(|(_, kind)| kind));
        found.ok_or_else(|| Finding::inconclusive("no such series", self.unknown(nth, selector)))
    }

    /// Refuses what is no counter.
    ///
    /// # Errors
    /// A finding in its stead where it is a gauge, or no scrape has it.
    pub fn counter(&self, nth: usize, selector: &Selector) -> Result<(), Finding> {
        match self.kind(nth, selector)? {
            SeriesKind::Counter => Ok(()),
            SeriesKind::Gauge => {
                let why = format!("{selector} is a gauge, and what counts is a counter");
                Err(Finding::inconclusive("no counter", why))
            }
        }
    }

    fn unknown(&self, nth: usize, selector: &Selector) -> String {
        let readings = self.of(nth);
        if let Some(why) = readings.iter().find_map(|reading| reading.value.as_ref().err())
            && readings.iter().all(|reading| reading.value.is_err())
        {
            return format!("every scrape failed: {why}");
        }
        let wanted = selector.to_string();
        let nearest = self.series.into_iter().flatten();
        let nearest = nearest.map(|(series, ())| (strsim::jaro_winkler(&wanted, series), series));
        match nearest.max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((_, series)) => format!("no scrape has it; the nearest is `{series}`"),
            None => "no scrape has any series".to_owned(),
        }
    }
}

/// The least increase of a counter within a window.
///
/// # Errors
/// A finding in its stead where a scrape at its ends is missing or failed.
pub fn increase(readings: &[Reading], from: Duration, to: Duration) -> Result<f64, Finding> {
    let scope: Vec<&Reading> = readings.iter().filter(|reading| reading.lies_within(from, to)).collect();
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
    Ok(risen(&values(scope)))
}

/// Values of scrapes; those that failed are left out.
pub(super) fn values<'a>(readings: impl IntoIterator<Item = &'a Reading>) -> Vec<f64> {
    readings.into_iter().filter_map(Reading::known).collect()
}

/// The increase of a counter. One that falls was restarted: all that it shows has been counted since.
pub(super) fn risen(values: &[f64]) -> f64 {
    values.windows(2).map(|pair| if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] }).sum()
}
