//! `availability = ">= 99.9%"`: the share of requests that got a good response.

use super::{Arrival, Evidence, Finding, Leaf, Need, Row, Shape, Subject, share, term};
use crate::{Comparison, Share};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "availability",
    about: "The share of requests that got a good response: one below 500, unless the system's `[responses]` says \
            otherwise. Reports call it available.",
    shape: Shape::Whole(">= 99.9%"),
    example: "during = \"outage\"\navailability = \">= 99%\"",
    needs: &[Need::Samples],
    judged: "Of all requests that were due: those without a response are not available, nor are those that the load \
             could not make.",
    others: &[
        term("SRE", "SLO"),
        term("SRE", "success rate"),
        term("Gatling", "successfulRequests"),
        term("Vegeta", "Success"),
    ],
    from_the_end_on: false,
    condition: None,
    read,
};

/// The share of good responses, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Availability(Comparison<Share>);

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    Some(Arc::new(Availability(leaf.share()?)))
}

impl Subject for Availability {
    fn words(&self) -> String {
        format!("availability {}", self.0)
    }

    fn has(&self, arrival: &Arrival) -> bool {
        arrival.good
    }

    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        self.0.against(self.has(arrival))
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        share::judge(evidence, &self.0)
    }
}
