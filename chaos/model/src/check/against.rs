//! Arrivals that speak against a comparison: how many there are of each instance, and a few of them to be shown.

use super::Example;
use crate::RequestId;
use std::{cmp::Reverse, collections::BTreeMap, sync::Arc, time::Duration};

/// The most that are shown of a comparison.
const SHOWN: usize = 3;
/// Instances of which some are kept to be shown. Of any number they are counted.
const INSTANCES: usize = 8;

/// Arrivals that speak against a comparison. It does not grow with their number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Against {
    /// By the instance that the response says it came of; none where it says nothing.
    of: BTreeMap<Option<Arc<str>>, OfInstance>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OfInstance {
    count: u64,
    /// The heaviest first; of those that weigh the same, the first to arrive.
    kept: Vec<(Duration, Example)>,
}

impl Against {
    /// Counts an arrival of this weight.
    pub fn add(
        &mut self,
        weight: Duration,
        arrival: RequestId,
        example: impl FnOnce() -> Example,
        instance: Option<Arc<str>>,
    ) {
        let here = self.of.entry(instance).or_default();
        here.count += 1;
        let lightest = here.kept.last().map(|(weight, last)| place(*weight, last.arrival.request()));
        if here.kept.len() < SHOWN || lightest > Some(place(weight, arrival)) {
            here.keep(weight, example());
            self.let_go();
        }
    }

    /// Keeps none of instances beyond the first by name, so that it doesn't matter which of them came first.
    fn let_go(&mut self) {
        self.of.values_mut().skip(INSTANCES).for_each(|of| of.kept.clear());
    }

    /// Adds those of other arrivals.
    pub fn merge(&mut self, other: &Self) {
        for (instance, theirs) in &other.of {
            let here = self.of.entry(instance.clone()).or_default();
            here.count += theirs.count;
            theirs.kept.iter().for_each(|(weight, example)| here.keep(*weight, example.clone()));
        }
        self.let_go();
    }

    /// The number of them by instance, of those that name one.
    pub fn instances(&self) -> impl Iterator<Item = (&str, u64)> {
        self.of.iter().filter_map(|(instance, of)| Some((instance.as_deref()?, of.count)))
    }

    /// Those to be shown, of as many instances as may be, and those of one instance together.
    #[must_use]
    pub fn shown(&self) -> Vec<&Example> {
        let all = self.of.values().enumerate().flat_map(|(instance, of)| {
            of.kept.iter().enumerate().map(move |(nth, (weight, example))| (nth, instance, *weight, example))
        });
        let mut all: Vec<_> = all.collect();
        // The first of each instance before any second one.
        all.sort_by_key(|(nth, _, weight, example)| (*nth, place(*weight, example.arrival.request())));
        all.truncate(SHOWN);
        all.sort_by_key(|(_, instance, weight, example)| (*instance, place(*weight, example.arrival.request())));
        all.into_iter().map(|(.., example)| example).collect()
    }
}

impl OfInstance {
    fn keep(&mut self, weight: Duration, example: Example) {
        let at = place(weight, example.arrival.request());
        let before = self.kept.partition_point(|(weight, other)| place(*weight, other.arrival.request()) < at);
        self.kept.insert(before, (weight, example));
        self.kept.truncate(SHOWN);
    }
}

fn place(weight: Duration, arrival: RequestId) -> (Reverse<Duration>, RequestId) {
    (Reverse(weight), arrival)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Arrival;

    fn example(n: u64) -> Example {
        let arrival = Arrival {
            n,
            step: 0,
            at: Duration::ZERO,
            result: Ok(503),
            latency: Duration::ZERO,
            good: false,
            partial: false,
            stale: false,
            age: None,
            passed: false,
        };
        Example { arrival, saw: None, instance: None, excerpt: None, uncaptured: None }
    }

    /// Adds arrivals: weight in milliseconds, number, instance.
    fn of(all: &[(u64, u64, &str)]) -> Against {
        let mut against = Against::default();
        for (weight, n, instance) in all {
            let instance = (!instance.is_empty()).then(|| Arc::from(*instance));
            against.add(Duration::from_millis(*weight), (*n).into(), || example(*n), instance);
        }
        against
    }

    fn shown(against: &Against) -> Vec<u64> {
        against.shown().iter().map(|example| example.arrival.n).collect()
    }

    #[test]
    fn the_heaviest_are_shown_and_else_the_first_in_whatever_order_they_end() {
        assert_eq!(shown(&of(&[(0, 9, ""), (0, 2, ""), (0, 7, ""), (0, 1, ""), (0, 8, "")])), [1, 2, 7]);
        assert_eq!(shown(&of(&[(5, 1, ""), (9, 2, ""), (7, 3, ""), (9, 0, ""), (1, 4, "")])), [0, 2, 3]);
    }

    #[test]
    fn as_many_instances_as_may_be_are_shown_each_together() {
        let against = of(&[(0, 1, "a"), (0, 2, "a"), (0, 3, "a"), (0, 4, "b")]);
        assert_eq!(shown(&against), [1, 2, 4]);
        assert_eq!(against.instances().collect::<Vec<_>>(), [("a", 3), ("b", 1)]);
        assert_eq!(shown(&of(&[(0, 1, "d"), (0, 2, "c"), (0, 3, "b"), (0, 4, "a")])), [3, 2, 1]);
    }

    #[test]
    fn those_of_parts_are_those_of_the_whole_and_their_number_is_bounded() {
        let all: Vec<(u64, u64, String)> = (0..3000).map(|n| (n * 7 % 5, n, (n % 40).to_string())).collect();
        let all: Vec<(u64, u64, &str)> = all.iter().map(|(weight, n, of)| (*weight, *n, of.as_str())).collect();
        let whole = of(&all);
        let mut parts = of(&all[..1000]);
        parts.merge(&of(&all[1000..]));
        assert_eq!(parts, whole);
        assert_eq!((whole.instances().count(), whole.instances().map(|(_, count)| count).sum::<u64>()), (40, 3000));
        assert_eq!(whole.of.values().map(|of| of.kept.len()).sum::<usize>(), SHOWN * INSTANCES);
    }
}
