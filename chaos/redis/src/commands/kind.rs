use super::Command;
use crate::{codec::Frame, server::Look};
use bytes::Bytes;

/// `TYPE key`: all that is here is a string.
pub(super) const TYPE: Command = Command::new("type", |call| {
    let is_there = call.deadline_ms(call.word(1), Look::Peek).is_some();
    Ok(Frame::Simple(Bytes::from_static(if is_there { b"string" } else { b"none" })))
});
