//! Series of what clients saw over time, in as many points as a chart has room for.

use chaos_model::{
    Histogram, Slice,
    event::{Sample, Scraped},
    slice::Counts,
};
use std::{collections::BTreeMap, time::Duration};

/// The most points of a run: more can't be told apart on a page. Neighbours are put together beyond.
const MOST: usize = 150;

/// Slices that are shorter are put together with the one before: edges cut some so short that rates are noise.
const SHORTEST: Duration = Duration::from_millis(200);

/// A stretch of the timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    pub(crate) counts: Counts,
    /// The most requests under way at the end of a slice.
    pub(crate) in_flight: u64,
}

impl Point {
    /// Its length in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.to.saturating_sub(self.from).as_secs_f64().max(f64::MIN_POSITIVE)
    }

    pub(crate) fn latency(&self) -> &Histogram {
        &self.counts.latency
    }

    fn add(&mut self, other: &Self) {
        self.to = self.to.max(other.to);
        self.counts.add(&other.counts);
        self.in_flight = self.in_flight.max(other.in_flight);
    }
}

/// The fold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series {
    pub(crate) points: Vec<Point>,
    /// Slices that a point is made of.
    each: usize,
    in_last: usize,
    /// Readings of metrics, by service and selector.
    pub(crate) metrics: BTreeMap<String, Vec<(Duration, f64)>>,
}

impl Series {
    pub(crate) fn slice(&mut self, slice: &Slice) {
        let mut counts = slice.counts.clone();
        counts.add(&slice.straddled);
        let point = Point { from: slice.from, to: slice.to, counts, in_flight: slice.in_flight };
        let each = self.each.max(1);
        match self.points.last_mut() {
            Some(last) if self.in_last < each || slice.to.saturating_sub(slice.from) < SHORTEST => last.add(&point),
            _ => {
                self.points.push(point);
                self.in_last = 0;
            }
        }
        self.in_last += 1;
        if self.points.len() > MOST {
            // The last one goes on where it has no partner, or has one that was just begun: it is no point of one slice.
            self.in_last += if self.points.len().is_multiple_of(2) { each } else { 0 };
            self.points = halved(&self.points, |first, second| first.add(second));
            self.each = each * 2;
        }
    }

    pub(crate) fn scraped(&mut self, scraped: &Scraped) {
        let mut values = Vec::new();
        for scrape in &scraped.scrapes {
            if scrape.failed.is_some() {
                continue;
            }
            // Empty: as in the scrape before it.
            if !scrape.values.is_empty() {
                values.clone_from(&scrape.values);
            }
            for (series, value) in scraped.series.iter().zip(&values) {
                let Some(Sample(value)) = value.filter(|Sample(value)| value.is_finite()) else { continue };
                let name = format!("{} {}", scraped.service, series.selector);
                let readings = self.metrics.entry(name).or_default();
                readings.push((scrape.at, value));
                if readings.len() > 2 * MOST {
                    *readings = halved(readings, |first, second| *first = *second);
                }
            }
        }
    }
}

/// Pairs of neighbours put together.
fn halved<T: Clone>(all: &[T], add: impl Fn(&mut T, &T)) -> Vec<T> {
    let one = |pair: &[T]| {
        let mut first = pair[0].clone();
        pair[1..].iter().for_each(|second| add(&mut first, second));
        first
    };
    all.chunks(2).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(from_ms: u64, to_ms: u64, due: u64) -> Slice {
        let counts = Counts { due, good: due, ..Counts::default() };
        let [from, to] = [from_ms, to_ms].map(Duration::from_millis);
        Slice { from, to, counts, in_flight: due, ..Slice::default() }
    }

    #[test]
    fn a_day_has_as_many_points_as_a_page_and_loses_no_request() {
        let mut series = Series::default();
        (0..86_400).for_each(|second| series.slice(&slice(second * 1000, second * 1000 + 1000, 3)));
        assert!(series.points.len() <= MOST && series.points.len() > MOST / 3, "{}", series.points.len());
        assert_eq!(series.points.iter().map(|point| point.counts.due).sum::<u64>(), 3 * 86_400);
        assert!(series.points.windows(2).all(|pair| pair[0].to == pair[1].from), "without gaps");
        assert_eq!(series.points.last().unwrap().to, Duration::from_secs(86_400));
        assert!(series.points.iter().all(|point| point.in_flight == 3), "the most, and no sum");
        let mut lengths: Vec<u64> = series.points.iter().map(|point| (point.to - point.from).as_secs()).collect();
        lengths.pop();
        assert!(
            lengths.iter().all(|length| *length == lengths[0]),
            "what is short has a latency of its own: {lengths:?}"
        );
    }

    #[test]
    fn a_slice_that_an_edge_made_short_is_no_point_of_its_own() {
        let mut series = Series::default();
        for (from, to) in [(0, 1000), (1000, 1990), (1990, 2000), (2000, 3000)] {
            series.slice(&slice(from, to, 1));
        }
        let lengths: Vec<u128> = series.points.iter().map(|point| (point.to - point.from).as_millis()).collect();
        assert_eq!(lengths, [1000, 1000, 1000]);
    }
}
