//! By how much counters rose between two scrapes: the increase of each series first, then the sum.
//!
//! A sum of all series falls when one of them leaves, and that is no restart: so each is followed for itself. One that is
//! missing in between, or is no number there, rose at some time between the scrapes that have it; where a window begins or
//! ends meanwhile, that lies within it in whole, in part or not at all.

use super::{Asked, Reading, Values};
use std::{collections::BTreeMap, fmt};

/// An increase, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rise {
    /// The increase at the least,
    pub least: f64,
    /// and at the most.
    pub most: f64,
}

impl Rise {
    /// True where it is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.least.total_cmp(&self.most).is_eq()
    }

    fn add(&mut self, least: f64, most: f64) {
        self.least += least;
        self.most += most;
    }
}

impl fmt::Display for Rise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_known(), self.most.is_finite()) {
            (true, _) => write!(f, "+{}", self.least),
            (false, true) => write!(f, "+{} to +{}", self.least, self.most),
            (false, false) => write!(f, "+{} or more", self.least),
        }
    }
}

/// The increase from the first to the last of those readings that are chosen, which follow one another.
#[must_use]
pub fn rise(readings: &[Reading], asked: &Asked, chosen: impl Fn(&Reading) -> bool) -> Rise {
    let known: Vec<(&Values, bool)> =
        readings.iter().filter_map(|reading| Some((reading.value.as_ref().ok()?, chosen(reading)))).collect();
    let (first, last) = (known.iter().position(|(_, is)| *is), known.iter().rposition(|(_, is)| *is));
    let (Some(first), Some(last)) = (first, last) else { return Rise::default() };
    let mut rise = Rise::default();
    let window = Window { first, last };
    for (series, points) in points(&known) {
        // What it was before it was seen: zero, where somebody counted already.
        if let Some((appeared, value)) = points.first().copied()
            && let Some(before) = appeared.checked_sub(1)
            && known[..appeared].iter().all(|(values, _)| !values.of.iter().any(|(other, _)| *other == series))
        {
            let counted = asked.absent_is_zero || known[before].0.kind.is_some();
            let (least, most) = window.share(before, appeared, value);
            rise.add(if counted { least } else { 0.0 }, most);
        }
        for pair in points.windows(2) {
            let ((from, before), (to, after)) = (pair[0], pair[1]);
            // One that falls was restarted: all that it shows has been counted since.
            let counted = if after < before { after } else { after - before };
            let (least, most) = window.share(from, to, counted);
            rise.add(least, most);
        }
        // No number, and none before it or after it: how much was counted meanwhile, nothing says.
        let no_number = |at: &usize| known[*at].0.of.iter().any(|(other, v)| *other == series && !v.is_finite());
        let between = |at: usize| points.iter().any(|(n, _)| *n < at) && points.iter().any(|(n, _)| *n > at);
        if (first..=last).filter(no_number).any(|at| !between(at)) && first < last {
            rise.most = f64::INFINITY;
        }
    }
    rise
}

/// The values of each series that are numbers, with the places of their readings.
fn points(known: &[(&Values, bool)]) -> BTreeMap<usize, Vec<(usize, f64)>> {
    let mut all: BTreeMap<usize, Vec<(usize, f64)>> = BTreeMap::new();
    for (place, (values, _)) in known.iter().enumerate() {
        for (series, value) in &values.of {
            let points = all.entry(*series).or_default();
            points.extend(value.is_finite().then_some((place, *value)));
        }
    }
    all
}

/// The first and the last reading of a window.
#[derive(Clone, Copy)]
struct Window {
    first: usize,
    last: usize,
}

impl Window {
    /// The part of what was counted between two readings that lies within, at the least and at the most.
    fn share(self, from: usize, to: usize, counted: f64) -> (f64, f64) {
        if from >= self.first && to <= self.last {
            (counted, counted)
        } else if to <= self.first || from >= self.last {
            (0.0, 0.0)
        } else {
            (0.0, counted)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::reading::{ScrapeSide, SeriesKind};
    use std::time::Duration;

    /// A reading a second: of each, the values of some series.
    fn readings(all: &[&[(usize, f64)]]) -> Vec<Reading> {
        let reading = |(n, values): (usize, &&[(usize, f64)])| {
            let at = Duration::from_secs(n as u64);
            let kind = Some(SeriesKind::Counter).filter(|_| !values.is_empty());
            Reading {
                at,
                taken: at,
                answered: at,
                side: ScrapeSide::Both,
                value: Ok(Values { kind, of: values.to_vec() }),
            }
        };
        all.iter().enumerate().map(reading).collect()
    }

    /// From one second to another, in words.
    fn rose(all: &[&[(usize, f64)]], from: u64, to: u64) -> String {
        let within = |reading: &Reading| (from..=to).contains(&reading.at.as_secs());
        rise(&readings(all), &Asked::default(), within).to_string()
    }

    #[test]
    fn each_series_rises_for_itself() {
        assert_eq!(rose(&[&[(0, 5.0), (1, 100.0)], &[(0, 7.0), (1, 101.0)]], 0, 1), "+3");
        // One leaves: its sum falls, and nothing was restarted.
        assert_eq!(rose(&[&[(0, 500.0), (1, 1000.0)], &[(0, 500.0)], &[(0, 501.0)]], 0, 2), "+1");
        // One is restarted, and the others go on.
        assert_eq!(rose(&[&[(0, 500.0), (1, 10.0)], &[(0, 2.0), (1, 20.0)], &[(0, 5.0), (1, 20.0)]], 0, 2), "+15");
    }

    #[test]
    fn one_that_is_missing_rose_at_some_time_meanwhile() {
        let gap: &[&[(usize, f64)]] = &[&[(0, 5.0)], &[(1, 0.0)], &[(0, 9.0), (1, 0.0)], &[(0, 9.0), (1, 1.0)]];
        assert_eq!(rose(gap, 0, 2), "+4", "the window has both ends of the gap");
        assert_eq!((rose(gap, 0, 1), rose(gap, 1, 3)), ("+0 to +4".to_owned(), "+1 to +5".to_owned()));
        let idle: &[&[(usize, f64)]] = &[&[(0, 5.0)], &[], &[(0, 5.0)]];
        assert_eq!((rose(idle, 0, 1), rose(idle, 1, 2)), ("+0".to_owned(), "+0".to_owned()), "it did not rise at all");
    }

    #[test]
    fn one_that_appears_began_at_zero_where_its_metric_was_counted_before() {
        assert_eq!(rose(&[&[(0, 5.0)], &[(0, 5.0), (1, 3.0)]], 0, 1), "+3");
        let lazy: &[&[(usize, f64)]] = &[&[], &[], &[(0, 3.0)], &[(0, 4.0)]];
        assert_eq!((rose(lazy, 0, 3), rose(lazy, 2, 3)), ("+1 to +4".to_owned(), "+1".to_owned()));
        let zero = Asked { absent_is_zero: true, ..Asked::default() };
        assert_eq!(rise(&readings(lazy), &zero, |_| true).to_string(), "+4");
        assert_eq!(rose(&[&[(0, 900.0)], &[(0, 900.0)]], 0, 1), "+0", "what was there at first was counted before");
    }

    #[test]
    fn what_is_no_number_is_not_known() {
        let nan = f64::NAN;
        assert_eq!(rose(&[&[(0, 1.0)], &[(0, nan)], &[(0, 3.0)]], 0, 2), "+2");
        assert_eq!(rose(&[&[(0, 1.0)], &[(0, nan)], &[(0, 3.0)]], 0, 1), "+0 to +2");
        assert_eq!(rose(&[&[(0, 1.0)], &[(0, f64::INFINITY)]], 0, 1), "+0 or more");
        assert_eq!(rose(&[&[(0, nan)], &[(0, nan)]], 0, 1), "+0 or more");
        assert_eq!(rose(&[&[(0, nan)], &[(0, 3.0)], &[(0, 4.0)]], 0, 2), "+1 or more");
        assert_eq!(rose(&[&[(0, nan)], &[(0, 3.0)], &[(0, 4.0)]], 1, 2), "+1");
    }
}
