//! Excerpts: the beginnings of bodies that are kept, so that a comparison which fails can show what was responded.

use super::{FAILED, PARTIAL, STALE, coding::Body};
use chaos_load::{Marks, Response};
use chaos_model::{
    RequestId, Scenario, Subject,
    check::{Arrival, CheckId},
    secret::masked_text,
};
use std::{sync::Arc, time::Duration};

/// The most characters of an excerpt.
const LONGEST: usize = 240;
/// The most bytes that these take, and some more, so that a secret which is cut off is known as such.
const BYTES: usize = 4 * LONGEST;

/// Checks whose failures show responses.
pub(super) struct Excerpts {
    checks: Vec<(Arc<dyn Subject>, Option<u32>)>,
}

impl Excerpts {
    /// Those of a scenario; `bit` is that of a check's test among the marks.
    pub(super) fn new(scenario: &Scenario, bit: impl Fn(CheckId) -> Option<u32>) -> Self {
        let checks = scenario.expectations.iter().flat_map(|expectation| &expectation.checks);
        Self { checks: checks.map(|check| (Arc::clone(&check.subject), bit(check.id))).collect() }
    }

    /// The beginning of a body, if the response speaks against a check. `body` is what was decoded of it already.
    pub(super) fn of(
        &self,
        id: RequestId,
        response: &Response<'_>,
        marks: &Marks,
        body: Option<&Body<'_>>,
    ) -> Option<Arc<str>> {
        let has = |bit: u64| marks.bits & bit != 0;
        let arrival = Arrival {
            n: id.n,
            step: id.step,
            at: Duration::ZERO,
            result: Ok(response.status),
            latency: response.latency,
            good: !has(FAILED),
            partial: has(PARTIAL),
            stale: has(STALE),
            age: marks.age,
            passed: false,
        };
        let passed =
            |bit: &Option<u32>| bit.and_then(|bit| marks.bits.checked_shr(bit)).is_some_and(|bits| bits & 1 == 1);
        let mut checks = self.checks.iter();
        if !checks.any(|(subject, bit)| subject.against(&Arrival { passed: passed(bit), ..arrival }).is_some()) {
            return None;
        }
        match body {
            Some(body) => excerpt(body),
            None => excerpt(&Body::of(response)),
        }
    }
}

/// The beginning of a body in words; none of an empty one.
fn excerpt(body: &Body<'_>) -> Option<Arc<str>> {
    let bytes = match body {
        Body::Read(bytes) if bytes.is_empty() => return None,
        Body::Read(bytes) => bytes,
        Body::Wrong(why) | Body::Unknown(why) => return Some(format!("({why})").into()),
    };
    let begin = &bytes[..bytes.len().min(BYTES)];
    // What is no text is shown as far as it is.
    let text = masked_text(&String::from_utf8_lossy(begin));
    let mut shown: String = text.chars().take(LONGEST).collect();
    if text.chars().count() > LONGEST || bytes.len() > BYTES {
        shown.push('…');
    }
    Some(shown.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn of(bytes: &[u8]) -> Option<String> {
        excerpt(&Body::Read(Cow::Borrowed(bytes))).map(|text| text.to_string())
    }

    #[test]
    fn an_excerpt_is_short_and_holds_no_secret() {
        assert_eq!(of(b""), None);
        assert_eq!(of(br#"{"error":"no","token":"abc"}"#).unwrap(), r#"{"error":"no","token":*****}"#);
        let long = format!("{{\"token\":\"{}\"}}", "s".repeat(9000));
        let shown = of(long.as_bytes()).unwrap();
        assert!(!shown.contains('s') && shown.chars().count() == LONGEST + 1, "{shown}");
        assert_eq!(of(&[b'a', 0xff, b'b']).unwrap(), "a\u{fffd}b");
        let coded = excerpt(&Body::Unknown("a large body".to_owned())).unwrap();
        assert_eq!(&*coded, "(a large body)");
    }
}
