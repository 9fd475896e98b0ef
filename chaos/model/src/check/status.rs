//! `status.200 = ">= 99%"`: the share of responses with such a status.

use super::{Arrival, ConditionLeaf, Evidence, Finding, Leaf, Need, Row, Shape, Subject, share, term};
use crate::{
    Comparison, Share, ValueTest,
    language::findings::Wrong,
    responses::{Condition, Field},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "status",
    about: "Shares of responses by status.",
    shape: Shape::Named(&[("200", ">= 99.9%"), ("2xx", ">= 99.9%"), ("5xx", "== 0%")]),
    example: "during = \"outage\"\nstatus.200 = \">= 99%\"",
    needs: &[Need::Samples],
    judged: "Of all requests that were due, those included that got no response: whoever could not connect has \
             seen no 200 either.",
    others: &[term("k6", "http_req_failed"), term("k6", "checks"), term("Istio", "istio_requests_total")],
    from_the_end_on: false,
    condition: Some(condition),
    read,
};

/// The share of responses with a status, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Status(StatusPattern, Comparison<Share>);

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let pattern = leaf.name_as(pattern);
    let share = leaf.share();
    Some(Arc::new(Status(pattern?, share?)))
}

/// The status of one response.
fn condition(leaf: &ConditionLeaf<'_>) -> Option<Condition> {
    let class = leaf.word.text.trim().trim_start_matches(['=', '!']).trim();
    if let Ok(StatusPattern::Class(digit)) = pattern(class) {
        let wrong = Wrong::new(format!("`{class}` is a class of statuses, and a response has one status"));
        let advice = match leaf.word.text.trim().starts_with('!') {
            true => format!("write a bound, as `< {digit}00`"),
            false => format!("write `{digit}00..{digit}99`"),
        };
        leaf.findings.add(leaf.word.refuse(wrong.advice(advice)));
        return None;
    }
    let test = leaf.test(|test| match &test {
        ValueTest::Number(_) => Ok(test),
        ValueTest::Equal(text) | ValueTest::Different(text) => match pattern(text.render(&BTreeMap::new()).trim()) {
            Ok(StatusPattern::Code(_)) => Ok(test),
            _ => Err(Wrong::new("this is no status of HTTP").advice("as in `== 206`, `< 500` or `200..299`")),
        },
        ValueTest::Exists | ValueTest::Missing => {
            Err(Wrong::new("every response has a status").advice("as in `== 206`, `< 500` or `200..299`"))
        }
    });
    Some(Condition { field: Field::Status, test: test? })
}

impl Subject for Status {
    fn words(&self) -> String {
        format!("status.{} {}", self.0, self.1)
    }

    fn has(&self, arrival: &Arrival) -> bool {
        arrival.result.is_ok_and(|status| self.0.matches(status))
    }

    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        self.1.against(self.has(arrival))
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        share::judge(evidence, &self.1)
    }
}

/// A pattern of HTTP statuses: one code, or a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusPattern {
    /// Exactly this one.
    Code(u16),
    /// `2xx`: all of this hundred; holds the first digit.
    Class(u16),
}

impl StatusPattern {
    /// True if it means this status.
    #[must_use]
    pub fn matches(self, status: u16) -> bool {
        match self {
            Self::Code(code) => status == code,
            Self::Class(digit) => status / 100 == digit,
        }
    }
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Class(digit) => write!(f, "{digit}xx"),
        }
    }
}

fn pattern(key: &str) -> Result<StatusPattern, Wrong> {
    let form = "write it as `status.200` or `status.2xx`";
    if let Some(class) = key.strip_suffix("xx").or_else(|| key.strip_suffix("XX")) {
        return match class.parse::<u16>() {
            Ok(digit @ 1..=5) => Ok(StatusPattern::Class(digit)),
            _ => Err(Wrong::new(format!("there are no statuses `{key}`")).advice(form)),
        };
    }
    match key.parse::<u16>() {
        Ok(code @ 100..=599) if key.len() == 3 => Ok(StatusPattern::Code(code)),
        _ => Err(Wrong::new(format!("`{key}` is no status of HTTP")).advice(form)),
    }
}
