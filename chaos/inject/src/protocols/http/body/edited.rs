//! A response's body on its way through its edits.

use super::{
    Body,
    chain::{Chain, Piece},
    chunked::Run,
};
use crate::{
    protocol::{Ending, Injected, Step},
    protocols::{
        http::head::without_validators,
        steps::{self, Steps},
    },
};
use bytes::Bytes;
use chaos_model::Direction;

/// A body that is changed.
#[derive(Debug)]
pub(crate) struct Edited {
    source: Body,
    chain: Chain,
    /// End of the connection behind the last byte that comes out of the chain.
    ending: Option<Ending>,
    progress: Progress,
    /// Injections that are told once their edits have changed something.
    perhaps: Vec<(usize, Injected)>,
    /// The trailer section, where something may have to be left out of it, behind the line before it.
    trailer: Option<Vec<u8>>,
}

/// The longest trailer section of which something is left out.
const LONGEST_TRAILER: usize = 64 * 1024;

/// Progress of a body behind its edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More may come.
    Open,
    /// All of it has, and the rest of the source is left out.
    Whole,
    /// The connection has been ended behind it.
    Ended,
}

impl Edited {
    pub(crate) fn new(source: Body, chain: Chain, ending: Option<Ending>) -> Self {
        Self { source, chain, ending, progress: Progress::Open, perhaps: Vec::new(), trailer: None }
    }

    /// Tells these injections once the edit of their place has changed something.
    pub(crate) fn telling(self, perhaps: Vec<(usize, Injected)>) -> Self {
        Self { perhaps, ..self }
    }

    /// The same, with a trailer section that is right for what becomes of the body.
    pub(crate) fn with_right_trailer(mut self, right: bool) -> Self {
        self.trailer = right.then(Vec::new);
        self
    }

    /// Tells whether all of its source has come.
    pub(crate) fn is_over(&self) -> bool {
        self.source.is_over()
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    /// Says the steps that don't wait for any of the body.
    pub(crate) fn begin(&mut self, steps: Steps<'_>) {
        self.feed(None, self.source.is_over(), steps);
    }

    /// The count of these bytes that are of this body; 0 where its framing is broken. There is at least one byte.
    pub(crate) fn take(&mut self, bytes: &[u8], steps: Steps<'_>) -> usize {
        let mut at = 0;
        while at < bytes.len() && !self.source.is_over() {
            let Some(count) = self.run(&bytes[at..], steps) else { break };
            at += count;
        }
        at
    }

    fn run(&mut self, bytes: &[u8], steps: Steps<'_>) -> Option<usize> {
        Some(match self.source.run(bytes)? {
            Run::Framing(count) => {
                steps::skip(steps, Direction::Downstream, count);
                count
            }
            Run::Data(count) => {
                steps::skip(steps, Direction::Downstream, count);
                if self.progress == Progress::Open {
                    self.expect();
                    let ends = matches!(self.source, Body::Length(0));
                    self.feed(Some(&bytes[..count]), ends, steps);
                } else {
                    self.chain.leave_out();
                    self.tell(steps);
                }
                count
            }
            Run::Trailer(count) => {
                if self.progress == Progress::Open && !self.chain.is_over() {
                    self.end(false, steps);
                }
                match &mut self.trailer {
                    None if self.progress == Progress::Open => steps::pass(steps, Direction::Downstream, count),
                    Some(trailer) if self.progress == Progress::Open => {
                        steps::skip(steps, Direction::Downstream, count);
                        trailer.extend_from_slice(&bytes[..count]);
                        self.put_trailer(steps);
                    }
                    _ => steps::skip(steps, Direction::Downstream, count),
                }
                count
            }
        })
    }

    fn expect(&mut self) {
        match &self.source {
            Body::Length(_) => {}
            Body::Chunked(chunked) => self.chain.expect(chunked.size()),
            Body::UntilClose => self.chain.expect(1),
        }
    }

    /// The source is at its end, that of the stream or before the trailer section.
    fn end(&mut self, closed: bool, steps: Steps<'_>) {
        let pieces = self.chain.feed(None, true);
        self.tell(steps);
        self.put(pieces, steps);
        match self.ending {
            Some(ending) => self.close(ending, steps),
            None if closed => self.progress = Progress::Whole,
            None => match &mut self.trailer {
                Some(trailer) => trailer.extend_from_slice(b"0\r\n"),
                None => steps::insert(steps, Direction::Downstream, Bytes::from_static(b"0\r\n")),
            },
        }
    }

    /// Says the trailer section once it is whole, or too long to keep.
    fn put_trailer(&mut self, steps: Steps<'_>) {
        let is_whole = self.source.is_over();
        let done = self.trailer.take_if(|trailer| is_whole || trailer.len() > LONGEST_TRAILER);
        if let Some(trailer) = done {
            let right = if is_whole { without_validators(&trailer) } else { trailer };
            steps::insert(steps, Direction::Downstream, Bytes::from(right));
        }
    }

    /// The stream has ended. A body that ends with it is whole, any other was cut off by its sender.
    pub(crate) fn on_end(&mut self, steps: Steps<'_>) {
        if self.progress == Progress::Open && matches!(self.source, Body::UntilClose) {
            self.end(true, steps);
        }
    }

    /// Takes bytes of its source, with nothing behind them where it `ends`.
    pub(crate) fn feed(&mut self, bytes: Option<&[u8]>, ends: bool, steps: Steps<'_>) {
        let pieces = self.chain.feed(bytes.map(|bytes| Piece::Bytes(bytes.to_vec())), ends);
        self.tell(steps);
        self.put(pieces, steps);
        if self.progress != Progress::Open || !self.chain.is_over() {
            return;
        }
        match (self.ending, &self.source) {
            (Some(ending), _) => self.close(ending, steps),
            (None, Body::Length(_)) => self.progress = Progress::Whole,
            (None, Body::Chunked(_)) => {
                steps::insert(steps, Direction::Downstream, Bytes::from_static(b"0\r\n\r\n"));
                self.progress = Progress::Whole;
            }
            // Here the close is the framing.
            (None, Body::UntilClose) => self.close(Ending::Close, steps),
        }
    }

    /// Tells the injections whose edits have changed something by now.
    fn tell(&mut self, steps: Steps<'_>) {
        let chain = &self.chain;
        let acted = self.perhaps.extract_if(.., |(place, _)| chain.has_acted(*place));
        steps.extend(acted.map(|(_, injected)| Step::Fired(injected)));
    }

    fn close(&mut self, ending: Ending, steps: Steps<'_>) {
        steps::end(steps, ending);
        self.progress = Progress::Ended;
    }

    fn put(&self, pieces: Vec<Piece>, steps: Steps<'_>) {
        let chunked = matches!(self.source, Body::Chunked(_));
        for piece in pieces {
            let length = piece.length();
            if length == 0 {
                continue;
            }
            if chunked {
                steps::insert(steps, Direction::Downstream, Bytes::from(format!("{length:x}\r\n")));
            }
            match piece {
                Piece::Bytes(bytes) => steps::insert(steps, Direction::Downstream, Bytes::from(bytes)),
                Piece::Generated(fill) => steps::generate(steps, fill),
            }
            if chunked {
                steps::insert(steps, Direction::Downstream, Bytes::from_static(b"\r\n"));
            }
        }
    }
}
