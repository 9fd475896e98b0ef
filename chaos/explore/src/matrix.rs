//! The matrix: what each effect came to on each link and service, by the worst of its cases.

use crate::{invariant::Kind, learn::Healthy, seen::Seen};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// The result of a fault. Ordered from what says nothing to what is worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing met the fault.
    NeverMet,
    /// Clients noticed nothing, though it was met.
    Unnoticed,
    /// Responses came later.
    Slower,
    /// Responses said that they were old.
    Stale,
    /// Responses said that they were partial.
    Partial,
    /// Requests failed.
    Failed,
    /// Responses were wrong, or lacked something and did not say so.
    Wrong,
    /// Responses were not as before a while after the end.
    NeverRecovered,
}

impl State {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::NeverMet,
        Self::Unnoticed,
        Self::Slower,
        Self::Stale,
        Self::Partial,
        Self::Failed,
        Self::Wrong,
        Self::NeverRecovered,
    ];

    pub(crate) fn of(seen: &Seen, met: bool, failed: &[Kind], healthy: &Healthy) -> Self {
        let run = &seen.run;
        if !met {
            Self::NeverMet
        } else if failed.contains(&Kind::Recovers) {
            Self::NeverRecovered
        } else if failed.iter().any(|kind| [Kind::Right, Kind::Complete, Kind::Denied].contains(kind)) {
            Self::Wrong
        } else if seen.bad() > healthy.bad || !seen.died.is_empty() {
            Self::Failed
        } else if run.partial.unwrap_or_default() > healthy.partial {
            Self::Partial
        } else if run.stale.unwrap_or_default() > healthy.stale {
            Self::Stale
        } else if seen.slowest() > healthy.slowest * 3 / 2 + Duration::from_millis(10) {
            Self::Slower
        } else {
            Self::Unnoticed
        }
    }

    /// The word of a cell.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NeverMet => "unmet",
            Self::Unnoticed => "unnoticed",
            Self::Slower => "slower",
            Self::Stale => "stale",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Wrong => "wrong",
            Self::NeverRecovered => "stuck",
        }
    }

    /// The meaning of its word, briefly.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::NeverMet => "nothing met it",
            Self::Unnoticed => "by clients",
            Self::Slower => "responses",
            Self::Stale | Self::Partial => "and said so",
            Self::Failed => "requests",
            Self::Wrong => "or lacking, and not said so",
            Self::NeverRecovered => "after the end",
        }
    }

    /// The weight by which faults are tried together: those that a system deals with first, then those that it doesn't notice.
    pub(crate) fn weight(self) -> u64 {
        match self {
            Self::NeverMet => 0,
            Self::Unnoticed => 1,
            Self::Slower | Self::Stale | Self::Partial => 3,
            Self::Failed | Self::Wrong | Self::NeverRecovered => 2,
        }
    }
}

/// The worst state of each effect on each link or service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// Links and services, in the order of columns.
    pub on: Vec<String>,
    /// Effects in the order in which people are told of them, each with its cells by link or service.
    pub effects: Vec<Row>,
}

/// A row of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The effect.
    pub effect: String,
    /// By link or service; those that it can't act on, or on which it was not tried, are not there.
    pub cells: BTreeMap<String, State>,
}

impl Matrix {
    /// Links and services that a cell can be of.
    pub(crate) fn new(on: Vec<String>, effects: impl Iterator<Item = &'static str>) -> Self {
        let row = |effect: &str| Row { effect: effect.to_owned(), cells: BTreeMap::new() };
        Self { on, effects: effects.map(row).collect() }
    }

    /// Takes one case's state in.
    pub(crate) fn add(&mut self, effect: &str, on: &str, state: State) {
        if let Some(row) = self.effects.iter_mut().find(|row| row.effect == effect) {
            let cell = row.cells.entry(on.to_owned()).or_insert(state);
            *cell = state.max(*cell);
        }
    }
}
