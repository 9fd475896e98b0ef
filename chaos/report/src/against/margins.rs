//! Margins of expectations: of a run, and of the earlier ones in the order of time.

use chaos_model::{Margin, event::Judged};
use std::collections::BTreeMap;

/// The most earlier margins that are kept of a comparison: the latest.
const MOST: usize = 100;

/// The place of a comparison in its scenario: what is asked of what. One with another bound is another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The expectation's name.
    pub that: String,
    /// The time in which it had to hold.
    pub when: String,
    /// The comparison as written: `latency.p99 < 50ms`.
    pub expected: String,
}

/// The margin of a comparison, and those of earlier runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarginHistory {
    /// The comparison.
    pub place: Place,
    /// Its margin now.
    pub now: Margin,
    /// Its margins in earlier runs, each with the time of that run's beginning in milliseconds since the Unix epoch, in the
    /// order of time.
    pub earlier: Vec<(u64, Margin)>,
}

/// Margins of the comparisons of an expectation, of those that have one.
pub(super) fn of(judged: &Judged) -> impl Iterator<Item = (Place, Margin)> {
    judged.checks.iter().filter_map(|check| {
        let place = Place { that: judged.that.clone(), when: judged.when.clone(), expected: check.expected.clone() };
        Some((place, check.margin?))
    })
}

/// Margins of earlier runs of one scenario.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    of: BTreeMap<Place, Vec<(u64, Margin)>>,
    /// The number of these runs.
    pub(super) runs: usize,
}

impl Past {
    /// Adds a run that began then.
    pub(super) fn add(&mut self, unix_ms: u64, margins: &[(Place, Margin)]) {
        self.runs += 1;
        for (place, margin) in margins {
            let all = self.of.entry(place.clone()).or_default();
            // Of simulations that say the same time, the one that was read last is the later one.
            let at = all.partition_point(|(earlier, _)| *earlier <= unix_ms);
            all.insert(at, (unix_ms, *margin));
            if all.len() > MOST {
                all.remove(0);
            }
        }
    }

    /// The margins of a run, each with those of the runs before.
    pub(super) fn before(&self, margins: &[(Place, Margin)]) -> Vec<MarginHistory> {
        let one = |(place, now): &(Place, Margin)| MarginHistory {
            place: place.clone(),
            now: *now,
            earlier: self.of.get(place).cloned().unwrap_or_default(),
        };
        margins.iter().map(one).collect()
    }
}

impl MarginHistory {
    /// The earlier ones in words: `was 21%`, `of 5 earlier runs 20% to 26%, in the middle 23%, last 25%`; none where there are
    /// none.
    #[must_use]
    pub fn earlier_in_words(&self) -> Option<String> {
        let (_, last) = self.earlier.last()?;
        if self.earlier.len() == 1 {
            return Some(format!("was {}", last.percent()));
        }
        let mut sorted: Vec<Margin> = self.earlier.iter().map(|(_, margin)| *margin).collect();
        sorted.sort_unstable();
        let [least, middle, most] = [0, (sorted.len() - 1) / 2, sorted.len() - 1].map(|at| sorted[at].percent());
        let runs = sorted.len();
        if least == most {
            return Some(format!("{most} in each of {runs} earlier runs"));
        }
        Some(format!("of {runs} earlier runs {least} to {most}, in the middle {middle}, last {}", last.percent()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::Room;

    #[test]
    fn earlier_margins_are_in_the_order_of_time_and_as_many_as_may_be() {
        let place =
            |expected: &str| Place { that: "fast".to_owned(), when: "run".to_owned(), expected: expected.to_owned() };
        let margin = |used_permille| Margin { used_permille, room: Room::Bound };
        let run = |used| vec![(place("latency.p99 < 50ms"), margin(used))];
        let mut past = Past::default();
        for (unix_ms, used) in [(30, 260), (10, 200), (20, 230), (30, 250)] {
            past.add(unix_ms, &run(used));
        }
        let history = &past.before(&run(240))[0];
        assert_eq!(history.earlier.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [10, 20, 30, 30]);
        let words = "of 4 earlier runs 20% to 26%, in the middle 23%, last 25%";
        assert_eq!(history.earlier_in_words().as_deref(), Some(words));
        let same: Vec<_> = history.earlier.iter().map(|(at, _)| (*at, margin(250))).collect();
        let same = MarginHistory { earlier: same, ..history.clone() };
        assert_eq!(same.earlier_in_words().as_deref(), Some("25% in each of 4 earlier runs"));
        let other = past.before(&[(place("latency.p99 < 60ms"), margin(200))]);
        assert_eq!(other[0].earlier_in_words(), None, "another bound is another history");
        (0..200).for_each(|n| past.add(100 + n, &run(100)));
        assert_eq!(past.before(&run(240))[0].earlier.len(), MOST);
        assert_eq!(past.before(&run(240))[0].earlier[0].0, 200, "the latest");
    }
}
