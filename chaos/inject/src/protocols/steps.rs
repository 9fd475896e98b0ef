//! Steps of protocols that have one message at a time, on the one stream of the connection: as few as will do.

use crate::protocol::{Attribution, Ending, GeneratedBody, Rate, Step, StreamId, Wait};
use bytes::Bytes;
use chaos_model::Direction;

/// The list that steps are put into.
pub(super) type Steps<'a> = &'a mut Vec<Step>;

/// The only stream.
const ALL: StreamId = StreamId::CONNECTION;

/// Lets so many more bytes pass.
pub(super) fn pass(steps: Steps<'_>, direction: Direction, count: usize) {
    match steps.last_mut() {
        _ if count == 0 => {}
        Some(Step::Pass(last, _, before)) if *last == direction => *before += count,
        _ => steps.push(Step::Pass(direction, ALL, count)),
    }
}

/// Leaves so many more bytes out.
pub(super) fn skip(steps: Steps<'_>, direction: Direction, count: usize) {
    match steps.last_mut() {
        _ if count == 0 => {}
        Some(Step::Skip(last, before)) if *last == direction => *before += count,
        _ => steps.push(Step::Skip(direction, count)),
    }
}

/// Adds bytes to what goes in this direction.
pub(super) fn insert(steps: Steps<'_>, direction: Direction, bytes: Bytes) {
    if !bytes.is_empty() {
        steps.push(Step::Insert(direction, ALL, bytes));
    }
}

/// Adds steps that are about these bytes, which did not come just now: what passes of them is added.
pub(super) fn of_own(steps: Steps<'_>, mut bytes: &[u8], said: Vec<Step>) {
    let mut next = |count: usize| {
        let (these, rest) = bytes.split_at(count);
        bytes = rest;
        Bytes::copy_from_slice(these)
    };
    for step in said {
        match step {
            Step::Pass(direction, stream, count) => steps.push(Step::Insert(direction, stream, next(count))),
            Step::Skip(_, count) => drop(next(count)),
            other => steps.push(other),
        }
    }
}

/// Adds bytes to what goes to the client that are made as they are written.
pub(super) fn generate(steps: Steps<'_>, body: GeneratedBody) {
    steps.push(Step::Generated(Direction::Downstream, ALL, body));
}

/// Lets what follows to the client wait.
pub(super) fn wait(steps: Steps<'_>, wait: Wait) {
    steps.push(Step::Wait(Direction::Downstream, ALL, wait));
}

/// Sets the rate of what follows to the client; `None` lifts it.
pub(super) fn rate(steps: Steps<'_>, rate: Option<Rate>) {
    steps.push(Step::Rate(Direction::Downstream, ALL, rate));
}

/// Ends the connection behind what goes to the client before.
pub(super) fn end(steps: Steps<'_>, ending: Ending) {
    steps.push(Step::End(Direction::Downstream, ALL, ending));
}

/// Says what the bytes that follow belong to.
pub(super) fn about(steps: Steps<'_>, direction: Direction, attribution: Attribution) {
    steps.push(Step::About(direction, ALL, attribution));
}
