//! `amplification.'CALLS / FIRST' = "<= 1.2"`: how many calls were made for each that had to be. Retries make it
//! more than 1; that much more load a service gets just when it is in trouble.

use super::{
    Evidence, Finding, Leaf, Misplaced, Need, Place, Row, Shape, Subject,
    reading::{Asked, increase},
    term,
};
use crate::{
    Comparison, Selector,
    language::{findings::Wrong, selector},
};
use std::sync::Arc;

pub(super) const ROW: Row = Row {
    key: "amplification",
    about: "Calls over first attempts: `amplification.'calls_total / first_total'`.",
    shape: Shape::Named(&[]),
    example: "during = \"outage\"\namplification.'calls_total / first_attempts_total' = \"<= 1.2\"",
    needs: &[Need::Scrapes],
    judged: "The increase of one counter of a service over that of another, both of its own: only the service \
             knows which of its calls are retries. Where nothing was called, it can't be said.",
    others: &[
        term("SRE", "retry amplification"),
        term("Envoy", "upstream_rq_retry"),
        term("Linkerd", "retryBudget"),
        term("Istio", "retries"),
    ],
    from_the_end_on: true,
    condition: None,
    read,
};

/// Two counters of a service, and the bound of their ratio.
#[derive(Clone, Debug, PartialEq)]
struct Amplification {
    asked: Asked,
    /// Counts all calls.
    calls: Selector,
    /// Counts those that were no retries.
    first: Selector,
    bound: Comparison<f64>,
}

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let (calls, first) = leaf.name_as(ratio)?;
    let bound = leaf.amplification()?;
    Some(Arc::new(Amplification { asked: leaf.asked(), calls, first, bound }))
}

fn ratio(key: &str) -> Result<(Selector, Selector), Wrong> {
    let form = "write it as `amplification.'calls_total / first_attempts_total'`";
    let Some((calls, first)) = key.split_once(" / ") else {
        return Err(Wrong::new("an amplification is all calls over first attempts").advice(form));
    };
    let (calls, first) = (selector::read(calls.trim())?, selector::read(first.trim())?);
    if calls == first {
        return Err(Wrong::new("this divides a counter by itself").advice(form));
    }
    Ok((calls, first))
}

impl Subject for Amplification {
    fn words(&self) -> String {
        format!("amplification.{} / {} {}", self.calls, self.first, self.bound)
    }

    fn scrapes(&self) -> Option<(&str, Vec<&Selector>)> {
        Some((&self.asked.service, vec![&self.calls, &self.first]))
    }

    fn misplaced(&self, place: &Place<'_>) -> Option<Misplaced> {
        place.counted_across()
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        // From the service's own counters: a proxy on a link of bytes sees no requests.
        let counted = |nth, selector| {
            evidence.readings.counter(nth, selector, &self.asked)?;
            increase(evidence.readings.of(nth), evidence.from, evidence.to, &self.asked)
        };
        match (counted(0, &self.calls), counted(1, &self.first)) {
            (Err(unknown), _) | (_, Err(unknown)) => unknown,
            (Ok(calls), Ok(0.0)) => Finding::inconclusive(
                format!("{calls} calls, no first attempt"),
                "nothing was called, so nothing could be amplified",
            ),
            (Ok(calls), Ok(first)) => {
                let ratio = calls / first;
                Finding::by(&self.bound, &ratio, format!("{ratio:.2} ({calls} calls for {first})"))
            }
        }
    }
}
