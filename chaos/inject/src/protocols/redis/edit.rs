//! Edits of a server's reply.

use super::{VALUE_BYTES, miss::Nothing, values::Values};
use bytes::{Bytes, BytesMut};
use chaos_model::effect::action::Part;
use chaos_redis::codec::{Frame, Protocol, Scanner};
use std::sync::Arc;

/// A change of a reply, made for its command.
#[derive(Debug)]
pub(super) enum Edit {
    /// Leaves the reply out.
    Lose,
    /// This error in place of the reply to `DISCARD`, which the server was sent in place of `EXEC`.
    Abort(String),
    /// Passes this part of it, and ends the connection.
    Cut(Part),
    /// There is nothing.
    Nothing(Nothing),
    /// The first that was seen.
    Stale(ReadCommand),
    /// Another value: this one, or one that was seen, or its own in reverse.
    Wrong { given: Option<Bytes>, read: ReadCommand },
}

/// The read that a reply belongs to.
#[derive(Debug)]
pub(super) struct ReadCommand {
    /// The command with its arguments, and the database.
    pub(super) what: Vec<u8>,
    pub(super) values: Arc<Values>,
}

/// The outcome of an edit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The reply stays as it is: nothing happened.
    Same,
    /// It stays as it is, since it is longer than what is kept.
    TooLong,
    /// Bytes that come in its place.
    Other(Bytes),
    /// So many bytes of it, and the connection ends.
    Cut(u64),
}

/// Tells whether more of a reply comes than is held.
pub(super) fn is_too_long(reply: &[u8], whole: bool, scanner: &Scanner) -> bool {
    !whole && (reply.len() > VALUE_BYTES || scanner.at_least() > VALUE_BYTES)
}

impl Edit {
    /// Tells whether it is one of a value: within a transaction, of the result and not of the whole reply to `EXEC`.
    pub(super) fn is_of_value(&self) -> bool {
        matches!(self, Self::Nothing(_) | Self::Stale(_) | Self::Wrong { .. })
    }

    /// The outcome for the reply of which `reply` has come, or nothing while more of it must be seen.
    pub(super) fn outcome(&self, reply: &[u8], whole: bool, scanner: &Scanner, protocol: Protocol) -> Option<Outcome> {
        let too_long = is_too_long(reply, whole, scanner);
        let kind = scanner.kind();
        let is_error = matches!(kind, Some(b'-' | b'!'));
        match self {
            Self::Lose => Some(Outcome::Other(Bytes::new())),
            Self::Nothing(nothing) => Some(Outcome::Other(nothing.bytes(protocol))),
            Self::Cut(Part::Bytes(bytes)) => Some(Outcome::Cut(*bytes)),
            Self::Cut(part) => {
                let length_is_known = scanner.at_least() > reply.len() && matches!(kind, Some(b'$' | b'=' | b'!'));
                let known = whole || length_is_known || too_long;
                known.then(|| Outcome::Cut(part.of(scanner.at_least().max(reply.len()) as u64)))
            }
            Self::Stale(_) if is_error => Some(Outcome::Same),
            // It refused that too, or there was no transaction.
            Self::Abort(_) if is_error && whole => Some(match reply {
                b"-ERR DISCARD without MULTI\r\n" => Outcome::Other(Bytes::from_static(b"-ERR EXEC without MULTI\r\n")),
                _ => Outcome::Same,
            }),
            Self::Abort(_) if is_error => None,
            Self::Abort(text) => Some(Outcome::Other(error(text))),
            Self::Wrong { .. } if kind.is_some_and(|kind| kind != b'$') => Some(Outcome::Same),
            _ if !whole && !too_long => None,
            Self::Stale(read) => {
                let what = read.what(protocol);
                Some(changed(reply, read.values.first(&what, whole.then_some(reply)), scanner))
            }
            Self::Wrong { given, read } => {
                // Where there is no value, there is no wrong one.
                let own = whole.then(|| value(reply));
                if own == Some(None) {
                    return Some(Outcome::Same);
                }
                let seen = |reply| read.values.other(&read.what, reply);
                let wrong = match (given, own.flatten()) {
                    (Some(given), _) => Some(string(given)),
                    (None, Some(own)) => Some(seen(Some(reply)).unwrap_or_else(|| reversed(own))),
                    (None, None) => seen(None),
                };
                Some(changed(reply, wrong, scanner))
            }
        }
    }
}

impl ReadCommand {
    /// With the version of the protocol, in which replies differ.
    fn what(&self, protocol: Protocol) -> Vec<u8> {
        let mut what = self.what.clone();
        what.push(u8::from(protocol == Protocol::Resp3));
        what
    }
}

/// A reply that would be the same has not been changed.
fn changed(reply: &[u8], other: Option<Bytes>, scanner: &Scanner) -> Outcome {
    match other {
        Some(other) if *other != *reply => Outcome::Other(other),
        _ if reply.len().max(scanner.at_least()) > VALUE_BYTES => Outcome::TooLong,
        _ => Outcome::Same,
    }
}

/// The value in a reply that is a string.
fn value(reply: &[u8]) -> Option<Bytes> {
    match Frame::parse(&Bytes::copy_from_slice(reply)) {
        Ok(Frame::Bulk(value)) => Some(value),
        _ => None,
    }
}

fn reversed(value: Bytes) -> Bytes {
    let mut bytes = Vec::from(value);
    bytes.reverse();
    string(&bytes)
}

fn error(text: &str) -> Bytes {
    let mut out = BytesMut::new();
    Frame::error(text).encode(Protocol::Resp2, &mut out);
    out.freeze()
}

fn string(value: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    Frame::bulk(value).encode(Protocol::Resp2, &mut out);
    out.freeze()
}
