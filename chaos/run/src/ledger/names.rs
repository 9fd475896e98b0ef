//! Names in messages: a value by which the load tells its requests apart stands in a message as a word.
//!
//! `GET gateway:profile:7` names the request for user 7, and neither that for 77 nor, by `v7`, one for version 7.

use chaos_load::{Draw, Outcome};
use chaos_model::{Load, Text};
use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Variables by which requests are told apart, with their values.
pub(super) struct Names {
    draw: Draw,
    /// By the load's request, the variables that it uses.
    variables: Vec<BTreeSet<String>>,
    /// By value, when the first request with it was due; once that is asked for.
    first: OnceCell<BTreeMap<u64, Duration>>,
}

impl Names {
    pub(super) fn new(load: &Load, seed: u64) -> Self {
        let variables = load.requests.iter().map(|request| {
            let texts = [&request.path].into_iter().chain(request.headers.values()).chain(&request.body);
            texts.flat_map(Text::variables).map(str::to_owned).collect()
        });
        Self { draw: Draw::new(load, seed), variables: variables.collect(), first: OnceCell::new() }
    }

    /// True if one of these words names this request.
    pub(super) fn names(&self, words: &BTreeSet<u64>, outcome: &Outcome) -> bool {
        self.values(outcome).any(|value| words.contains(&value))
    }

    /// True if one of these words names a request that was due by then; `outcomes` are all of the run.
    pub(super) fn named_by(&self, outcomes: &[Outcome], words: &BTreeSet<u64>, at: Duration) -> bool {
        let first = self.first.get_or_init(|| {
            let mut first = BTreeMap::new();
            for outcome in outcomes {
                for value in self.values(outcome) {
                    first.entry(value).or_insert(outcome.intended);
                }
            }
            first
        });
        words.iter().any(|word| first.get(word).is_some_and(|due| *due <= at))
    }

    fn values(&self, outcome: &Outcome) -> impl Iterator<Item = u64> {
        let used = self.variables.get(outcome.request);
        let vars = self.draw.arrival(outcome.n, outcome.intended).vars.into_iter();
        vars.filter(move |(name, _)| used.is_some_and(|used| used.contains(name))).map(|(_, value)| value)
    }
}

/// The numbers that stand in a message as words of their own.
pub(super) fn words(message: &str) -> BTreeSet<u64> {
    message.split(|c: char| !c.is_alphanumeric()).filter_map(number).collect()
}

/// A number as the load writes it: digits alone, and no zero before others.
fn number(word: &str) -> Option<u64> {
    let plain = word.bytes().all(|byte| byte.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
    word.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_number_that_stands_alone() {
        let of = |message| words(message).into_iter().collect::<Vec<_>>();
        assert_eq!(of("GET gateway:profile:7"), [7]);
        assert_eq!(of("GET /users/70?page=2&x=0"), [0, 2, 70]);
        assert_eq!(of("GET v7:profile:user77a:007:+8"), [8]);
        assert_eq!(of("HELLO"), [0; 0]);
        assert_eq!(of("GET 99999999999999999999"), [0; 0], "more than a variable can be");
    }
}
