//! Responses in the service's place.

use chaos_model::effect::action::CannedResponse;
use std::fmt::Write as _;

/// Tells whether a response of this status has no body (RFC 9110, sections 15.3.5, 15.4.5).
pub(super) fn is_bodiless(status: u16) -> bool {
    matches!(status, 204 | 304)
}

/// The head of a canned response, for a body of this length, and for a connection that ends with it or doesn't.
pub(super) fn head(canned: &CannedResponse, length: u64, closes: bool) -> Vec<u8> {
    let code = http::StatusCode::from_u16(canned.status).ok();
    let reason = code.and_then(|code| code.canonical_reason()).unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", canned.status);
    let mut field = |name: &str, value: &str| {
        // Writing to a string can't fail.
        let _ = write!(head, "{name}: {value}\r\n");
    };
    canned.headers.iter().for_each(|(name, value)| field(name, value));
    if !is_bodiless(canned.status) {
        field("content-length", &length.to_string());
    }
    if closes {
        field("connection", "close");
    }
    head.push_str("\r\n");
    head.into_bytes()
}
