//! Requests for what the client has in mind, and for nothing else: `If-Match` (RFC 9110, 13.1.1).
//!
//! The comparison is the strong one, and tags here are weak: a list of tags never matches, and `*` does wherever there is a
//! response. `If-Unmodified-Since` means nothing here, where no response tells when it was modified (13.1.4).

use crate::{
    context::RequestContext,
    problem::Problem,
    profile::{CACHE_STATUS, SERVER_TIMING},
};
use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// The innermost layer: what would have failed without the condition fails as it would have (13.2.1).
pub(super) async fn check(request: Request, next: Next) -> Response {
    let Some(condition) = IfMatch::take_in(request.headers()) else { return next.run(request).await };
    let context = request.extensions().get::<RequestContext>().cloned();
    let response = next.run(request).await;
    // It is judged before `If-None-Match` is (13.2.2).
    let is_there = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    match context {
        Some(context) if is_there && !condition.holds(response.headers().get(header::ETAG)) => {
            failed(response, &context)
        }
        _ => response,
    }
}

/// The problem in the response's place; how it came about is still told.
fn failed(response: Response, context: &RequestContext) -> Response {
    let (was, _) = response.into_parts();
    let mut response = Problem::PreconditionFailed.response(context, None, &[]);
    for name in [CACHE_STATUS, SERVER_TIMING, header::VARY] {
        for value in was.headers.get_all(&name) {
            response.headers_mut().append(&name, value.clone());
        }
    }
    *response.extensions_mut() = was.extensions;
    response
}

/// The values of `If-Match`.
struct IfMatch(Vec<HeaderValue>);

impl IfMatch {
    /// `None` where the client sets no such condition.
    fn take_in(headers: &HeaderMap) -> Option<Self> {
        let values: Vec<HeaderValue> = headers.get_all(header::IF_MATCH).iter().cloned().collect();
        (!values.is_empty()).then_some(Self(values))
    }

    /// Tells if the condition holds for a response with this tag, by the strong comparison (8.8.3.2).
    fn holds(&self, etag: Option<&HeaderValue>) -> bool {
        let strong = etag.and_then(|etag| etag.to_str().ok()).filter(|etag| etag.starts_with('"'));
        self.0.iter().filter_map(|value| value.to_str().ok()).any(|value| {
            // No tag of ours has a comma, so that one of another with a comma can't become it.
            value.trim() == "*" || value.split(',').any(|tag| Some(tag.trim()) == strong)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(sent: &[&'static str], etag: Option<&'static str>) -> bool {
        let sent = sent.iter().map(|value| (header::IF_MATCH, HeaderValue::from_static(value)));
        IfMatch::take_in(&sent.collect()).unwrap().holds(etag.map(HeaderValue::from_static).as_ref())
    }

    #[test]
    fn tags_are_compared_strongly() {
        let strong = Some("\"1f\"");
        for good in
            [&["\"1f\""][..], &["*"], &[" * "], &["\"a\", \"1f\""], &["\"a\",\"1f\" ,\"b\""], &["\"a\"", "\"1f\""]]
        {
            assert!(holds(good, strong), "{good:?}");
        }
        for bad in ["", "1f", "W/\"1f\"", "\"1F\"", "\"1f", ",,", "\"*\"", "*, *"] {
            assert!(!holds(&[bad], strong), "{bad}");
        }
    }

    #[test]
    fn what_is_weak_or_has_no_tag_matches_nothing_but_any() {
        for etag in [None, Some("W/\"1f\""), Some("")] {
            assert!(holds(&["*"], etag) && holds(&["\"1f\"", "*"], etag));
            for tag in ["\"1f\"", "W/\"1f\"", ""] {
                assert!(!holds(&[tag], etag), "{tag} {etag:?}");
            }
        }
        assert!(IfMatch::take_in(&HeaderMap::new()).is_none());
    }
}
