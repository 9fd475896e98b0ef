//! Last words of a server before it hangs up. One that takes no more clients says so and closes at once: whoever writes first finds
//! the connection broken, and what was said has to be read before that is told.

use super::reason;
use crate::labels::Miss;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest that is taken for last words, in bytes.
const LONGEST: usize = 256;

/// All that a server has said so far, unless that is much.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    /// The stream, and what will be heard on it.
    pub(super) fn on<S>(stream: S) -> (Listening<S>, Self) {
        let heard = Self::default();
        (Listening { stream, heard: heard.clone(), is_broken: false }, heard)
    }

    /// The reason that a server gave which said nothing but an error.
    pub(super) fn reason(&self) -> Option<Miss> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let error = Some(&*heard).filter(|heard| heard.len() <= LONGEST)?.strip_prefix(b"-")?.strip_suffix(b"\r\n")?;
        let error = str::from_utf8(error).ok().filter(|error| !error.contains('\n'))?;
        let (code, detail) = error.split_once(' ').unwrap_or((error, ""));
        Some(reason::of_server(code, detail))
    }

    fn hears(&self, bytes: &[u8]) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What is longer than that by a byte is none, and never ends as one does.
        let left = (LONGEST + 1).saturating_sub(heard.len()).min(bytes.len());
        heard.extend_from_slice(&bytes[..left]);
    }
}

/// A stream that is heard to its end: where it can't be written to any more, what was said is still read.
#[derive(Debug)]
pub(super) struct Listening<S> {
    stream: S,
    heard: Heard,
    /// Nobody takes what is written.
    is_broken: bool,
}

impl<S> Listening<S> {
    /// Where the other side is gone, all is well: reading tells so, after its last words.
    fn unless_broken<T>(&mut self, result: Poll<io::Result<T>>, otherwise: T) -> Poll<io::Result<T>> {
        match result {
            Poll::Ready(Err(error))
                if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) =>
            {
                self.is_broken = true;
                Poll::Ready(Ok(otherwise))
            }
            result => result,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Listening<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if result.is_ready() {
            self.heard.hears(&buf.filled()[before..]);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listening<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_broken {
            return Poll::Ready(Ok(bytes.len()));
        }
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.unless_broken(result, bytes.len())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.unless_broken(result, ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.unless_broken(result, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Over TCP, since what a kernel keeps of a connection that was reset is what this is about.
    #[tokio::test]
    async fn what_was_said_is_read_though_nothing_can_be_written() {
        let host = host::tcp::host(host::tcp::Config::loopback("redis")).unwrap();
        let mut listener = host.listen(0).unwrap();
        let mut stream = host.dial("127.0.0.1", listener.port()).await.unwrap();
        let mut served = listener.accept().await.unwrap();
        served.write_all(b"-ERR max number of clients reached\r\n").await.unwrap();
        drop(served);
        let (mut listening, heard) = Heard::on(&mut stream);
        let until_broken = async {
            while !listening.is_broken {
                listening.write_all(b"PING\r\n").await.unwrap();
                host.sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), until_broken).await.expect("it is reset");
        listening.write_all(b"PING\r\n").await.unwrap();
        let mut said = Vec::new();
        // However it ends.
        let _ = listening.read_to_end(&mut said).await;
        assert_eq!(said, b"-ERR max number of clients reached\r\n");
        assert_eq!(heard.reason(), Some(Miss::MaxClients));
    }

    fn heard(said: &[&[u8]]) -> Option<Miss> {
        let heard = Heard::default();
        said.iter().for_each(|bytes| heard.hears(bytes));
        heard.reason()
    }

    #[test]
    fn an_error_that_stands_alone_is_the_reason() {
        assert_eq!(heard(&[b"-ERR max number of clients reached\r\n"]), Some(Miss::MaxClients));
        assert_eq!(heard(&[b"-ERR max numb", b"er of clients reached\r", b"\n"]), Some(Miss::MaxClients));
        assert_eq!(heard(&[b"-LOADING\r\n"]), Some(Miss::Loading));
        assert_eq!(heard(&[b"-DENIED Redis is running in protected mode\r\n"]), Some(Miss::ServerError));
    }

    #[test]
    fn what_is_more_or_less_than_an_error_is_none() {
        let long = [b"-ERR ".as_slice(), &[b'x'; 300], b"\r\n"].concat();
        let said: [&[&[u8]]; 7] = [
            &[],
            &[b"-ERR max number of clients"],
            &[b"+OK\r\n"],
            &[b"-ERR unknown subcommand\r\n-ERR unknown subcommand\r\n"],
            &[b"-ERR unknown command\r\n", b"+OK\r\n"],
            &[&long],
            &[b"-ERR ", &[b'x'; 300], b"-ERR max number of clients reached\r\n"],
        ];
        for said in said {
            assert_eq!(heard(said), None, "{said:?}");
        }
    }
}
