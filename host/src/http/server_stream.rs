//! The stream of a server's connection: what hyper leaves to do about what is read and written.

use super::target::Targets;
use crate::Stream;
use prometheus::IntCounter;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// Bytes that the kernel keeps of a response for which its client has no room yet: enough for the next round trip of a fast
/// one.
// It would keep 4 MiB of each that isn't read (net.ipv4.tcp_wmem), which no limit of connections could bound, and such a
// response would be written before its client took any of it.
const MOST_UNSENT: u32 = 128 << 10;

/// Looks at a write that waits, within its timeout: so it ends at most this share of the timeout late.
const LOOKS: u32 = 4;

/// A stream that is reset when the other end takes none of what is written to it for as long as the timeout.
///
/// Progress is a byte that the stream takes of a write, or one that the other end's machine is seen to take of those that
/// the stream has: a kernel that is full takes nothing more while a slow reader works its way through what it has.
pub(super) struct ServerStream {
    /// `None` once it was reset.
    stream: Option<Stream>,
    /// Zero: writes may wait for ever.
    timeout: Duration,
    /// Counts resets.
    stalled: Option<IntCounter>,
    /// The write that waits, if one does.
    wait: Option<Wait>,
    /// Reads along, where targets with a fragment are refused.
    targets: Option<Targets>,
}

struct Wait {
    next_look: Pin<Box<Sleep>>,
    /// Bytes that the stream had not brought to the other end, when it was looked at last.
    unsent: usize,
    /// The latest progress.
    since: Instant,
}

impl ServerStream {
    pub(super) fn new(stream: Stream, timeout: Duration, stalled: Option<IntCounter>) -> Self {
        stream.limit_unsent(MOST_UNSENT);
        Self { stream: Some(stream), timeout, stalled, wait: None, targets: None }
    }

    /// The same, where targets with a fragment are refused: see [`Targets`].
    pub(super) fn refusing_fragments(self, refuses: bool) -> Self {
        Self { targets: refuses.then(Targets::default), ..self }
    }

    /// Does something with the stream, if it is there still.
    fn with<T>(&mut self, poll: impl FnOnce(Pin<&mut Stream>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &mut self.stream {
            Some(stream) => poll(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
        }
    }

    /// The result of a write, or its end where it has waited for too long.
    fn within_time(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if result.is_ready() {
            self.wait = None;
            return result;
        }
        let Some(stream) = self.stream.as_ref().filter(|_| !self.timeout.is_zero()) else { return result };
        let wait = self.wait.get_or_insert_with(|| Wait {
            next_look: Box::pin(sleep(self.timeout / LOOKS)),
            unsent: stream.unsent(),
            since: Instant::now(),
        });
        while wait.next_look.as_mut().poll(cx).is_ready() {
            let (now, unsent) = (Instant::now(), stream.unsent());
            if unsent < wait.unsent {
                (wait.unsent, wait.since) = (unsent, now);
            } else if now - wait.since >= self.timeout {
                return self.reset();
            }
            wait.next_look.as_mut().reset(now + self.timeout / LOOKS);
        }
        Poll::Pending
    }

    /// A reset rather than an end: with that, the kernel would keep what it has, and try to bring it, for minutes.
    fn reset<T>(&mut self) -> Poll<io::Result<T>> {
        self.wait = None;
        self.stream.take().into_iter().for_each(Stream::abort);
        self.stalled.iter().for_each(IntCounter::inc);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for ServerStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = self.with(|stream| stream.poll_read(cx, buf));
        if let (Some(targets), Some(read)) = (&mut self.targets, buf.filled_mut().get_mut(before..)) {
            targets.spoil_fragments(read);
        }
        result
    }
}

impl AsyncWrite for ServerStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = self.with(|stream| stream.poll_write(cx, buf));
        self.within_time(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(cx))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.with(|stream| stream.poll_write_vectored(cx, bufs));
        self.within_time(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(Stream::is_write_vectored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Connection, stream::Halves};
    use std::sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    };
    use tokio::io::AsyncWriteExt as _;

    /// A connection that takes nothing more.
    #[derive(Clone, Default)]
    struct Full {
        /// Bytes that the other end has not taken yet.
        unsent: Arc<AtomicUsize>,
        aborted: Arc<AtomicBool>,
    }

    impl Connection for Full {
        fn split(&mut self) -> Halves<'_> {
            unreachable!("a server reads and writes the whole")
        }

        fn abort(self: Box<Self>) {
            self.aborted.store(true, Ordering::Relaxed);
        }

        fn peer(&self) -> String {
            String::new()
        }

        fn unsent(&self) -> usize {
            self.unsent.load(Ordering::Relaxed)
        }
    }

    impl AsyncRead for Full {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Full {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Pending
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn counter() -> IntCounter {
        IntCounter::new("stalled", "connections").unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_nobody_takes_ends_with_a_reset() {
        let (full, stalled) = (Full::default(), counter());
        full.unsent.store(1000, Ordering::Relaxed);
        let mut stream = ServerStream::new(Stream::new(full.clone()), TIMEOUT, Some(stalled.clone()));
        let start = Instant::now();
        assert_eq!(stream.write(b"x").await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed(), TIMEOUT);
        assert!(full.aborted.load(Ordering::Relaxed));
        // What comes after it ends at once, and counts no second time.
        assert_eq!(stream.write(b"x").await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(stream.flush().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!((start.elapsed(), stalled.get()), (TIMEOUT, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_other_end_takes_is_progress() {
        let (full, stalled) = (Full::default(), counter());
        full.unsent.store(10, Ordering::Relaxed);
        let mut stream = ServerStream::new(Stream::new(full.clone()), TIMEOUT, Some(stalled.clone()));
        let start = Instant::now();
        // A byte from time to time: the last of them after 90 s.
        let reading = async {
            loop {
                sleep(TIMEOUT - Duration::from_secs(1)).await;
                let _ = full.unsent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            }
        };
        tokio::select! {
            biased;
            result = stream.write(b"x") => assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut),
            () = reading => unreachable!("it reads on"),
        }
        let late = start.elapsed() - Duration::from_secs(90);
        assert!(late >= TIMEOUT && late <= TIMEOUT + 2 * TIMEOUT / LOOKS, "{late:?}");
        assert_eq!(stalled.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_timeout_a_write_waits_for_ever() {
        let full = Full::default();
        let mut stream = ServerStream::new(Stream::new(full.clone()), Duration::ZERO, None);
        let day = Duration::from_secs(86_400);
        assert!(tokio::time::timeout(day, stream.write(b"x")).await.is_err());
        assert!(!full.aborted.load(Ordering::Relaxed));
    }
}
