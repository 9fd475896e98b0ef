//! Questions to a Redis, past any proxy: whether it is ready, and that it forget. In RESP, by the codec of `chaos/redis`.

use bytes::BytesMut;
use chaos_model::protocol::Login;
use chaos_redis::codec::{Decoder, Frame, Limits, Request};
use host::Stream;
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Bytes that a reply to a question here may have.
const LONGEST: usize = 4096;

/// A connection to a Redis that is asked one thing after the other.
pub(crate) struct Asking {
    stream: Stream,
    decoder: Decoder,
    buffer: BytesMut,
}

impl Asking {
    pub(crate) fn new(stream: Stream) -> Self {
        let limits = Limits { bytes: LONGEST, ..Limits::default() };
        Self { stream, decoder: Decoder::new(limits), buffer: BytesMut::new() }
    }

    /// Sends a command, and gives the reply.
    pub(crate) async fn ask(&mut self, words: &[&str]) -> io::Result<Frame> {
        let mut request = BytesMut::new();
        Request::encode(words, &mut request);
        self.stream.write_all(&request).await?;
        loop {
            let frame = self.decoder.decode(&mut self.buffer);
            if let Some(frame) = frame.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))? {
                return Ok(frame);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Logs in; gives the reply.
    pub(crate) async fn log_in(&mut self, login: &Login) -> io::Result<Frame> {
        match &login.user {
            Some(user) => self.ask(&["AUTH", user, &login.password]).await,
            None => self.ask(&["AUTH", &login.password]).await,
        }
    }
}

/// The verdict on a reply to `PING`.
///
/// # Errors
/// Where it says that the server can't serve: the reply, in words.
pub(crate) fn judge_ping(reply: &Frame) -> Result<(), String> {
    match (reply, code(reply)) {
        (Frame::Simple(text), _) if text == "PONG" => Ok(()),
        // It answers, and not to strangers: whoever has a password is served. `LOADING`, `MASTERDOWN` and their like say
        // that nobody is.
        (_, Some("NOAUTH" | "WRONGPASS" | "NOPERM")) => Ok(()),
        _ => Err(format!("it answered `{}`", shown(reply))),
    }
}

/// The first word of an error, by which it is known.
pub(crate) fn code(reply: &Frame) -> Option<&str> {
    let text = reply.as_error()?;
    std::str::from_utf8(text).ok()?.split(' ').next()
}

/// A reply as people read it: an error as it goes over the wire.
pub(crate) fn shown(reply: &Frame) -> String {
    match reply {
        Frame::Simple(text) => format!("+{}", String::from_utf8_lossy(text)),
        reply => match reply.as_error() {
            Some(text) => format!("-{}", String::from_utf8_lossy(text)),
            None => "something else".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redis_that_refuses_strangers_is_ready_and_one_that_loads_is_not() {
        for ready in ["NOAUTH Authentication required.", "WRONGPASS invalid username-password pair", "NOPERM no"] {
            assert_eq!(judge_ping(&Frame::error(ready)), Ok(()), "{ready}");
        }
        assert_eq!(judge_ping(&Frame::Simple("PONG".into())), Ok(()));
        for not in ["LOADING Redis is loading", "MASTERDOWN Link with MASTER is down", "ERR NOAUTH"] {
            assert_eq!(judge_ping(&Frame::error(not)), Err(format!("it answered `-{not}`")));
        }
        assert!(judge_ping(&Frame::OK).is_err() && judge_ping(&Frame::Null).is_err());
    }
}
