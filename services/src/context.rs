//! The origin of a request, as it tells it: `X-Request-Id`, `traceparent`, `baggage`. All of it is written by whoever
//! calls, so it is checked and bounded before it reaches a header or a log line.

use http::{HeaderMap, HeaderValue};

/// The name of the header with the request's id.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// The member of `baggage` that goes into the log line: which request of a load this one serves.
const REQUEST_NUMBER: &str = "chaos.request";

const LONGEST_REQUEST_ID: usize = 128;
const LONGEST_REQUEST_NUMBER: usize = 64;

/// The request's own id, where it is one: 1 to 128 letters, digits and `-_.:`.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    let value = headers.get(REQUEST_ID)?;
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    ((1..=LONGEST_REQUEST_ID).contains(&value.len()) && value.as_bytes().iter().all(known)).then_some(value)
}

/// The trace id of `traceparent` (W3C Trace Context, 3.2).
pub(crate) fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = text.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, length| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    let formed = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    // Later versions may append parts; this one may not, and `ff` is none.
    let known = version != "ff" && (version != "00" || parts.next().is_none());
    (formed && known && !zero(trace) && !zero(parent)).then_some(trace)
}

/// The value of `chaos.request` in `baggage` (W3C Baggage, 3.3): at most 64 printable ASCII characters, properties left
/// out.
pub(crate) fn request_number(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all("baggage").iter().filter_map(|line| line.to_str().ok());
    let mut members = lines.flat_map(|line| line.split(','));
    let value = members.find_map(|member| {
        let (key, value) = member.split(';').next()?.split_once('=')?;
        (key.trim() == REQUEST_NUMBER).then(|| value.trim())
    })?;
    let printable = value.bytes().all(|byte| byte.is_ascii_graphic());
    (printable && (1..=LONGEST_REQUEST_NUMBER).contains(&value.len())).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;
    use proptest::prelude::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_valid_request_id_is_kept_and_others_are_not() {
        let kept = |value: &str| request_id(&headers(&[(REQUEST_ID, value)])).is_some();
        assert!(kept("7f2c-A.b_c:1"));
        assert!(kept(&"a".repeat(128)));
        for bad in ["", "a b", "a\"b", "a,b", &"a".repeat(129)] {
            assert!(!kept(bad), "{bad:?}");
        }
        assert_eq!(request_id(&HeaderMap::new()), None);
    }

    #[test]
    fn trace_ids_are_read_as_the_recommendation_says() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let read = |value: &str| trace_id(&headers(&[("traceparent", value)])).map(str::to_owned);
        assert_eq!(read(&format!("00-{trace}-b7ad6b7169203331-01")).as_deref(), Some(trace));
        assert_eq!(read(&format!("01-{trace}-b7ad6b7169203331-01-more")).as_deref(), Some(trace));
        let bad = [
            format!("00-{trace}-b7ad6b7169203331-01-more"),
            format!("ff-{trace}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", trace.to_uppercase()),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{trace}-0000000000000000-01"),
            format!("00-{trace}-b7ad6b7169203331"),
            String::new(),
        ];
        for value in bad {
            assert_eq!(read(&value), None, "{value}");
        }
    }

    #[test]
    fn the_requests_number_is_found_among_other_baggage() {
        let read = |values: &[&str]| {
            let pairs: Vec<_> = values.iter().map(|value| ("baggage", *value)).collect();
            request_number(&headers(&pairs)).map(str::to_owned)
        };
        assert_eq!(read(&["chaos.request=17"]).as_deref(), Some("17"));
        assert_eq!(read(&["tenant=a, chaos.request = 17;level=1 ,x=y"]).as_deref(), Some("17"));
        assert_eq!(read(&["tenant=a", "chaos.request=17"]).as_deref(), Some("17"));
        for bad in ["", "chaos.request", "chaos.request=", "xchaos.request=17", "chaos.request=1 7"] {
            assert_eq!(read(&[bad]), None, "{bad:?}");
        }
        assert_eq!(read(&[&format!("chaos.request={}", "1".repeat(65))]), None);
    }

    proptest! {
        #[test]
        fn no_header_panics(value in "[ -~]{0,80}|[0-9a-f=;,.-]{0,80}") {
            let headers = headers(&[("traceparent", &value), ("baggage", &value), (REQUEST_ID, &value)]);
            let _ = (trace_id(&headers), request_number(&headers), request_id(&headers));
        }
    }
}
