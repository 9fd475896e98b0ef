//! RESP, the protocol of Redis, in versions 2 and 3: bytes to [`Frame`]s and back, and the requests of clients.
//!
//! It knows no sockets and no server: a proxy uses it as much as the built-in Redis. Decoding is in two steps, so that a
//! proxy can pass on the very bytes that came: where a frame ends is found first ([`Scanner`]: each byte is looked at
//! once however it arrives), then the frame is cut from the buffer, and parsed without copying. [`RequestScanner`] does
//! the same for requests. Both keep nothing of what they pass by, so that strings of any size can be streamed.
//!
//! Deliberately absent: streamed strings and aggregates (`$?`, `*?`), which Redis doesn't send. Attributes (`|`), which it
//! sends when it is debugged alone, are passed by, and are no frames.

mod decode;
mod encode;
mod frame;
mod inline;
mod number;
mod request;
mod request_scan;
mod scan;

pub(crate) use encode::count;

pub use decode::{DecodeError, Decoder, Limits};
pub use frame::{Frame, Protocol};
pub use number::parse_integer;
pub use request::{ProtocolError, Request, RequestDecoder, RequestLimits};
pub use request_scan::{RequestPart, RequestScanner};
pub use scan::{Scanned, Scanner};
