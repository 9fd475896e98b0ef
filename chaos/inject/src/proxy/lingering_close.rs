//! The lingering close: the end of a connection by a fault that has counted its bytes. Each of them arrives, and then
//! the end.
//!
//! A reset throws away what the kernel has not delivered yet, and so does a close with bytes left unread (RFC 1122,
//! 4.2.2.13: it is a reset too). So a reset waits for the kernel, and an orderly close reads on for a while and throws
//! that away. Faults that change meanwhile don't wait for either.

use super::{
    alarm::Alarm,
    shared::{OpenConnection, Rules},
};
use crate::ending::Ending;
use chaos_model::{Direction, Directions};
use host::Stream;
use std::{
    future::poll_fn,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf},
    time::Instant,
};

/// Patience with a receiver of what was sent before a reset, and with ends that have to notice an orderly close.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends a connection, which goes by these rules, on both sides; there may be none of the service's.
pub(super) async fn end(
    open: &OpenConnection,
    rules: Arc<Rules>,
    (mut client, mut upstream): (Stream, Option<Stream>),
    ending: Ending,
    direction: Directions,
) {
    match ending {
        Ending::Reset => {
            if direction.has(Direction::Downstream) {
                until_sent(open, &rules, &mut client).await;
            }
            if let Some(upstream) = upstream.as_mut().filter(|_| direction.has(Direction::Upstream)) {
                until_sent(open, &rules, upstream).await;
            }
            // A reset makes the kernel drop what it has not delivered, so both have been waited for.
            client.abort();
            upstream.into_iter().for_each(Stream::abort);
        }
        Ending::Close => {
            close(open, rules, std::iter::once(client).chain(upstream).map(ClosingSide::new).collect()).await
        }
    }
}

/// Sends the client an error, as Redis has them, and ends its connection in good order.
pub(super) async fn turn_away(open: &OpenConnection, rules: Arc<Rules>, mut client: Stream, error: &str) {
    // Nothing was sent before it, so that the line fits into what the kernel holds. A client that has gone needs none.
    if client.write_all(format!("-{error}\r\n").as_bytes()).await.is_ok() {
        close(open, rules, vec![ClosingSide::new(client)]).await;
    }
}

async fn until_sent(open: &OpenConnection, rules: &Rules, to: &mut Stream) {
    let shared = &open.shared;
    let late = Instant::now() + PATIENCE;
    // What a layer holds has to be driven; what can't go now goes, or is lost, with what the kernel holds.
    let _ = futures_util::FutureExt::now_or_never(to.flush());
    // The kernel tells nobody when it is done. Mostly it is at once.
    while to.unsent() > 0 && shared.is_current(rules.generation) && Instant::now() < late {
        shared.host.sleep(Duration::from_micros(500)).await;
    }
}

struct ClosingSide {
    stream: Stream,
    told: bool,
    ended: bool,
}

impl ClosingSide {
    fn new(stream: Stream) -> Self {
        Self { stream, told: false, ended: false }
    }

    /// Says that this is the end, and hears the other end out; ready when it has said its last.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.told && Pin::new(&mut self.stream).poll_shutdown(cx).is_ready() {
            self.told = true;
        }
        while !self.ended {
            let mut buffer = [const { MaybeUninit::uninit() }; 4096];
            let mut buffer = ReadBuf::uninit(&mut buffer);
            let result = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
            self.ended = result.is_err() || buffer.filled().is_empty();
        }
        if self.told { Poll::Ready(()) } else { Poll::Pending }
    }
}

async fn close(open: &OpenConnection, rules: Arc<Rules>, mut sides: Vec<ClosingSide>) {
    let shared = &open.shared;
    let mut rules = Some(rules);
    let mut alarm = Alarm::new(shared.host.clone());
    let mut late = Instant::now() + PATIENCE;
    let mut progress = Progress { unsent: usize::MAX, since: late };
    poll_fn(|cx| {
        loop {
            open.register(cx);
            let waits = sides.iter_mut().filter_map(|side| side.poll(cx).is_pending().then_some(())).count() > 0;
            // Both sides have been told: there is nothing left that the rules ask for.
            rules = None;
            if !waits || shared.state().rules.stopped {
                return Poll::Ready(());
            }
            ready!(alarm.poll(cx, Some(late)));
            if !progress.goes_on(sides.iter().map(|side| side.stream.unsent()).sum(), late) {
                return Poll::Ready(());
            }
            late += Duration::from_millis(100);
        }
    })
    .await;
}

/// The progress of ends that have yet to take what was sent to them.
struct Progress {
    /// The fewest bytes that were left so far,
    unsent: usize,
    /// and since when.
    since: Instant,
}

impl Progress {
    /// Tells whether they are to be waited for, with so many bytes left. One that takes nothing for so long, and closes nothing, has no
    /// use for the end either: a connection of the proxy's would be taken up by it for ever.
    fn goes_on(&mut self, unsent: usize, now: Instant) -> bool {
        if unsent < self.unsent {
            *self = Self { unsent, since: now };
        }
        unsent > 0 && now < self.since + PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ends_are_waited_for_as_long_as_they_take_something() {
        let start = Instant::now();
        let mut progress = Progress { unsent: usize::MAX, since: start };
        let mut goes_on = |unsent, seconds| progress.goes_on(unsent, start + Duration::from_secs(seconds));
        assert!(goes_on(900, 0) && goes_on(900, 4) && goes_on(899, 4) && goes_on(899, 8) && goes_on(1, 8));
        assert!(!goes_on(0, 8), "all is there");
        assert!(goes_on(1, 12) && !goes_on(1, 13), "nothing was taken for five seconds");
    }
}
