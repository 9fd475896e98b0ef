//! Calls: messages that came to a link from its callers, as its proxies count them.

use crate::{Link, Pattern, event::LinkCounts};
use std::{fmt, time::Duration};

/// The kind of messages that proxies do not tell apart: of more kinds than they keep, or of one that is too long.
pub const OTHER: &str = "other";

/// A selector of calls: those of a link, or of one kind on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The link.
    pub link: Link,
    /// The kind, as `GET /users/*` or `SETEX`; none where all are meant.
    pub kind: Option<Pattern>,
}

/// A part of a path that names one thing among many: a number, a UUID, a hash, or what has one in it. Kinds have `*` in its
/// place. Versions of an API (`v1`) are none.
#[must_use]
pub fn names_one(part: &str) -> bool {
    let is_version = part.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    !is_version && part.bytes().any(|byte| byte.is_ascii_digit())
}

/// As written: `shop -> stock GET /stock/*`.
impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Some(Pattern(kind)) => write!(f, "{} {kind}", self.link),
            None => self.link.fmt(f),
        }
    }
}

/// The unit of a bound on calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Their number within the scope.
    Scope,
    /// Their number over that of the requests of the load.
    Request,
    /// Their number in any second of the scope.
    Second,
}

/// A reading of the calls that a selector means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallReading {
    /// The moment at which it was due, on the timeline.
    pub at: Duration,
    /// The moment at which it was there: what it counts had come by then.
    pub answered: Duration,
    /// The number of those that are known to be meant, since the run began,
    pub least: u64,
    /// and with those that may be; none where nobody knows how many that are.
    pub most: Option<u64>,
}

impl CallReading {
    /// The reading of a link's counts.
    #[must_use]
    pub fn of(calls: &Calls, counts: &LinkCounts, (at, answered): (Duration, Duration)) -> Self {
        let is_meant = |kind: &str| calls.kind.as_ref().is_none_or(|pattern| pattern.matches(kind.as_bytes()));
        let least = counts.messages.iter().filter(|(kind, _)| is_meant(kind)).map(|(_, count)| count).sum();
        let other = counts.messages.get(OTHER).filter(|_| !is_meant(OTHER)).copied().unwrap_or_default();
        Self { at, answered, least, most: (counts.unread == 0).then_some(least + other) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;

    fn reading(kind: Option<&str>, counts: &LinkCounts) -> (u64, Option<u64>) {
        let link = Link { from: Endpoint::Client, to: "shop".to_owned(), label: None };
        let calls = Calls { link, kind: kind.map(|kind| Pattern(kind.to_owned())) };
        let reading = CallReading::of(&calls, counts, (Duration::ZERO, Duration::ZERO));
        (reading.least, reading.most)
    }

    #[test]
    fn kinds_are_summed_and_what_is_not_told_apart_may_be_any() {
        let messages = [("GET /users/*", 3), ("GET /users/*/orders", 4), ("POST /users", 5)];
        let messages = messages.map(|(kind, count)| (kind.to_owned(), count));
        let mut counts = LinkCounts { messages: messages.into(), ..LinkCounts::default() };
        assert_eq!(reading(None, &counts), (12, Some(12)));
        assert_eq!(reading(Some("GET /users/*"), &counts), (7, Some(7)));
        assert_eq!(reading(Some("* /users"), &counts), (5, Some(5)));
        assert_eq!(reading(Some("PUT *"), &counts), (0, Some(0)));
        counts.messages.insert(OTHER.to_owned(), 2);
        assert_eq!(reading(None, &counts), (14, Some(14)));
        assert_eq!(reading(Some("PUT *"), &counts), (0, Some(2)));
        counts.unread = 1;
        assert_eq!(reading(Some("PUT *"), &counts), (0, None));
    }
}
