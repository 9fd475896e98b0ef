//! Reading a request's body, bounded in size and in time.

use crate::problem::{Problem, ProblemKind};
use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use std::time::Duration;

/// The longest body that is taken.
pub(crate) const LIMIT_BYTES: usize = 64 * 1024;

/// The most that is read of a body that is too long, so that its sender, who reads only after writing, gets the
/// response and not a reset. One that announces more is answered at once.
const DISCARD_LIMIT_BYTES: usize = 1024 * 1024;

/// The most time that a body may take to arrive.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The whole body, where it says that it is JSON.
pub(crate) async fn read_json(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    if !is_json(headers) {
        return Err(Problem::new(ProblemKind::UnsupportedMediaType, "the body must be application/json"));
    }
    tokio::time::timeout(TIMEOUT, read(body)).await.unwrap_or_else(|_| {
        let detail = format!("the body did not arrive within {} s", TIMEOUT.as_secs());
        Err(Problem::new(ProblemKind::BodyTimeout, detail))
    })
}

async fn read(mut body: Body) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(ProblemKind::TooLarge, format!("the body may have at most {LIMIT_BYTES} bytes"));
    if body.size_hint().lower() > DISCARD_LIMIT_BYTES as u64 {
        return Err(too_large());
    }
    let mut taken = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::new(ProblemKind::MalformedBody, "the body broke off"))?;
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > DISCARD_LIMIT_BYTES {
            return Err(too_large());
        }
        if length <= LIMIT_BYTES {
            taken.extend_from_slice(&data);
        }
    }
    if length > LIMIT_BYTES { Err(too_large()) } else { Ok(taken.freeze()) }
}

/// `application/json`, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_json_is_json() {
        let said = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            is_json(&headers)
        };
        assert!(said("application/json"));
        assert!(said("Application/JSON; charset=utf-8"));
        assert!(!said("text/json"));
        assert!(!said("application/jsonp"));
        assert!(!said(""));
        assert!(!is_json(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn the_limit_itself_is_taken_and_a_byte_more_is_not() {
        let read = async |length: usize| read(Body::from(vec![b' '; length])).await.map(|bytes| bytes.len());
        assert_eq!(read(LIMIT_BYTES).await, Ok(LIMIT_BYTES));
        assert!(read(LIMIT_BYTES + 1).await.is_err());
        assert!(read(DISCARD_LIMIT_BYTES + 1).await.is_err());
    }
}
