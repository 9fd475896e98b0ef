//! HTTP/1.1 on the bytes of a connection: where messages begin and end, and what faults make of responses.
//!
//! Framing is by own code, since every client or server library writes heads and chunks anew, and what passes must pass
//! byte for byte; libraries that read heads don't say where another reader would find another end. Requests and responses
//! are paired in order, so that responses in the service's place stand where they belong.
//!
//! Heads are read as widely as those do who get them, requests as nginx and responses as user agents, as long as all of
//! these find the same end (RFC 9112, section 11.2). Where only the end is sure, the message passes as it came, and the
//! next one is read. Else nobody knows where the next one begins: the filter is lost, and passes everything up to the end
//! of the connection. Either way it counts what it could not act on.

mod body;
mod canned;
mod deeds;
mod down;
mod exchange;
mod head;
mod held;
mod plan;
mod request;
mod response;
mod up;

use chaos_model::Direction;

use self::{down::Down, exchange::Exchanges, up::Up};
use crate::protocol::{Attribution, Decide, Filter, Step, Unreadable};
use crate::protocols::steps;

/// Reads along on a connection that speaks HTTP/1.
#[derive(Debug)]
pub(crate) struct HttpFilter {
    up: Up,
    down: Down,
    exchanges: Exchanges,
}

impl HttpFilter {
    /// For a new connection.
    pub(crate) fn new() -> Self {
        Self { up: Up::new(), down: Down::new(), exchanges: Exchanges::default() }
    }

    /// Says whose messages they are that have begun by now.
    fn tell_what_is_under_way(&self, steps: &mut Vec<Step>) {
        let asked = self.exchanges.last().filter(|_| self.up.is_within());
        let answered = self.exchanges.first().filter(|_| self.down.is_within());
        for (direction, of) in [(Direction::Upstream, asked), (Direction::Downstream, answered)] {
            of.into_iter().for_each(|exchange| steps::about(steps, direction, exchange.attribution.clone()));
        }
    }

    /// Gives up what can't be read on: where one way isn't understood, the other is read for as long as what it means
    /// is known.
    fn settle(&mut self, steps: &mut Vec<Step>) {
        let why = self.down.unreadable();
        if self.down.is_lost() || self.down.has_ended() {
            self.up.lose(why);
            why.into_iter().for_each(|why| self.exchanges.spare(why, steps));
            self.exchanges.clear();
        } else if self.up.is_lost() && self.down.is_idle() && self.exchanges.is_empty() {
            self.down.lose();
        }
    }
}

impl Filter for HttpFilter {
    fn on_bytes(&mut self, direction: Direction, bytes: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        self.down.trace(decide.traces());
        match direction {
            Direction::Upstream => {
                self.up.on_bytes(bytes, &mut self.exchanges, decide, steps);
                self.down.answer(&mut self.exchanges, steps);
            }
            Direction::Downstream => {
                let was_lost = self.down.is_lost();
                self.down.on_bytes(bytes, &mut self.exchanges, steps);
                let is_puzzled = self.down.unreadable().is_some_and(|why| why != Unreadable::Upgraded);
                // Requests that come now are not read.
                if is_puzzled && !was_lost && !self.up.is_lost() {
                    decide.unread();
                }
            }
        }
        self.settle(steps);
    }

    fn on_change(&mut self, direction: Direction, left: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        if direction == Direction::Downstream {
            if self.down.trace(decide.traces()) {
                self.tell_what_is_under_way(steps);
            }
            self.down.forget(&mut self.exchanges, &|injected| decide.has(injected), steps);
        }
        // A head that waited for the faults that are gone need not wait any more.
        self.on_bytes(direction, left, decide, steps);
    }

    fn under_way(&self) -> Vec<Attribution> {
        self.exchanges.iter().map(|exchange| exchange.attribution.clone()).collect()
    }

    fn on_end(&mut self, direction: Direction, left: &[u8], _: &mut dyn Decide, steps: &mut Vec<Step>) {
        match direction {
            Direction::Upstream => self.up.on_end(left, steps),
            Direction::Downstream => self.down.on_end(left, &mut self.exchanges, steps),
        }
        self.settle(steps);
    }

    fn is_lost(&self) -> bool {
        self.up.is_lost() && self.down.is_lost()
    }

    fn unreadable(&self) -> Unreadable {
        self.down.unreadable().or(self.up.unreadable()).unwrap_or(Unreadable::Unclear)
    }

    /// Each message that it loses track by is counted with its reason, and of others it knows that no fault is for them.
    fn has_counted(&self) -> bool {
        true
    }

    /// `200`, where the head's first line has come with its first bytes.
    fn words(&self, response: &[u8]) -> String {
        let word = response.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let known = word.len() == 3 && word.iter().all(u8::is_ascii_digit);
        if known { String::from_utf8_lossy(word).into_owned() } else { "a response".to_owned() }
    }
}

#[cfg(test)]
mod tests;
