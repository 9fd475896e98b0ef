//! Requests for what the client may have already (RFC 9110, 13).

use http::{HeaderMap, HeaderValue, header};

/// The tags of what the client has. Without any, nothing is copied.
pub(crate) struct IfNoneMatch(Vec<HeaderValue>);

impl IfNoneMatch {
    /// Takes in what the client sent.
    pub(crate) fn take_in(headers: &HeaderMap) -> Self {
        Self(headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect())
    }

    /// Tells if the client has what `etag` stands for, by the weak comparison (RFC 9110, 8.8.3.2).
    pub(crate) fn has(&self, etag: &str) -> bool {
        let tags = self.0.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        tags.map(str::trim).any(|tag| tag == "*" || opaque(tag) == opaque(etag))
    }
}

fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(sent: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in sent {
            headers.append(header::IF_NONE_MATCH, HeaderValue::from_static(value));
        }
        IfNoneMatch::take_in(&headers).has("W/\"1f\"")
    }

    #[test]
    fn tags_are_compared_weakly() {
        for good in ["W/\"1f\"", "\"1f\"", "*", "\"a\", W/\"1f\"", "\"a\",\"1f\" ,\"b\""] {
            assert!(has(&[good]), "{good}");
        }
        assert!(has(&["\"a\"", "\"1f\""]));
        for bad in ["", "1f", "\"1F\"", "w/\"1f\"", "W/1f", "\"1f", ",,"] {
            assert!(!has(&[bad]), "{bad}");
        }
        assert!(!has(&[]));
    }
}
