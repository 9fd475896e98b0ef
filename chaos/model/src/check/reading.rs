//! Readings: what scrapes say of the series that a check asks for.
//!
//! What a scrape doesn't say is unknown, and no zero: a series that is missing, or is no number. It is zero before it was
//! ever seen where its metric has other series by then, which shows that somebody counts, or where the scenario says so.

mod rise;

pub use rise::{Rise, rise};

use super::{Finding, evidence::at};
use crate::{Selector, quantity::show_duration};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// The kind of a series: counter or gauge, if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesKind {
    /// Only up, but for restarts; the parts of histograms and summaries too.
    Counter,
    /// Up and down.
    Gauge,
    /// Without a type, or `untyped` or `unknown`: it may be either.
    Unknown,
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
    /// The moment at which it was there: what it counts had been counted by then.
    pub answered: Duration,
    /// The side of the edge.
    pub side: ScrapeSide,
    /// The values of what matched; or why they can't be known.
    pub value: Result<Values, String>,
}

/// Values of the series that a selector means, in one scrape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// The kind of the metric; none where no series has its name.
    pub kind: Option<SeriesKind>,
    /// The value of each series, by a number that it keeps through all scrapes.
    pub of: Vec<(usize, f64)>,
}

impl Values {
    /// One series of this kind.
    #[must_use]
    pub fn one(kind: SeriesKind, value: f64) -> Self {
        Self { kind: Some(kind), of: vec![(0, value)] }
    }

    /// The sum, which may be infinite; none where it is no number.
    #[must_use]
    pub fn sum(&self) -> Option<f64> {
        let sum = self.of.iter().map(|(_, value)| value).sum::<f64>();
        (!sum.is_nan()).then_some(sum)
    }
}

/// A scrape takes milliseconds; one that takes longer doesn't tell of the moment at which it was asked for.
const BRIEF: Duration = Duration::from_millis(100);

impl Reading {
    /// True where it took so long that it doesn't tell of the moment at which it was asked for.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.answered.saturating_sub(self.taken) > BRIEF
    }

    /// True within a window: at its first moment what was read after the changes there, at its last what was read
    /// before them.
    #[must_use]
    pub fn lies_within(&self, from: Duration, to: Duration) -> bool {
        (self.at > from || (self.at == from && self.side != ScrapeSide::Before))
            && (self.at < to || (self.at == to && self.side != ScrapeSide::After))
    }
}

/// The way in which the series of an expectation are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The service whose metrics are meant.
    pub service: String,
    /// The kind that the scenario says it is (`type = "counter"`).
    pub kind: Option<SeriesKind>,
    /// True where a series that was never seen counts as zero (`absent = "zero"`).
    pub absent_is_zero: bool,
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
    /// A finding in its stead where no scrape has its metric, or has no type of it.
    pub fn kind(&self, nth: usize, selector: &Selector, asked: &Asked) -> Result<SeriesKind, Finding> {
        let read = || self.of(nth).iter().filter_map(|reading| reading.value.as_ref().ok());
        let found = read().find_map(|values| values.kind);
        // No scrape has any such label: it is misspelt, and never to be seen.
        let unseen = || read().all(|values| values.of.is_empty());
        if let (Some(label), false) = (self.misspelt(selector), asked.absent_is_zero)
            && unseen()
        {
            let why = format!("no series of {} has a label `{label}`; {}", selector.name, self.unknown(nth, selector));
            return Err(Finding::inconclusive("no such series", why));
        }
        match asked.kind.or(found) {
            _ if read().next().is_none() || (found.is_none() && !asked.absent_is_zero) => {
                Err(Finding::inconclusive("no such series", self.unknown(nth, selector)))
            }
            None => Ok(SeriesKind::Counter),
            Some(SeriesKind::Unknown) => {
                let why = format!(
                    "{} has no type, so it may rise and fall as it likes: say `type = \"counter\"` or `type = \"gauge\"`",
                    selector.name
                );
                Err(Finding::inconclusive("no type", why))
            }
            Some(kind) => Ok(kind),
        }
    }

    /// Refuses a series that no scrape has; any kind of it shows a change.
    ///
    /// # Errors
    /// A finding in its stead.
    pub fn known(&self, nth: usize, selector: &Selector, asked: &Asked) -> Result<(), Finding> {
        let kind = asked.kind.or(Some(SeriesKind::Gauge));
        self.kind(nth, selector, &Asked { kind, ..asked.clone() }).map(|_| ())
    }

    /// Refuses what is no counter.
    ///
    /// # Errors
    /// A finding in its stead where it is a gauge, or no scrape has it.
    pub fn counter(&self, nth: usize, selector: &Selector, asked: &Asked) -> Result<(), Finding> {
        match self.kind(nth, selector, asked)? {
            SeriesKind::Counter => Ok(()),
            SeriesKind::Gauge | SeriesKind::Unknown => {
                let why = format!("{selector} is a gauge, and what counts is a counter");
                Err(Finding::inconclusive("no counter", why))
            }
        }
    }

    /// The first label of a selector that no series of its name has, where there are some.
    fn misspelt<'s>(&self, selector: &'s Selector) -> Option<&'s str> {
        let labels = |series: &'a String| series.strip_prefix(selector.name.as_str())?.strip_prefix('{');
        let of_name: Vec<&str> = self.series?.keys().filter_map(labels).collect();
        let has = |label: &str| {
            let (first, later) = (format!("{label}="), format!(",{label}="));
            of_name.iter().any(|labels| labels.starts_with(&first) || labels.contains(&later))
        };
        let mut named = selector.labels.iter().map(|wanted| wanted.label.as_str());
        named.find(|label| !of_name.is_empty() && !has(label))
    }

    /// A series of the family of this name, whose series all have an ending (OpenMetrics 1.0, "Counter" and others).
    fn of_family(&self, name: &str) -> Option<&'a str> {
        const ENDINGS: [&str; 5] = ["_total", "_count", "_bucket", "_sum", "_info"];
        let series = || self.series.into_iter().flatten().map(|(series, ())| series.as_str());
        ENDINGS.into_iter().find_map(|ending| {
            let is_of_it = |series: &&str| {
                let rest = series.strip_prefix(name).and_then(|rest| rest.strip_prefix(ending));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
            };
            series().find(is_of_it)
        })
    }

    fn unknown(&self, nth: usize, selector: &Selector) -> String {
        let readings = self.of(nth);
        if let Some(why) = readings.iter().find_map(|reading| reading.value.as_ref().err())
            && readings.iter().all(|reading| reading.value.is_err())
        {
            return format!("every scrape failed: {why}");
        }
        if let Some(series) = self.of_family(&selector.name) {
            return format!(
                "no scrape has it: `{}` is the name of a family, and `{series}` is one of its series",
                selector.name
            );
        }
        let wanted = selector.to_string();
        let nearest = self.series.into_iter().flatten();
        let nearest = nearest.map(|(series, ())| (strsim::jaro_winkler(&wanted, series), series));
        match nearest.max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((_, series)) => format!(
                "no scrape has it; the nearest is `{series}`; if it is there only once it counts, say `absent = \"zero\"`"
            ),
            None => "no scrape has any series".to_owned(),
        }
    }
}

/// The sum of a selector's series at a reading: none where it can't be known, since one of them is missing for a while, is
/// no number, or was not there yet and can't be taken for zero.
#[must_use]
pub fn total(readings: &[Reading], nth: usize, asked: &Asked) -> Option<f64> {
    let values = readings.get(nth)?.value.as_ref().ok()?;
    let sum = values.sum()?;
    if values.of.is_empty() && values.kind.is_none() && !asked.absent_is_zero {
        return None;
    }
    let has = |series: usize, among: &[Reading]| {
        among.iter().filter_map(|reading| reading.value.as_ref().ok()).any(|v| v.of.iter().any(|(n, _)| *n == series))
    };
    // One that comes back was there all the time; one that never does has gone.
    let before = readings[..nth].iter().filter_map(|reading| reading.value.as_ref().ok()).flat_map(|v| &v.of);
    let here = |series: usize| values.of.iter().any(|(n, _)| *n == series);
    let mut missing = before.map(|(series, _)| *series).filter(|series| !here(*series));
    (!missing.any(|series| has(series, &readings[nth + 1..]))).then_some(sum)
}

/// The increase of a counter within a window, by the scrapes inside.
///
/// # Errors
/// A finding in its stead where a scrape at its ends is missing or failed, or where it can't be known.
pub fn increase(readings: &[Reading], from: Duration, to: Duration, asked: &Asked) -> Result<f64, Finding> {
    let rise = rise_within(readings, from, to, asked)?;
    if rise.is_known() {
        return Ok(rise.least);
    }
    Err(Finding::inconclusive(rise.to_string(), not_known(asked)))
}

/// The reason why an increase is not known.
pub(super) fn not_known(asked: &Asked) -> String {
    let hint = if asked.absent_is_zero { "" } else { "; if it is there only once it counts, say `absent = \"zero\"`" };
    format!("a series is missing from a scrape or is no number there, and what it counted meanwhile is not known{hint}")
}

/// The same, with what it is at the least and at the most.
///
/// # Errors
/// A finding in its stead where a scrape at its ends is missing or failed.
pub(super) fn rise_within(readings: &[Reading], from: Duration, to: Duration, asked: &Asked) -> Result<Rise, Finding> {
    let inside = |reading: &Reading| reading.lies_within(from, to);
    for moment in [from, to] {
        match readings.iter().find(|reading| reading.at == moment && inside(reading)).map(|reading| &reading.value) {
            None => return Err(Finding::inconclusive("unknown", format!("there is no scrape {}", at(moment)))),
            Some(Err(why)) => {
                return Err(Finding::inconclusive("unknown", format!("the scrape {} failed: {why}", at(moment))));
            }
            Some(Ok(_)) => {}
        }
    }
    // Of one that took its time it is not known which moment it tells of.
    let slow = |reading: &&Reading| (reading.at == from || reading.at == to) && inside(reading) && reading.is_slow();
    if let Some(slow) = readings.iter().find(slow) {
        let took = show_duration(slow.answered.saturating_sub(slow.taken));
        return Err(Finding::inconclusive("unknown", format!("the scrape {} took {took}", at(slow.at))));
    }
    Ok(rise(readings, asked, inside))
}
