//! Selections of requests: all of the load's, and those that some expectations judge alone (`of`).

use chaos_model::{Scenario, SomeRequests};

/// The selection of all requests.
pub(crate) const ALL: usize = 0;

/// Selections of requests, by their number. That of all is the first.
#[derive(Clone, Debug)]
pub(crate) struct Selections {
    /// By selection but for the first: the places of its requests.
    some: Vec<Vec<usize>>,
}

impl Selections {
    /// The selections that a scenario's expectations ask for.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let mut some = Vec::new();
        for of in scenario.expectations.iter().filter_map(|expectation| expectation.of.as_ref()) {
            if !some.contains(&of.places) {
                some.push(of.places.clone());
            }
        }
        Self { some }
    }

    /// The number of selections.
    pub(crate) fn count(&self) -> usize {
        1 + self.some.len()
    }

    /// The selection of the requests that an expectation judges.
    pub(crate) fn of(&self, of: Option<&SomeRequests>) -> usize {
        let nth = |of: &SomeRequests| self.some.iter().position(|places| *places == of.places);
        of.and_then(nth).map_or(ALL, |nth| nth + 1)
    }

    /// True if a selection has a request, by its place.
    pub(crate) fn has(&self, selection: usize, request: usize) -> bool {
        let some = selection.checked_sub(1).and_then(|nth| self.some.get(nth));
        some.is_none_or(|places| places.contains(&request))
    }

    /// The selections that have a request.
    pub(crate) fn having(&self, request: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.count()).filter(move |selection| self.has(*selection, request))
    }
}
