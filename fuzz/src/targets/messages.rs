//! Filters, without any fault: every byte passes as it came, in whichever pieces.

use super::{
    Target,
    script::{self, conversations, pieces},
};
use chaos_inject::{
    filter_of,
    protocol::{Decide, Decision, Filter, Message, Step},
};
use chaos_model::{Direction, Protocol};

pub(super) const HTTP: Target = Target {
    name: "http",
    about: "the filter of HTTP lets everything pass where no fault acts",
    seeds: || conversations(script::HTTP),
    words: script::HTTP_WORDS,
    start: || Box::new(|input| passes(Protocol::HTTP, input)),
};

pub(super) const REDIS: Target = Target {
    name: "redis",
    about: "the filter of Redis lets everything pass where no fault acts",
    seeds: || conversations(script::REDIS),
    words: script::REDIS_WORDS,
    start: || Box::new(|input| passes(Protocol::REDIS, input)),
};

/// Takes no message.
struct Calm {
    armed: bool,
}

impl Decide for Calm {
    fn is_armed(&self) -> bool {
        self.armed
    }

    fn traces(&self) -> bool {
        self.armed
    }

    fn draws(&self) -> bool {
        self.armed
    }

    fn on_message(&mut self, message: &dyn Message) -> Decision {
        // What a ledger would keep of it.
        let _ = (message.key(), message.subject());
        Decision::default()
    }
}

/// One direction.
#[derive(Default)]
struct Side {
    sent: Vec<u8>,
    left: Vec<u8>,
    out: Vec<u8>,
}

struct Wire {
    filter: Box<dyn Filter>,
    calm: Calm,
    sides: [Side; 2],
}

impl Wire {
    fn side(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[usize::from(direction == Direction::Downstream)]
    }

    fn send(&mut self, direction: Direction, bytes: &[u8]) {
        let side = self.side(direction);
        side.sent.extend_from_slice(bytes);
        side.left.extend_from_slice(bytes);
        let left = std::mem::take(&mut side.left);
        let mut steps = Vec::new();
        self.filter.on_bytes(direction, &left, &mut self.calm, &mut steps);
        self.apply(direction, left, &steps);
    }

    fn end(&mut self, direction: Direction) {
        let left = std::mem::take(&mut self.side(direction).left);
        let mut steps = Vec::new();
        self.filter.on_end(direction, &left, &mut self.calm, &mut steps);
        self.apply(direction, left, &steps);
        let side = self.side(direction);
        let rest = std::mem::take(&mut side.left);
        side.out.extend(rest);
    }

    fn apply(&mut self, direction: Direction, mut left: Vec<u8>, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Pass(to, _, count) => {
                    assert_eq!(*to, direction, "bytes of the other direction pass");
                    assert!(*count <= left.len(), "{count} of {} bytes pass", left.len());
                    self.side(direction).out.extend(left.drain(..*count));
                }
                Step::Skip(..)
                | Step::Insert(..)
                | Step::Generated(..)
                | Step::Wait(..)
                | Step::Rate(..)
                | Step::End(..) => {
                    panic!("nothing was to happen, and {step:?}")
                }
                _ => {}
            }
        }
        self.side(direction).left = left;
    }
}

fn passes(protocol: Protocol, input: &[u8]) {
    // About half of the inputs are looked at as if a fault were there.
    let armed = input.first().is_some_and(|first| first % 2 == 1);
    let filter = filter_of(protocol).expect("it has a filter");
    let mut wire = Wire { filter, calm: Calm { armed }, sides: <[Side; 2]>::default() };
    for (direction, piece) in pieces(input) {
        wire.send(direction, piece);
    }
    for direction in [Direction::Upstream, Direction::Downstream] {
        wire.end(direction);
    }
    for side in &wire.sides {
        assert!(side.sent == side.out, "{} came out of {}", side.out.escape_ascii(), side.sent.escape_ascii());
    }
    let _ = (wire.filter.under_way(), wire.filter.is_lost(), wire.filter.words(&wire.sides[1].sent));
}
