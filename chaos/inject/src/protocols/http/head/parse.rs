//! The meaning of a head: its first line and fields.

use super::fold::unfold;
use httparse::{Error, Header, ParserConfig, Request, Response, Result, Status};
use std::{borrow::Cow, mem::MaybeUninit};

/// Fields that are read without allocation.
const FEW: usize = 64;

/// The framing that a head announces for its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announced {
    Nothing,
    Length(u64),
    Chunked,
}

/// A request's head.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a str,
    /// Target, as sent.
    pub(crate) target: &'a str,
    pub(crate) minor: u8,
    pub(crate) fields: &'a [Header<'a>],
    pub(crate) announced: Announced,
}

/// A response's head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) announced: Announced,
}

impl Ask<'_> {
    /// Tells whether the client waits to be told to send its body (RFC 9110, section 10.1.1).
    pub(crate) fn expects(&self) -> bool {
        self.minor > 0 && self.says("expect", b"100-continue")
    }

    /// Tells whether the connection ends behind the response.
    pub(crate) fn closes(&self) -> bool {
        self.minor == 0 || self.says("connection", b"close")
    }

    fn says(&self, name: &str, word: &[u8]) -> bool {
        let fields = self.fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        fields.flat_map(|field| words(field.value)).any(|it| it.eq_ignore_ascii_case(word))
    }
}

/// Reads a complete head. `None` where it can't be read, or not in one way alone.
pub(crate) fn parse_ask<T>(head: &[u8], folded: bool, read: impl FnOnce(&Ask<'_>) -> T) -> Option<T> {
    let head = flat(head, folded)?;
    let mut few = [const { MaybeUninit::uninit() }; FEW];
    let mut many = Vec::new();
    let mut request = Request::new(&mut []);
    let mut parsed = ParserConfig::default().parse_request_with_uninit_headers(&mut request, &head, &mut few);
    if parsed == Err(Error::TooManyHeaders) {
        many.resize_with(head.len() / 4, MaybeUninit::uninit);
        parsed = ParserConfig::default().parse_request_with_uninit_headers(&mut request, &head, &mut many);
    }
    let minor = request.version.filter(|_| is_all(parsed, &head))?;
    let fields = &*request.headers;
    let announced = announced(fields, minor)?;
    Some(read(&Ask { method: request.method?, target: request.path?, minor, fields, announced }))
}

/// Reads a complete head. `None` where it can't be read, or not in one way alone.
pub(crate) fn parse_reply(head: &[u8], folded: bool) -> Option<Reply> {
    let head = flat(head, folded)?;
    let mut few = [const { MaybeUninit::uninit() }; FEW];
    let mut many = Vec::new();
    let mut response = Response::new(&mut []);
    let mut parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut response, &head, &mut few);
    if parsed == Err(Error::TooManyHeaders) {
        many.resize_with(head.len() / 4, MaybeUninit::uninit);
        parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut response, &head, &mut many);
    }
    let minor = response.version.filter(|_| is_all(parsed, &head))?;
    Some(Reply { status: response.code?, announced: announced(response.headers, minor)? })
}

fn flat(head: &[u8], folded: bool) -> Option<Cow<'_, [u8]>> {
    if folded { unfold(head).map(Cow::Owned) } else { Some(Cow::Borrowed(head)) }
}

fn is_all(parsed: Result<usize>, head: &[u8]) -> bool {
    parsed == Ok(Status::Complete(head.len()))
}

/// RFC 9112, section 6.3. `None` for all that has been used to make two readers see two messages: a length twice, a
/// length beside a coding, a coding twice, one in HTTP/1.0, one that is not chunked in the end.
fn announced(fields: &[Header<'_>], minor: u8) -> Option<Announced> {
    let mut announced = Announced::Nothing;
    for field in fields {
        let says = match field.name.len() {
            14 if field.name.eq_ignore_ascii_case("content-length") => Announced::Length(length(field.value)?),
            17 if field.name.eq_ignore_ascii_case("transfer-encoding") => chunked(field.value, minor)?,
            _ => continue,
        };
        if announced != Announced::Nothing {
            return None;
        }
        announced = says;
    }
    Some(announced)
}

fn length(value: &[u8]) -> Option<u64> {
    // Without this, `+5` would be read as 5.
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok()?.parse().ok().filter(|_| digits)
}

fn chunked(value: &[u8], minor: u8) -> Option<Announced> {
    let is_chunked = |word: &&[u8]| word.eq_ignore_ascii_case(b"chunked");
    let last = words(value).last().filter(is_chunked);
    (minor > 0 && last.is_some() && words(value).filter(is_chunked).count() == 1).then_some(Announced::Chunked)
}

/// The members of a list.
fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}
