//! HTTP/1.1 on the bytes of a connection: where messages begin and end, and what faults make of responses.
//!
//! Framing is by own code, since every client or server library writes heads and chunks anew, and what passes must pass
//! byte for byte; heads are read by httparse. Requests and responses are paired in order, so that responses in the
//! service's place stand where they belong.
//!
//! Deliberately strict: what two readers might read in two ways (RFC 9112, section 11.2) is not read at all. The filter
//! is lost then and passes everything, and whoever is behind it decides what that means.

mod body;
mod canned;
mod deeds;
mod down;
mod exchange;
mod head;
mod plan;
mod request;
mod response;
mod up;

use chaos_model::Direction;

use self::{down::Down, exchange::Exchanges, up::Up};
use crate::protocol::{Attribution, Decide, Filter, Step, Unreadable};

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
        Self { up: Up::new(), down: Down::new(), exchanges: Exchanges::new() }
    }

    /// Gives up what can't be read on: where one way isn't understood, the other is read for as long as what it means
    /// is known.
    fn settle(&mut self) {
        if self.down.is_lost() || self.down.has_ended() {
            self.up.lose();
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
                let was_puzzled = self.down.is_puzzled();
                self.down.on_bytes(bytes, &mut self.exchanges, steps);
                if self.down.is_puzzled() && !was_puzzled && !self.up.is_lost() {
                    decide.unread();
                }
            }
        }
        self.settle();
    }

    fn under_way(&self) -> Vec<Attribution> {
        self.exchanges.iter().map(|exchange| exchange.attribution.clone()).collect()
    }

    fn on_end(&mut self, direction: Direction, left: &[u8], _: &mut dyn Decide, steps: &mut Vec<Step>) {
        match direction {
            Direction::Upstream => self.up.on_end(left, steps),
            Direction::Downstream => self.down.on_end(left, steps),
        }
        self.settle();
    }

    fn is_lost(&self) -> bool {
        self.up.is_lost() && self.down.is_lost()
    }

    fn unreadable(&self) -> Unreadable {
        if self.down.is_tunnel() { Unreadable::Upgraded } else { Unreadable::Unclear }
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
