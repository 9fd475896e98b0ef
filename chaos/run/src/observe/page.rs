//! A page of metrics: the Prometheus text format (0.0.4, and 1.0.0 with its quoted names) and OpenMetrics 1.0, as far as
//! it takes to read samples. Timestamps and exemplars are passed over.
//!
//! What can't be read is kept as such: a page with an odd line still has the others, and who asks for what stands on the
//! odd one is told so.

// Own code: of the crates that parse it, openmetrics-parser is LGPL, and prometheus-parse reads the wall clock.

mod kind;
mod line;

use chaos_model::{Selector, check::reading::SeriesKind};
use kind::Types;
use line::Line;
use std::collections::{BTreeMap, BTreeSet};

/// One series of a scrape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
    pub(crate) kind: SeriesKind,
}

/// The series of one scrape.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) series: Vec<Series>,
    faults: Vec<Fault>,
}

/// Something on a page that can't be read, or can be read in two ways.
#[derive(Clone, Debug, PartialEq)]
struct Fault {
    /// The name of the metric that it is about, where that can be read.
    name: Option<String>,
    /// The fault in words.
    what: String,
}

/// The series that a selector means on a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found<'p> {
    pub(super) series: Vec<&'p Series>,
    /// The kind of the metric; none where no series has its name.
    pub(super) kind: Option<SeriesKind>,
}

/// Parts of a line that are shown at the most, in letters.
const SHOWN: usize = 60;

impl Page {
    /// Reads a page.
    ///
    /// # Errors
    /// In words, where it is no text of metrics at all.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| format!("the page is no text: {error}"))?;
        let (mut page, mut types, mut seen) = (Self::default(), Types::default(), BTreeSet::new());
        for (number, text) in (1..).zip(text.split('\n')) {
            match line::read(text) {
                Ok(Line::Nothing) => {}
                Ok(Line::End) => break,
                Ok(Line::Type(name, kind)) => types.add(name, kind),
                Ok(Line::Sample { name, labels, value }) => {
                    if !seen.insert((name.clone(), labels.clone())) {
                        let what = format!("line {number} has a series for the second time: `{}`", shorten(text));
                        page.faults.push(Fault { name: Some(name.clone()), what });
                    }
                    page.series.push(Series { name, labels, value, kind: SeriesKind::Unknown });
                }
                Err(name) => {
                    let what = format!("line {number} can't be read: `{}`", shorten(text));
                    page.faults.push(Fault { name, what });
                }
            }
        }
        if let ([], [first, ..]) = (page.series.as_slice(), page.faults.as_slice()) {
            return Err(format!("the page is no text of metrics: {}", first.what));
        }
        page.series.iter_mut().for_each(|series| series.kind = types.kind_of(&series.name));
        Ok(page)
    }

    /// The series that a selector means.
    ///
    /// # Errors
    /// In words, where the page can't be read there.
    pub(super) fn find(&self, selector: &Selector) -> Result<Found<'_>, String> {
        let named = || self.series.iter().filter(|series| series.name == selector.name);
        let series: Vec<&Series> = named().filter(|series| selector.matches(&series.name, &series.labels)).collect();
        let kind = named().map(|series| series.kind).next();
        // A line without a name may be anybody's, and matters to those who find nothing.
        let about = |fault: &&Fault| fault.name.as_ref().map_or(kind.is_none(), |name| *name == selector.name);
        match self.faults.iter().find(about) {
            Some(fault) => Err(fault.what.clone()),
            None => Ok(Found { series, kind }),
        }
    }

    /// The faults of the page in words.
    pub(super) fn faults(&self) -> impl Iterator<Item = &str> {
        self.faults.iter().map(|fault| fault.what.as_str())
    }
}

/// The number of series on a page of metrics, read as a scrape is: for whoever wants to know beforehand what can be read.
///
/// # Errors
/// In words, where it is no text of metrics at all.
pub fn series_on(page: &[u8]) -> Result<usize, String> {
    Page::parse(page).map(|page| page.series.len())
}

fn shorten(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN).chain("…".chars()).collect()
    }
}

#[cfg(test)]
mod tests;
