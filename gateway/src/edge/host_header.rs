//! The field `Host` of a request (RFC 9112, 3.2). Where it isn't as HTTP wants it, the request breaks HTTP itself: it
//! gets a bare 400, as one that can't be parsed does, and never reaches the router. Nothing is chosen by what it says.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, Version, header, uri::Authority};

/// The outermost layer.
pub(super) async fn require(request: Request, next: Next) -> Response {
    if is_valid(request.version(), request.headers()) {
        next.run(request).await
    } else {
        // Who writes such requests may mean another end of this one than what was read.
        (StatusCode::BAD_REQUEST, [(header::CONNECTION, "close")]).into_response()
    }
}

/// Once, and a host with or without a port, or empty. HTTP/1.0 knows no such field, so there it may be missing.
fn is_valid(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.is_empty() || is_host(host.as_bytes()),
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

fn is_host(bytes: &[u8]) -> bool {
    Authority::try_from(bytes).is_ok_and(|host| !host.host().is_empty() && !host.as_str().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn valid(version: Version, hosts: &[&str]) -> bool {
        let hosts = hosts.iter().map(|host| (header::HOST, HeaderValue::from_str(host).unwrap()));
        is_valid(version, &hosts.collect())
    }

    #[test]
    fn one_host_is_wanted_from_http_1_1_on() {
        for host in ["gateway", "gateway:8000", "127.0.0.1:80", "[::1]:8000", ""] {
            assert!(valid(Version::HTTP_11, &[host]) && valid(Version::HTTP_10, &[host]), "{host}");
        }
        assert!(!valid(Version::HTTP_11, &[]) && valid(Version::HTTP_10, &[]));
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert!(!valid(version, &["gateway", "gateway"]));
            for bad in ["a b", "me@gateway", "gateway/", ":80", "http://gateway", "gateway, other", "a?b"] {
                assert!(!valid(version, &[bad]), "{bad}");
            }
        }
    }
}
