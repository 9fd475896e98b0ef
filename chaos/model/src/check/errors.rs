//! `errors = "== 0%"`: the share of requests without any response.

use super::{Arrival, Evidence, Finding, Leaf, Need, Row, Shape, Subject, share, term};
use crate::{Comparison, Share};
use std::sync::Arc;

pub(super) const ROW: Row = Row {
    key: "errors",
    about: "The share of requests without a response: refused, reset, timed out. Those answered 5xx have one: \
            `status.5xx`.",
    shape: Shape::Whole("<= 1%"),
    example: "during = \"outage\"\nerrors = \"<= 1%\"",
    needs: &[Need::Samples],
    judged: "Of all requests that were due, those that the load could not make included.",
    others: &[
        term("Locust", "failures"),
        term("wrk", "socket errors"),
        term("Vegeta", "Error Set"),
        term("Gatling", "failedRequests"),
    ],
    from_the_end_on: false,
    read,
};

/// The share of requests without a response, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Errors(Comparison<Share>);

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    Some(Arc::new(Errors(leaf.share()?)))
}

impl Subject for Errors {
    fn words(&self) -> String {
        format!("errors {}", self.0)
    }

    fn has(&self, arrival: &Arrival) -> bool {
        arrival.result.is_err()
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        share::judge(evidence, &self.0)
    }
}
