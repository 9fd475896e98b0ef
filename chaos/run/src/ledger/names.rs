//! Names in messages: a value by which the load tells its requests apart stands in a message as a word.
//!
//! `GET gateway:profile:7` names the request for user 7, and neither that for 77 nor, by `v7`, one for version 7. A number
//! that stands there for something else (`/api/1/p`, an order's id, a year) names nobody, though some request has that value
//! too. Which it is shows in all messages of one form together: numbers that are names stand there when a request
//! with this value is under way, or was shortly before, and others only as often as chance has it.

mod numbers;
mod times;

use chaos_load::{Draw, Outcome};
use chaos_model::{Load, Text};
use numbers::Numbers;
use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use times::{Reading, Times};

/// Variables by which requests are told apart, with their values.
pub(super) struct Names {
    draw: Draw,
    /// By the load's request, the variables that it uses.
    variables: Vec<BTreeSet<String>>,
    /// By value, when requests with it were made; once that is asked for.
    times: OnceCell<BTreeMap<u64, Times>>,
}

/// A message that was met.
#[derive(Clone, Copy)]
pub(super) struct Met<'a> {
    pub(super) link: &'a str,
    pub(super) message: &'a str,
    /// Counted as the times of outcomes are: from the beginning of the warm-up.
    pub(super) at: Duration,
}

/// The place of a number: the link, the form of its messages, and which of the numbers there it is.
type Place<'a> = (&'a str, &'a str, usize);

/// Time before the first and after the last of some messages in which requests show how often a value is asked for.
const AROUND: Duration = Duration::from_secs(1);

impl Names {
    pub(super) fn new(load: &Load, seed: u64) -> Self {
        let variables =
            load.requests.iter().map(|request| request.texts().flat_map(Text::variables).map(str::to_owned).collect());
        Self { draw: Draw::new(load, seed), variables: variables.collect(), times: OnceCell::new() }
    }

    /// The numbers in each of these messages that name requests; `outcomes` are all of the run.
    pub(super) fn naming(&self, outcomes: &[Outcome], met: &[Option<Met<'_>>]) -> Vec<BTreeSet<u64>> {
        let read: Vec<_> = met.iter().map(|met| met.map(|met| (met, Numbers::of(met.message)))).collect();
        let mut places: BTreeMap<Place<'_>, Vec<(u64, Duration)>> = BTreeMap::new();
        for (met, Numbers { form, values }) in read.iter().flatten() {
            for (place, value) in values.iter().enumerate() {
                places.entry((met.link, form.as_str(), place)).or_default().push((*value, met.at));
            }
        }
        let places = places.into_iter().filter(|(_, numbers)| self.are_names(outcomes, numbers));
        let places: BTreeSet<_> = places.map(|(place, _)| place).collect();
        let naming = |(met, Numbers { form, values }): &(Met<'_>, Numbers)| -> BTreeSet<u64> {
            let values = values.iter().enumerate();
            let named = values.filter(|(place, _)| places.contains(&(met.link, form.as_str(), *place)));
            named.map(|(_, value)| *value).collect()
        };
        read.iter().map(|read| read.as_ref().map(naming).unwrap_or_default()).collect()
    }

    /// True where the numbers at one place of messages, each with when its message was met, name requests.
    fn are_names(&self, outcomes: &[Outcome], numbers: &[(u64, Duration)]) -> bool {
        let times = self.times(outcomes);
        let is_beyond = |reading, chance| {
            let agrees = |(value, at): &&(u64, Duration)| times.get(value).is_some_and(|times| times.has(reading, *at));
            is_beyond_chance(numbers.iter().filter(agrees).count(), numbers.len(), chance)
        };
        if numbers.len() < FEW {
            return is_beyond(Reading::UnderWay, by_time(times, numbers));
        }
        Reading::ALL.into_iter().any(|reading| is_beyond(reading, by_moments(times, numbers, reading)))
    }

    /// The number of these words that name this request.
    pub(super) fn count(&self, words: &BTreeSet<u64>, outcome: &Outcome) -> usize {
        // A request with the same value by two variables is named once more: the count only says which is named by most.
        self.values(outcome).filter(|value| words.contains(value)).count()
    }

    /// True if one of these words names a request that was made by then; `outcomes` are all of the run.
    pub(super) fn named_by(&self, outcomes: &[Outcome], words: &BTreeSet<u64>, at: Duration) -> bool {
        let times = self.times(outcomes);
        words.iter().any(|word| times.get(word).is_some_and(|times| times.begin_by(at)))
    }

    fn times(&self, outcomes: &[Outcome]) -> &BTreeMap<u64, Times> {
        self.times.get_or_init(|| {
            let mut spans: BTreeMap<u64, Vec<(Duration, Duration)>> = BTreeMap::new();
            for outcome in outcomes {
                let Some(started) = outcome.started else { continue };
                for value in self.values(outcome) {
                    spans.entry(value).or_default().push((started, outcome.ended.max(started)));
                }
            }
            spans.into_iter().map(|(value, spans)| (value, Times::new(spans))).collect()
        })
    }

    fn values(&self, outcome: &Outcome) -> impl Iterator<Item = u64> {
        let used = self.variables.get(outcome.request);
        let vars = self.draw.arrival(outcome.id(), outcome.intended).vars.into_iter();
        // Numbers alone: a text is no word that is looked for in messages.
        vars.filter(move |(name, _)| used.is_some_and(|used| used.contains(name)))
            .filter_map(|(_, value)| value.number())
    }
}

/// The number of messages from which on they show by themselves how often a number agrees by chance.
const FEW: usize = 8;

/// The most moments at which that is looked for.
const MOMENTS: usize = 64;

/// A thousandth of an agreement: chance is counted in these.
const WHOLE: usize = 1000;

/// The sum of the chances with which each of these numbers would agree, from how often it does at the moments of the others:
/// a number that all share agrees with them as often as with its own.
fn by_moments(times: &BTreeMap<u64, Times>, numbers: &[(u64, Duration)], reading: Reading) -> usize {
    let step = numbers.len().div_ceil(MOMENTS);
    let moments: Vec<Duration> = numbers.iter().step_by(step).map(|(_, at)| *at).collect();
    let mut there: BTreeMap<u64, usize> = BTreeMap::new();
    let chance = |(n, (value, at)): (usize, &(u64, Duration))| {
        let Some(times) = times.get(value) else { return 0 };
        let all = there.entry(*value).or_insert_with(|| moments.iter().filter(|at| times.has(reading, **at)).count());
        let is_one = n.is_multiple_of(step);
        let others = *all - usize::from(is_one && times.has(reading, *at));
        WHOLE * others / (moments.len() - usize::from(is_one)).max(1)
    };
    numbers.iter().enumerate().map(chance).sum()
}

/// The sum of the chances from how long requests with the value were under way around these moments.
fn by_time(times: &BTreeMap<u64, Times>, numbers: &[(u64, Duration)]) -> usize {
    let all = || numbers.iter().map(|(_, at)| *at);
    let (Some(first), Some(last)) = (all().min(), all().max()) else { return 0 };
    let (from, to) = (first.saturating_sub(AROUND), last + AROUND);
    let chance = |(value, _): &(u64, Duration)| {
        let there = times.get(value).map_or(Duration::ZERO, |times| times.under_way((from, to)));
        usize::try_from(there.as_nanos() * WHOLE as u128 / (to - from).as_nanos().max(1)).unwrap_or(WHOLE)
    };
    numbers.iter().map(chance).sum()
}

/// Eighths of chance, with how many numbers it takes that so much of it is ruled out: all would agree by chance less than
/// once in a hundred times. At a quarter, the few that there may be are believed.
const RULED_OUT: [(usize, usize); 4] = [(2, 1), (4, 7), (6, 17), (7, 35)];

/// True where so many of `all` agree that chance, the sum of which is told, explains less than half of it.
fn is_beyond_chance(agree: usize, all: usize, chance: usize) -> bool {
    // Cohen's kappa, of at least a half: (agree - chance) / (all - chance).
    let is_more = 2 * agree * WHOLE >= all * WHOLE + chance;
    let is_ruled_out = |(eighths, least): (usize, usize)| all >= least && 8 * chance <= all * WHOLE * eighths;
    is_more && RULED_OUT.into_iter().any(is_ruled_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chance_explains_is_no_agreement() {
        let beyond = |agree, all, percent| is_beyond_chance(agree, all, all * WHOLE * percent / 100);
        assert!(beyond(1, 1, 10), "one alone, which is rare");
        assert!(!beyond(1, 1, 30), "and not where it may well be chance");
        assert!(beyond(100, 100, 60) && beyond(60, 100, 1));
        assert!(!beyond(10, 100, 10) && !beyond(63, 100, 63) && !beyond(40, 100, 1));
        assert!(!beyond(100, 100, 100), "what is always there tells nothing");
        assert!(beyond(7, 7, 50) && !beyond(6, 6, 50));
        assert!(!beyond(0, 0, 0), "nothing");
    }
}
