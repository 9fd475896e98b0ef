//! The base URL of a service, and paths under it built from segments.

use http::{
    Uri,
    uri::{Authority, PathAndQuery, Scheme},
};
use std::fmt;

/// The base URL of a service: `http://host[:port][/prefix]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    authority: Authority,
    /// Without a slash at its end.
    prefix: String,
}

/// The error of a text that can't be the base URL of a service.
#[derive(Debug, thiserror::Error)]
#[error("it is `http://host[:port][/prefix]`")]
pub(crate) struct BadBaseUrl;

/// One segment of a path. What a client sent can only be in it as a number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Segment {
    /// A path as it stands in the code: made of characters that need no escape.
    Fixed(&'static str),
    /// A number.
    Number(u64),
}

impl BaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, BadBaseUrl> {
        let uri: Uri = text.parse().map_err(|_| BadBaseUrl)?;
        let authority = uri.authority().ok_or(BadBaseUrl)?;
        let plain = uri.scheme() == Some(&Scheme::HTTP) && uri.query().is_none() && !authority.as_str().contains('@');
        if !plain || authority.host().is_empty() {
            return Err(BadBaseUrl);
        }
        Ok(Self { authority: authority.clone(), prefix: uri.path().trim_end_matches('/').to_owned() })
    }

    /// The URL of `segments` under this base.
    pub(crate) fn join(&self, segments: &[Segment]) -> Uri {
        let mut path = self.prefix.clone();
        for segment in segments {
            path.push('/');
            match segment {
                Segment::Fixed(text) => path.push_str(text),
                Segment::Number(number) => path.push_str(&number.to_string()),
            }
        }
        let path = PathAndQuery::try_from(path).expect("a checked prefix, literals and numbers make a path");
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).expect("scheme, authority and path make a URL")
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_built_under_the_prefix() {
        let segments = [Segment::Fixed("users"), Segment::Number(42)];
        let joined = |base: &str| BaseUrl::parse(base).unwrap().join(&segments).to_string();
        assert_eq!(joined("http://users:8001"), "http://users:8001/users/42");
        assert_eq!(joined("http://users/"), "http://users/users/42");
        assert_eq!(joined("http://[::1]:80/v2/"), "http://[::1]:80/v2/users/42");
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", "users", "users:8001", "https://users", "http://", "http://a@users", "http://users/?x=1", "/x"]
        {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
