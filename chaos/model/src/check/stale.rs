//! `stale = "== 0%"`: the share of responses that say that they are old, or a part of them.

use super::{Arrival, Evidence, Finding, Leaf, Need, Row, Shape, Subject, share, term};
use crate::{Comparison, Share, responses::Marker};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "stale",
    about: "The share of responses that say that they are old, or a part of them, by `stale` of the system's `[responses]`.",
    shape: Shape::Whole("== 0%"),
    example: "during = \"outage\"\nstale = \"== 0%\"",
    needs: &[Need::Marker(Marker::Stale), Need::Samples],
    judged: "Of all requests that were due. Where no request had a response, or no response of the run has anything where the \
             marker looks for a value in bodies, it can't be said.",
    others: &[term("HTTP", "stale-if-error"), term("Varnish", "grace"), term("nginx", "proxy_cache_use_stale")],
    from_the_end_on: false,
    condition: None,
    read,
};

/// The share of responses with a stale part, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Stale(Comparison<Share>);

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    Some(Arc::new(Stale(leaf.share()?)))
}

impl Subject for Stale {
    fn words(&self) -> String {
        format!("stale {}", self.0)
    }

    fn marker(&self) -> Option<Marker> {
        Some(Marker::Stale)
    }

    fn has(&self, arrival: &Arrival) -> bool {
        arrival.stale
    }

    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        self.0.against(self.has(arrival))
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        share::judge_responses(evidence, &self.0)
    }
}
