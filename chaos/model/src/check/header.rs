//! `header.x-gateway-complete = "100% == true"`: the share of responses whose header field passes the test.

use super::{Arrival, Evidence, Finding, Leaf, Need, Part, ResponseTest, Row, Shape, Subject, share, term};
use crate::{Comparison, Share, ValueTest, language::request::field_name, responses::Field};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "header",
    about: "Header fields of responses.",
    shape: Shape::Named(&[("etag", "100% exists")]),
    example: "during = \"outage\"\nheader.etag = \"100% exists\"",
    needs: &[Need::Responses, Need::Samples],
    judged: "Of all requests that were due. Where the field comes several times, the test has to hold for every line, \
             and for at least one. Where no request had a response, it can't be said.",
    others: &[term("k6", "res.headers"), term("Gatling", "header"), term("Hurl", "header")],
    from_the_end_on: false,
    condition: Some(|leaf| leaf.of(|name| Ok(Field::Header(field_name(name)?)))),
    read,
};

/// The share of responses whose header field passes a test, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Header {
    /// The field's name in lower case.
    name: String,
    test: ValueTest,
    share: Comparison<Share>,
}

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let name = leaf.name_as(field_name);
    let test = leaf.value_test();
    let (name, (share, test)) = name.zip(test)?;
    Some(Arc::new(Header { name, test, share }))
}

impl Subject for Header {
    fn words(&self) -> String {
        format!("header.{} {} for {}", self.name, self.test, self.share)
    }

    fn test(&self) -> Option<ResponseTest<'_>> {
        Some(ResponseTest { part: Part::Header(&self.name), test: &self.test, wanted: share::wants(&self.share) })
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
