//! A request's identity, which goes on to every service: request id, trace, baggage.

pub(crate) mod trace;

use crate::spans;
use host::{Host, Random};
use http::{HeaderMap, HeaderName, HeaderValue};
use rand::Rng as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;
use trace::Trace;
use tracing::Span;

/// The header of the request id.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Draws ids from the host's random streams.
pub(crate) struct Ids {
    requests: Mutex<Random>,
    traces: Mutex<Random>,
    spans: Mutex<Random>,
}

impl Ids {
    pub(crate) fn new(host: &Host) -> Self {
        let stream = |name| Mutex::new(host.rng(name));
        Self { requests: stream("request ids"), traces: stream("trace ids"), spans: stream("span ids") }
    }

    fn draw(stream: &Mutex<Random>) -> u64 {
        stream.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }

    fn draw_wide(stream: &Mutex<Random>) -> u128 {
        u128::from(Self::draw(stream)) << 64 | u128::from(Self::draw(stream))
    }
}

/// One request's identity.
#[derive(Clone)]
pub(crate) struct RequestContext {
    pub(crate) request_id: HeaderValue,
    pub(crate) trace: Trace,
    baggage: Option<HeaderValue>,
    /// The moment at which its head was there.
    pub(crate) started: Instant,
    ids: Arc<Ids>,
}

impl RequestContext {
    /// Takes in what the client sent, and draws what it didn't. `span` is the request's.
    pub(crate) fn take_in(headers: &HeaderMap, ids: &Arc<Ids>, span: &Span) -> Self {
        let sent = headers.get(X_REQUEST_ID).filter(|id| is_valid_id(id.as_bytes())).cloned();
        let request_id = sent.unwrap_or_else(|| {
            let drawn = format!("{:032x}", Ids::draw_wide(&ids.requests));
            HeaderValue::try_from(drawn).expect("hex digits make a header")
        });
        let client = Trace::take_in(headers);
        let trace = Trace::recorded(span, client.as_ref()).unwrap_or_else(|| {
            let trace = client.unwrap_or_else(|| Trace::start(Ids::draw_wide(&ids.traces)));
            spans::traced(span, &trace.id);
            trace
        });
        let baggage = trace::baggage(headers);
        Self { request_id, trace, baggage, started: Instant::now(), ids: Arc::clone(ids) }
    }

    /// Writes the headers that go to a service: each call is a span of its own.
    pub(crate) fn propagate(&self, headers: &mut HeaderMap) {
        // A span that is recorded is the one that services see.
        let span = spans::current().unwrap_or_else(|| Ids::draw(&self.ids.spans));
        self.trace.propagate(span, headers);
        headers.insert(X_REQUEST_ID, self.request_id.clone());
        if let Some(baggage) = &self.baggage {
            headers.insert(trace::BAGGAGE, baggage.clone());
        }
    }

    /// The request id as text.
    pub(crate) fn request_id(&self) -> &str {
        // Only ids of visible characters are taken in.
        self.request_id.to_str().unwrap_or_default()
    }
}

/// Ids end up in logs, so only those are kept that can do no harm there.
fn is_valid_id(id: &[u8]) -> bool {
    (1..=128).contains(&id.len()) && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:+/=".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_clients_are_kept_if_harmless() {
        for good in ["a", "7f3c-11", "x.y:z_1", "aGk+/w=="] {
            assert!(is_valid_id(good.as_bytes()), "{good}");
        }
        let long = "x".repeat(129);
        for bad in ["", "a b", "a\"b", "a\u{7f}", "é", &long] {
            assert!(!is_valid_id(bad.as_bytes()), "{bad}");
        }
    }
}
