//! `unanswered.any = "== 0%"`, `unanswered.timeout = "<= 1%"`: the share of requests without any response, by reason.

use super::{Arrival, Evidence, Finding, Leaf, Need, Row, Shape, Subject, share, term};
use crate::{
    Comparison, Share,
    language::{findings::Wrong, nearest::advise},
};
use std::{sync::Arc, time::Duration};

/// The name for all reasons together.
const ANY: &str = "any";

/// The reasons why a request has no response, as figures and recordings count them, each with its meaning.
pub const REASONS: [(&str, &str); 10] = [
    ("connect_refused", "nobody listened"),
    ("connect_timeout", "the connection was not there within the client's timeout"),
    ("connect_failed", "the connection could not be made: an unknown name, no route"),
    ("reset", "the connection was reset"),
    ("closed", "the connection was closed before the response was complete"),
    ("timeout", "the response was not complete within the client's timeout"),
    ("bad_response", "what came was no valid HTTP"),
    ("stopped", "the load was stopped before the response was complete"),
    ("not_made", "the load could not make the request"),
    ("invalid_request", "the request can't be sent as HTTP"),
];

pub(super) const ROW: Row = Row {
    key: "unanswered",
    about: "The share of requests without any response, for whatever reason (`any`) or for one: `connect_refused`, \
            `connect_timeout`, `connect_failed`, `reset`, `closed`, `timeout`, `bad_response`, `stopped`, \
            `not_made`, `invalid_request`. A 503 is a response: see `availability` and `status`.",
    shape: Shape::Named(&[("any", "== 0%"), ("timeout", "<= 1%"), ("reset", "== 0%")]),
    example: "during = \"outage\"\nunanswered.any = \"<= 1%\"",
    needs: &[Need::Samples],
    judged: "Of all requests that were due, those that the load could not make included.",
    others: &[
        term("Locust", "failures"),
        term("wrk", "socket errors"),
        term("Vegeta", "Error Set"),
        term("Gatling", "failedRequests"),
    ],
    from_the_end_on: false,
    condition: None,
    read,
};

/// The share of requests without a response, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Unanswered {
    /// None for any reason.
    reason: Option<&'static str>,
    share: Comparison<Share>,
}

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let reason = leaf.name_as(reason);
    let share = leaf.share();
    Some(Arc::new(Unanswered { reason: reason?, share: share? }))
}

fn reason(name: &str) -> Result<Option<&'static str>, Wrong> {
    let all = || REASONS.iter().map(|(reason, _)| *reason);
    match all().find(|reason| *reason == name) {
        None if name == ANY => Ok(None),
        None => {
            let names = [ANY].into_iter().chain(all()).collect::<Vec<_>>();
            let wrong = Wrong::new(format!("there is no `unanswered.{name}`"));
            Err(wrong.advice(advise(&name.replace('-', "_"), names, "it is one of")))
        }
        reason => Ok(reason),
    }
}

impl Subject for Unanswered {
    fn words(&self) -> String {
        format!("unanswered.{} {}", self.reason.unwrap_or(ANY), self.share)
    }

    fn has(&self, arrival: &Arrival) -> bool {
        arrival.result.is_err_and(|why| self.reason.is_none_or(|reason| reason == why))
    }

    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        self.share.against(self.has(arrival))
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        share::judge(evidence, &self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meaning_names_every_reason() {
        for (reason, _) in REASONS {
            assert!(ROW.about.contains(&format!("`{reason}`")), "{reason}");
        }
    }
}
