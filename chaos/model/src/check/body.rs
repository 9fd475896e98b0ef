//! `body."$.user.id" = "100% == {user}"`: the share of responses whose body passes the test at that JSONPath.

use super::{Arrival, Evidence, Finding, Leaf, Need, Part, ResponseTest, Row, Shape, Subject, share, term};
use crate::{Comparison, Share, ValueTest, language::findings::Wrong, responses::Field};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "body",
    about: "Contents of bodies, by JSONPath: `body.\"$.user.id\" = \"100% exists\"`.",
    shape: Shape::Named(&[]),
    example: "during = \"outage\"\nbody.\"$.user.id\" = \"100% exists\"",
    needs: &[Need::Responses, Need::Samples],
    judged: "Of all requests that were due. The test has to hold for every value that the path finds, and for at \
             least one. Where no request had a response, it can't be said.",
    others: &[
        term("k6", "check(res, …)"),
        term("Gatling", "jsonPath"),
        term("Hurl", "jsonpath"),
        term("Postman", "pm.test"),
    ],
    from_the_end_on: false,
    condition: Some(|leaf| leaf.of(|path| Ok(Field::Body(json_path(path)?)))),
    read,
};

/// The share of responses whose body passes a test at a path, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Body {
    /// The path as written, a valid RFC 9535 query.
    path: String,
    test: ValueTest,
    share: Comparison<Share>,
}

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let path = leaf.name_as(json_path);
    let test = leaf.value_test();
    let (path, (share, test)) = path.zip(test)?;
    Some(Arc::new(Body { path, test, share }))
}

impl Subject for Body {
    fn words(&self) -> String {
        format!("body.\"{}\" {} for {}", self.path, self.test, self.share)
    }

    fn test(&self) -> Option<ResponseTest<'_>> {
        Some(ResponseTest { part: Part::Body(&self.path), test: &self.test, wanted: share::wants(&self.share) })
    }

    fn has(&self, arrival: &Arrival) -> bool {
        arrival.passed
    }

    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        self.share.against(self.has(arrival))
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        share::judge_responses(evidence, &self.share)
    }
}

/// The most brackets that go into one another: the parser takes twice as long with each parenthesis inside another, and goes one call deeper with each bracket.
const DEEPEST: usize = 8;

/// A JSONPath (RFC 9535), as written.
pub(crate) fn json_path(key: &str) -> Result<String, Wrong> {
    let deeper = |(deepest, depth): (usize, usize), c: char| match c {
        '(' | '[' => (deepest.max(depth + 1), depth + 1),
        ')' | ']' => (deepest, depth.saturating_sub(1)),
        _ => (deepest, depth),
    };
    if key.chars().fold((0, 0), deeper).0 > DEEPEST || key.len() > 1000 {
        let wrong = Wrong::new("this JSONPath is too long or too deep");
        return Err(wrong.advice(format!("at most {DEEPEST} brackets go into one another")));
    }
    if serde_json_path::JsonPath::parse(key).is_ok() {
        return Ok(key.to_owned());
    }
    let wrong = Wrong::new(format!("`{key}` is no JSONPath"));
    Err(wrong.advice(if key.starts_with('$') {
        "as in `$.user.id`, `$.orders[0].id`, `$['a b']` (RFC 9535)".to_owned()
    } else {
        format!("it begins with `$`: body.\"$.{key}\"")
    }))
}
