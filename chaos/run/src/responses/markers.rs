//! Markers of a response: good, partial, stale, and its age, by what the system declares.

use super::look::{Place, Places, Seen, holds, number};
use chaos_model::{
    Responses, ValueTest,
    responses::{Age, Condition, Field},
};
use std::{collections::BTreeMap, time::Duration};

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
}

impl Markers {
    /// The markers of these responses, whose places are added to `places`.
    pub(super) fn new(responses: &Responses, places: &mut Places) -> Self {
        let mut looked = |conditions: &[Condition]| {
            let look = |Condition { field, test }: &Condition| {
                Some(Looked { place: place(field, test, places)?, test: test.clone() })
            };
            conditions.iter().filter_map(look).collect()
        };
        let (good, partial, stale) = (looked(&responses.good), looked(&responses.partial), looked(&responses.stale));
        let number = ValueTest::Missing;
        let age = |Age { field, unit }: &Age| Some((place(field, &number, places)?, *unit));
        let ages = responses.age.iter().filter_map(age).collect();
        Self { good, partial, stale, ages }
    }

    pub(super) fn is_good(&self, seen: &Seen<'_>) -> bool {
        self.good.iter().any(|looked| looked.holds(seen))
    }

    pub(super) fn is_partial(&self, seen: &Seen<'_>) -> bool {
        self.partial.iter().any(|looked| looked.holds_of_some(seen))
    }

    pub(super) fn is_stale(&self, seen: &Seen<'_>) -> bool {
        self.stale.iter().any(|looked| looked.holds_of_some(seen))
    }

    /// The largest of the ages that a response says. What is no number, or below zero, says nothing.
    pub(super) fn age(&self, seen: &Seen<'_>) -> Option<Duration> {
        let of = |(place, unit): &(Place, Duration)| {
            let mut own = Vec::new();
            let oldest = seen.at(place, &mut own).into_iter().filter_map(number).max_by(f64::total_cmp)?;
            Duration::try_from_secs_f64(oldest * unit.as_secs_f64()).ok()
        };
        self.ages.iter().filter_map(of).max()
    }
}

fn place(field: &Field, test: &ValueTest, places: &mut Places) -> Option<Place> {
    match field {
        Field::Status => Some(Place::Status),
        Field::Header(name) => Some(Place::Header(name.clone())),
        Field::Body(path) => places.body(path, test),
    }
}

impl Looked {
    fn holds(&self, seen: &Seen<'_>) -> bool {
        // A system's file knows no variables of a load.
        holds(&self.test, &seen.at(&self.place, &mut Vec::new()), &BTreeMap::new())
    }

    /// The same, but that of a header field with several lines one is enough: each cache on the way adds its own, and
    /// one that says stale is not outvoted by another that says fresh.
    fn holds_of_some(&self, seen: &Seen<'_>) -> bool {
        let mut own = Vec::new();
        let values = seen.at(&self.place, &mut own);
        match (&self.place, values.len()) {
            (Place::Header(_), 2..) => values.iter().any(|value| holds(&self.test, &[value], &BTreeMap::new())),
            _ => holds(&self.test, &values, &BTreeMap::new()),
        }
    }
}
