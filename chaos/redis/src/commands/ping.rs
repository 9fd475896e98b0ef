use super::{Call, Command, Refusal, Reply};
use crate::codec::Frame;
use bytes::Bytes;

/// `PING [message]`
pub(super) const PING: Command = Command::new("ping", run);

fn run(call: &mut Call<'_>) -> Reply {
    match call.after(1) {
        [] => Ok(Frame::Simple(Bytes::from_static(b"PONG"))),
        [message] => Ok(Frame::Bulk(message.clone())),
        _ => Err(Refusal::wrong_arity("ping")),
    }
}
