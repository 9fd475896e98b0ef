//! `age.max = "< 330s"`: how old the oldest response was, by what responses say of their age.

use super::{Arrival, Evidence, Finding, Leaf, Need, Row, Shape, Subject, evidence::at, share, term};
use crate::{Comparison, quantity::show_duration, responses::Marker};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "age",
    about: "The age of responses, by `age` of the system's `[responses]`: `age.max`.",
    shape: Shape::Named(&[("max", "< 330s")]),
    example: "during = \"outage\"\nage.max = \"< 330s\"",
    needs: &[Need::Marker(Marker::Age)],
    judged: "The oldest response counts. Where no response says how old it is, it can't be said.",
    others: &[term("HTTP", "Age"), term("HTTP", "max-age"), term("databases", "replication lag")],
    from_the_end_on: true,
    condition: None,
    read,
};

/// The age of the oldest response, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Age(Comparison<Duration>);

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    leaf.only_name("max")?;
    Some(Arc::new(Age(leaf.time()?)))
}

impl Subject for Age {
    fn words(&self) -> String {
        format!("age.max {}", self.0.map(show_duration))
    }

    /// An age, whatever it is: so it is seen where it can't be said whether a response has one.
    fn has(&self, arrival: &Arrival) -> bool {
        arrival.age.is_some()
    }

    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        arrival.age.filter(|age| !self.0.holds(age))
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        let Some((oldest, age)) = evidence.oldest.and_then(|oldest| Some((oldest, oldest.age?))) else {
            return Finding::inconclusive("no age", "no response says how old it is");
        };
        // Those of which it can't be said may be older, and older than any that is known.
        if evidence.marked.unknown > 0 && self.0.holds(&age) != self.0.holds(&Duration::MAX) {
            return Finding::inconclusive(format!("at least {}", show_duration(age)), share::unknown(evidence));
        }
        Finding::by(&self.0, &age, show_duration(age))
            .whatever_the_load()
            .explained(|| Some(format!("the oldest response, to request {} {}", oldest.request(), at(oldest.at))))
    }
}
