//! `shed = "<= 5%"`: the share of requests that were turned away: those with status 429 or 503.

use super::{Arrival, Comparison, Evidence, Finding, Leaf, Need, Row, Shape, Share, Subject, term};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "shed",
    about: "The share of requests that were turned away: those with status 429 or 503.",
    shape: Shape::Whole("<= 5%"),
    example: "during = \"outage\"\nshed = \"<= 5%\"",
    needs: &[Need::Samples],
    judged: "Of all requests that were due.",
    others: &[term("Envoy", "upstream_rq_pending_overflow"), term("SRE", "load shedding")],
    from_the_end_on: false,
    condition: None,
    read,
};

/// The share of requests that were turned away, and its bound.
#[derive(Debug)]
struct Shed(Comparison<Share>);

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    Some(Arc::new(Shed(leaf.share()?)))
}

impl Subject for Shed {
    fn words(&self) -> String {
        format!("shed {}", self.0)
    }

    fn has(&self, arrival: &Arrival) -> bool {
        matches!(arrival.result, Ok(429 | 503))
    }

    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        self.0.against(self.has(arrival))
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        evidence.share(&self.0)
    }
}
