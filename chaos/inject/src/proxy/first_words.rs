//! The first words of a connection on a link on which nothing is read: what protocol they are of is counted, once.

use crate::{link_tally::LinkTally, openings};
use chaos_model::{Direction, Protocol};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, ReadBuf};

/// The attention to the first words of one connection.
pub(super) struct FirstWords {
    /// Nothing is listened for any more, or never was.
    is_over: bool,
}

impl FirstWords {
    /// For a connection of a link of this protocol.
    pub(super) fn of(protocol: Protocol) -> Self {
        Self { is_over: protocol != Protocol::TCP }
    }

    /// A side to read from, whose bytes go in this direction.
    pub(super) fn hears<'a, R>(&'a mut self, from: R, direction: Direction, tally: &'a LinkTally) -> Hearing<'a, R> {
        Hearing { from, words: self, direction, tally }
    }
}

/// Reads what a side says.
pub(super) struct Hearing<'a, R> {
    from: R,
    words: &'a mut FirstWords,
    direction: Direction,
    tally: &'a LinkTally,
}

impl<R: AsyncRead + Unpin> AsyncRead for Hearing<'_, R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { from, words, direction, tally } = self.get_mut();
        let before = buf.filled().len();
        let result = std::task::ready!(Pin::new(from).poll_read(cx, buf));
        if !words.is_over && buf.filled().len() > before {
            words.is_over = true;
            tally.begins(openings::name(*direction, &buf.filled()[before..]));
        }
        Poll::Ready(result)
    }
}
