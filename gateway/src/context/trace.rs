//! W3C Trace Context and Baggage: what is taken in from a client, and what goes to every service.
//!
//! A gateway that records no spans never asks others to: a trace that it starts is not sampled. One that does says so,
//! and its spans have the ids that services get ([`spans`]).

use crate::spans;
use http::{HeaderMap, HeaderValue};

/// Bytes of `tracestate` that are passed on (W3C Trace Context, 3.3.1.5 asks for at least 512).
const TRACESTATE_LIMIT: usize = 512;
/// Bytes and members of `baggage` that are passed on (W3C Baggage, 3.3.2).
const BAGGAGE_LIMIT: usize = 8192;
const BAGGAGE_MEMBERS: usize = 64;

/// Names of the headers.
pub(crate) const TRACEPARENT: &str = "traceparent";
pub(crate) const TRACESTATE: &str = "tracestate";
pub(crate) const BAGGAGE: &str = "baggage";

/// The trace that a request belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    /// 32 hex digits.
    pub(crate) id: String,
    /// The client's span, 16 hex digits.
    parent: Option<String>,
    /// Two hex digits.
    flags: String,
    state: Option<HeaderValue>,
}

impl Trace {
    /// The trace of a valid `traceparent`, with its `tracestate`.
    pub(crate) fn take_in(headers: &HeaderMap) -> Option<Self> {
        // More than one is as good as none: nobody can say which is meant.
        let mut parents = headers.get_all(TRACEPARENT).iter();
        let (parent, None) = (parents.next()?, parents.next()) else { return None };
        let (id, span, flags) = parse(parent.to_str().ok()?)?;
        Some(Self {
            id: id.to_owned(),
            parent: Some(span.to_owned()),
            flags: flags.to_owned(),
            state: joined(headers, TRACESTATE, TRACESTATE_LIMIT, 32),
        })
    }

    /// A new trace.
    pub(crate) fn start(id: u128) -> Self {
        // All zeros are invalid.
        Self { id: format!("{:032x}", id.max(1)), parent: None, flags: "00".to_owned(), state: None }
    }

    /// The trace that `span` belongs to, where it is recorded: the client's, or one that it starts.
    pub(crate) fn recorded(span: &tracing::Span, client: Option<&Self>) -> Option<Self> {
        let parent =
            client.and_then(|client| Some((client.id.as_str(), client.parent.as_deref()?, client.flags.as_str())));
        let spans::Ids { trace, flags, .. } = spans::begin(span, parent)?;
        let state = client.and_then(|client| client.state.clone());
        Some(Self { id: trace, parent: None, flags, state })
    }

    /// Puts `span`, which has no parent, beneath the current one, which it may outlive: a parent within this program
    /// would last for as long as it does.
    pub(crate) fn continue_in(&self, span: &tracing::Span) {
        if let Some(parent) = spans::current() {
            spans::begin(span, Some((&self.id, &format!("{parent:016x}"), &self.flags)));
        }
    }

    /// Writes the headers of a call that is the span `span`.
    pub(crate) fn propagate(&self, span: u64, headers: &mut HeaderMap) {
        let parent = format!("00-{}-{:016x}-{}", self.id, span.max(1), self.flags);
        headers.insert(TRACEPARENT, HeaderValue::try_from(parent).expect("hex digits and dashes make a header"));
        if let Some(state) = &self.state {
            headers.insert(TRACESTATE, state.clone());
        }
    }
}

/// Trace id, span id and flags of a `traceparent` (W3C Trace Context, 3.2.2).
fn parse(text: &str) -> Option<(&str, &str, &str)> {
    let hex =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    let mut fields = text.split('-');
    let (version, id, parent, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let shaped = hex(version, 2) && hex(id, 32) && hex(parent, 16) && hex(flags, 2);
    // Later versions may add fields, the first has none.
    let known = version != "ff" && (version != "00" || fields.next().is_none());
    (shaped && known && !zero(id) && !zero(parent)).then_some((id, parent, flags))
}

/// The client's baggage, as it came, up to the limits: members beyond them are left out whole.
pub(crate) fn baggage(headers: &HeaderMap) -> Option<HeaderValue> {
    joined(headers, BAGGAGE, BAGGAGE_LIMIT, BAGGAGE_MEMBERS)
}

/// A list that may be spread over several headers, as one, in whole members up to the limits.
fn joined(headers: &HeaderMap, name: &str, limit: usize, members: usize) -> Option<HeaderValue> {
    let mut list = String::new();
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    for member in lines.flat_map(|line| line.split(',')).filter(|member| !member.trim().is_empty()).take(members) {
        if list.len() + member.len() + 1 > limit {
            break;
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(member);
    }
    if list.is_empty() { None } else { HeaderValue::try_from(list).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_trace_goes_on_with_a_new_span() {
        let trace = Trace::take_in(&headers(&[(TRACEPARENT, PARENT), (TRACESTATE, "a=1"), (TRACESTATE, "b=2")]));
        let mut out = HeaderMap::new();
        trace.unwrap().propagate(7, &mut out);
        assert_eq!(out[TRACEPARENT], "00-0af7651916cd43dd8448eb211c80319c-0000000000000007-01");
        assert_eq!(out[TRACESTATE], "a=1,b=2");
    }

    #[test]
    fn invalid_parents_are_not_taken_in() {
        let zeros = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        let upper = PARENT.to_uppercase();
        let (longer, forbidden) = (format!("{PARENT}-x"), PARENT.replacen("00", "ff", 1));
        for bad in ["", "00", zeros, &upper, &longer, &forbidden] {
            assert_eq!(Trace::take_in(&headers(&[(TRACEPARENT, bad)])), None, "{bad}");
        }
        assert_eq!(Trace::take_in(&headers(&[(TRACEPARENT, PARENT), (TRACEPARENT, PARENT)])), None);
        let later = format!("{}-x", PARENT.replacen("00", "01", 1));
        assert!(Trace::take_in(&headers(&[(TRACEPARENT, &later)])).is_some());
    }

    #[test]
    fn baggage_is_cut_between_members() {
        assert_eq!(baggage(&headers(&[(BAGGAGE, "a=1;p=x, b=2")])).unwrap(), "a=1;p=x, b=2");
        assert_eq!(baggage(&headers(&[])), None);
        let long = format!("a=1,b={}", "x".repeat(BAGGAGE_LIMIT));
        assert_eq!(baggage(&headers(&[(BAGGAGE, &long)])).unwrap(), "a=1");
        let many = vec!["a=1"; BAGGAGE_MEMBERS + 9].join(",");
        assert_eq!(baggage(&headers(&[(BAGGAGE, &many)])).unwrap().to_str().unwrap().matches('a').count(), 64);
    }
}
