//! Markers of a response: good, partial, stale, and its age, by what the system declares.

use super::{
    found::{Found, holds},
    look::{Place, Places, Seen},
};
use chaos_model::{
    Responses, ValueTest,
    responses::{Age, Condition, Field, Marker},
};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// The declared markers, ready to be looked for.
#[derive(Debug)]
pub(super) struct Markers {
    good: Vec<Looked>,
    partial: Vec<Looked>,
    stale: Vec<Looked>,
    /// Places, and the time that a 1 there stands for.
    ages: Vec<(Place, Duration)>,
}

#[derive(Debug)]
struct Looked {
    place: Place,
    test: ValueTest,
    /// The place in words.
    words: String,
    /// A response had something there.
    seen: AtomicBool,
    /// Every response is taken to have something there. Not so where being there says it, nor in headers, which many services
    /// send only when there is something to say.
    always: bool,
}

/// Markers that no response of a run had anything of.
#[derive(Debug, Default)]
pub(crate) struct Unseen(pub(crate) BTreeMap<Marker, UnseenPlaces>);

/// The places of a marker, at which no response had anything.
#[derive(Debug)]
pub(crate) struct UnseenPlaces {
    /// The places in words.
    pub(crate) words: String,
    /// True where a value in bodies says it, so that something was to be there; false where it may well be in none.
    pub(crate) always: bool,
}

impl Markers {
    /// The markers of these responses, whose places are added to `places`.
    pub(super) fn new(responses: &Responses, places: &mut Places) -> Self {
        let mut looked = |conditions: &[Condition]| {
            let look = |Condition { field, test }: &Condition| {
                let (place, seen) = (place(field, test, places)?, AtomicBool::new(false));
                let by_value = !matches!(test, ValueTest::Exists | ValueTest::Missing);
                let always = by_value && matches!(field, Field::Body(_));
                Some(Looked { place, test: test.clone(), words: words(field), seen, always })
            };
            conditions.iter().filter_map(look).collect()
        };
        let (good, partial, stale) = (looked(&responses.good), looked(&responses.partial), looked(&responses.stale));
        let number = ValueTest::Missing;
        let age = |Age { field, unit }: &Age| Some((place(field, &number, places)?, *unit));
        let ages = responses.age.iter().filter_map(age).collect();
        Self { good, partial, stale, ages }
    }

    /// Takes note of the places at which a response has something.
    pub(super) fn note(&self, seen: &Seen<'_>) {
        let all = self.partial.iter().chain(&self.stale);
        for looked in all.filter(|looked| !looked.seen.load(Ordering::Relaxed)) {
            looked.seen.store(!seen.at(&looked.place).is_empty(), Ordering::Relaxed);
        }
    }

    /// Markers that no response had anything of so far.
    pub(super) fn unseen(&self) -> Unseen {
        let all = [(Marker::Partial, &self.partial), (Marker::Stale, &self.stale)];
        let unseen = all.into_iter().filter(|(_, looked)| !looked.iter().any(|one| one.seen.load(Ordering::Relaxed)));
        let places = |looked: &[Looked]| UnseenPlaces {
            words: looked.iter().map(|one| one.words.as_str()).collect::<Vec<_>>().join(" or "),
            always: looked.iter().any(|one| one.always),
        };
        Unseen(
            unseen.filter(|(_, looked)| !looked.is_empty()).map(|(marker, looked)| (marker, places(looked))).collect(),
        )
    }

    /// None where it can't be said.
    pub(super) fn is_good(&self, seen: &Seen<'_>) -> Option<bool> {
        any(&self.good, seen, Looked::holds)
    }

    /// None where it can't be said.
    pub(super) fn is_partial(&self, seen: &Seen<'_>) -> Option<bool> {
        any(&self.partial, seen, Looked::holds_of_some)
    }

    /// None where it can't be said.
    pub(super) fn is_stale(&self, seen: &Seen<'_>) -> Option<bool> {
        any(&self.stale, seen, Looked::holds_of_some)
    }

    /// The largest of the ages that a response says. What is no number, or below zero, says nothing.
    pub(super) fn age(&self, seen: &Seen<'_>) -> Option<Duration> {
        let of = |(place, unit): &(Place, Duration)| {
            let oldest = seen.at(place).iter().filter_map(Found::number).max_by(f64::total_cmp)?;
            Duration::try_from_secs_f64(oldest * unit.as_secs_f64()).ok()
        };
        self.ages.iter().filter_map(of).max()
    }

    /// True if it can't be said how old a response is.
    pub(super) fn is_age_unknown(&self, seen: &Seen<'_>) -> bool {
        self.ages.iter().any(|(place, _)| seen.unknown(place).is_some())
    }
}

fn place(field: &Field, test: &ValueTest, places: &mut Places) -> Option<Place> {
    match field {
        Field::Status => Some(Place::Status),
        Field::Header(name) => Some(Place::Header(name.clone())),
        Field::Body(path) => places.body(path, test),
    }
}

fn words(field: &Field) -> String {
    match field {
        Field::Status => "a status".to_owned(),
        Field::Header(name) => format!("the header `{name}`"),
        Field::Body(path) => format!("`{path}`"),
    }
}

/// True if any holds; none where none that is known to hold, and it can't be said of all.
fn any(all: &[Looked], seen: &Seen<'_>, holds: impl Fn(&Looked, &Seen<'_>) -> bool) -> Option<bool> {
    let known = |looked: &&Looked| seen.unknown(&looked.place).is_none();
    match all.iter().filter(known).any(|looked| holds(looked, seen)) {
        false if !all.iter().all(|looked| known(&looked)) => None,
        is => Some(is),
    }
}

impl Looked {
    fn holds(&self, seen: &Seen<'_>) -> bool {
        // A system's file knows no variables of a load.
        holds(&self.test, &seen.at(&self.place), &BTreeMap::new())
    }

    /// The same, but that of a header field with several lines one is enough: each cache on the way adds its own, and
    /// one that says stale is not outvoted by another that says fresh.
    fn holds_of_some(&self, seen: &Seen<'_>) -> bool {
        let values = seen.at(&self.place);
        match (&self.place, values.as_slice()) {
            (Place::Header(_), [_, _, ..]) => values.chunks(1).any(|value| holds(&self.test, value, &BTreeMap::new())),
            _ => holds(&self.test, &values, &BTreeMap::new()),
        }
    }
}
