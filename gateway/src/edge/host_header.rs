//! The field `Host` of a request (RFC 9112, 3.2). Where it isn't as HTTP wants it, the request breaks HTTP itself: it
//! gets a bare 400, as one that can't be parsed does, and never reaches the router. Nothing is chosen by what it says.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, Uri, Version, header, uri::Authority};

/// The outermost layer.
pub(super) async fn require(request: Request, next: Next) -> Response {
    if is_valid(request.version(), request.uri(), request.headers()) {
        next.run(request).await
    } else {
        // Who writes such requests may mean another end of this one than what was read.
        (StatusCode::BAD_REQUEST, [(header::CONNECTION, "close")]).into_response()
    }
}

/// Once, and a host with or without a port, or empty. HTTP/1.0 knows no such field, so there it may be missing. A target that
/// names a host (RFC 9112, 3.2.2) names one as well.
fn is_valid(version: Version, target: &Uri, headers: &HeaderMap) -> bool {
    if target.authority().is_some_and(|authority| !names_host(authority)) {
        return false;
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.is_empty() || is_host(host.as_bytes()),
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

fn is_host(bytes: &[u8]) -> bool {
    Authority::try_from(bytes).is_ok_and(|authority| names_host(&authority))
}

/// A host, and a port or none; nobody's name before it (RFC 9110, 4.2.4).
fn names_host(authority: &Authority) -> bool {
    let (host, whole) = (authority.host(), authority.as_str());
    !host.is_empty() && whole.strip_prefix(host).is_some_and(|rest| rest.is_empty() || is_port(rest))
}

/// A colon and digits, which may be none (RFC 3986, 3.2.3), and make a number that is a port.
fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|port| {
        port.is_empty() || (port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn valid(version: Version, hosts: &[&str]) -> bool {
        let hosts = hosts.iter().map(|host| (header::HOST, HeaderValue::from_str(host).unwrap()));
        is_valid(version, &Uri::from_static("/"), &hosts.collect())
    }

    #[test]
    fn one_host_is_wanted_from_http_1_1_on() {
        for host in
            ["gateway", "gateway:8000", "gateway:", "gateway:00080", "127.0.0.1:65535", "[::1]:8000", "[::1]", ""]
        {
            assert!(valid(Version::HTTP_11, &[host]) && valid(Version::HTTP_10, &[host]), "{host}");
        }
        assert!(!valid(Version::HTTP_11, &[]) && valid(Version::HTTP_10, &[]));
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert!(!valid(version, &["gateway", "gateway"]));
            for bad in [
                "a b",
                "me@gateway",
                "gateway/",
                ":80",
                "http://gateway",
                "gateway, other",
                "a?b",
                "a:b",
                "a:65536",
                "a:-1",
                "a:+1",
                "a:8 0",
                "[::1]:x",
                "a:1:2",
            ] {
                assert!(!valid(version, &[bad]), "{bad}");
            }
        }
    }

    #[test]
    fn a_target_names_a_host_as_the_field_does() {
        let of = |target: &str| {
            let host = [(header::HOST, HeaderValue::from_static("gateway"))].into_iter().collect();
            target.parse::<Uri>().is_ok_and(|target| is_valid(Version::HTTP_11, &target, &host))
        };
        for good in ["/", "*", "http://gateway/", "http://gateway:8000/a?b", "http://[::1]:80/", "users:80"] {
            assert!(of(good), "{good}");
        }
        for bad in ["http://gateway:x/", "http://me@gateway/", "http://gateway:65536/", "users:http"] {
            assert!(!of(bad), "{bad}");
        }
    }
}
