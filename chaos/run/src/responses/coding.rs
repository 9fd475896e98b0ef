//! Bodies of responses without their content codings, as their reader has them.

use chaos_load::{BODY_LIMIT, Response};
use host::http::coding::{self, Undecoded};
use http::{HeaderValue, header::CONTENT_ENCODING};
use std::borrow::Cow;

/// A body, decoded.
#[derive(Debug)]
pub(super) enum Body<'r> {
    /// It could be read.
    Read(Cow<'r, [u8]>),
    /// Nobody can read it; the reason in words.
    Wrong(String),
    /// It was not read here, though others may; the reason in words.
    Unknown(String),
}

impl Default for Body<'_> {
    fn default() -> Self {
        Self::Read(Cow::Borrowed(&[]))
    }
}

impl<'r> Body<'r> {
    /// The body of a response.
    pub(super) fn of(response: &Response<'r>) -> Self {
        let Some(raw) = response.body else { return Self::Unknown(Undecoded::TooLarge(BODY_LIMIT).to_string()) };
        let fields = response.headers.get_all(CONTENT_ENCODING).into_iter().map(HeaderValue::as_bytes);
        // A response without a body may still say how it would be coded, as those to HEAD do.
        let codings = if raw.is_empty() { Vec::new() } else { coding::codings(fields) };
        match coding::decode(raw, &codings, BODY_LIMIT) {
            Ok(body) => Self::Read(body),
            Err(wrong @ Undecoded::Wrong(_)) => Self::Wrong(wrong.to_string()),
            Err(why) => Self::Unknown(why.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
