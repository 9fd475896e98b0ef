//! `unmarked."$.orders" = "== 0%"`: the share of successes that lack what stands at a path, and don't say that they are partial.

use super::{Arrival, Evidence, Finding, Leaf, Need, Part, ResponseTest, Row, Shape, Subject, json_path, share, term};
use crate::{Comparison, Share, ValueTest};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "unmarked",
    about: "The share of successes (2xx) that lack what stands at a JSONPath and don't say that they are partial: \
            `unmarked.\"$.orders\" = \"== 0%\"`.",
    shape: Shape::Named(&[]),
    example: "during = \"outage\"\nunmarked.\"$.orders\" = \"== 0%\"",
    needs: &[Need::Responses, Need::Samples],
    judged: "Of all requests that were due. A response that has no value at the path, or `null`, lacks it; it says so by `partial` \
             of the system's `[responses]`, and where that declares none, no response can. Failed ones have said so by their \
             status. Where no request had a response, it can't be said.",
    others: &[term("GraphQL", "non-null field"), term("JSON Schema", "required")],
    from_the_end_on: false,
    condition: None,
    read,
};

/// The share of successes without a value at a path and without the mark of a partial response, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Unmarked {
    /// The path as written, a valid RFC 9535 query.
    path: String,
    share: Comparison<Share>,
}

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let (path, share) = leaf.name_as(json_path).zip(leaf.share())?;
    Some(Arc::new(Unmarked { path, share }))
}

impl Subject for Unmarked {
    fn words(&self) -> String {
        format!("unmarked.\"{}\" {}", self.path, self.share)
    }

    fn test(&self) -> Option<ResponseTest<'_>> {
        Some(ResponseTest { part: Part::Body(&self.path), test: &ValueTest::Exists, wanted: true })
    }

    fn has(&self, arrival: &Arrival) -> bool {
        matches!(arrival.result, Ok(200..=299)) && !arrival.passed && !arrival.partial
    }

    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        self.share.against(self.has(arrival))
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        share::judge_responses(evidence, &self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_that_lacks_a_part_has_to_say_so() {
        let none = Comparison::Equal(Share { parts: 0, whole: 100 });
        let subject = Unmarked { path: "$.orders".to_owned(), share: none };
        let whole = Arrival {
            step: 0,
            n: 0,
            at: Duration::ZERO,
            result: Ok(200),
            latency: Duration::ZERO,
            good: true,
            partial: false,
            stale: false,
            age: None,
            passed: true,
        };
        let lacking = Arrival { passed: false, ..whole };
        assert!(!subject.has(&whole));
        assert!(subject.has(&lacking) && subject.against(&lacking).is_some());
        assert!(!subject.has(&Arrival { partial: true, ..lacking }), "it says so");
        assert!(!subject.has(&Arrival { result: Ok(503), ..lacking }), "and so does its status");
        assert!(!subject.has(&Arrival { result: Err("timeout"), ..lacking }));
        assert_eq!(subject.words(), "unmarked.\"$.orders\" == 0%");
    }
}
