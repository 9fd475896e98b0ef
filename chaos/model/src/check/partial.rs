//! `partial = "== 0%"`: the share of responses that say that they lack a part.

use super::{Arrival, Evidence, Finding, Leaf, Need, Row, Shape, Subject, share, term};
use crate::{Comparison, Share, responses::Marker};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "partial",
    about: "The share of responses that say that they lack a part, by `partial` of the system's `[responses]`.",
    shape: Shape::Whole("== 0%"),
    example: "during = \"outage\"\npartial = \"== 0%\"",
    needs: &[Need::Marker(Marker::Partial), Need::Samples],
    judged: "Of all requests that were due. Where no request had a response, or no response of the run has anything where the \
             marker looks for a value in bodies, it can't be said.",
    others: &[term("GraphQL", "errors beside data"), term("HTTP", "206 of a degraded response")],
    from_the_end_on: false,
    condition: None,
    read,
};

/// The share of partial responses, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Partial(Comparison<Share>);

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    Some(Arc::new(Partial(leaf.share()?)))
}

impl Subject for Partial {
    fn words(&self) -> String {
        format!("partial {}", self.0)
    }

    fn marker(&self) -> Option<Marker> {
        Some(Marker::Partial)
    }

    fn has(&self, arrival: &Arrival) -> bool {
        arrival.partial
    }

    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        self.0.against(self.has(arrival))
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        share::judge_responses(evidence, &self.0)
    }
}
