//! The seam of protocols: a filter reads along on a connection and says, step by step, what becomes of its bytes.
//!
//! Filters are pure: bytes and decisions in, steps out, no clock and no socket. They keep raw bytes as they came, and hold
//! back only what they must see whole before anything can be decided (a head, a command), within limits. What they can't
//! make sense of passes untouched, and so does all that follows on that connection ([`Filter::is_lost`]).
//!
//! A protocol is a row of `chaos_model::Protocol` and a [`Filter`]. Everything below (draws, ledger, tally, pumps) speaks of
//! messages, streams and bytes, and of no protocol.

mod decision;
mod message;
mod step;

pub use decision::{Decision, Drawn};
pub(crate) use message::shortened;
pub use message::{Key, Message};
pub use step::{Ending, Injected, Rate, Step, StreamId, Wait};

pub use crate::{attribution::Attribution, generated_body::GeneratedBody};

pub use chaos_model::event::Unreadable;

use chaos_model::{ArrivalId, Direction};

/// Makes the filter of a new connection: what [`chaos_model::protocol::Row::filter`] holds.
pub type NewFilter = fn() -> Box<dyn Filter>;

/// Reads along on one connection, and keeps what it has to know from one message to the next.
pub trait Filter: Send {
    /// Takes bytes that came in this direction and are not used up yet: those of earlier calls that were left, and new
    /// ones behind them. Puts down the steps that can be said now, for both directions: a filter may answer in the
    /// service's place, or send of its own. `Pass` and `Skip` of all steps together are at most `bytes.len()`, and of
    /// this direction.
    fn on_bytes(&mut self, direction: Direction, bytes: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>);

    /// The sender in this direction has ended its stream; `left` came and is not used up. What is neither passed nor
    /// skipped now passes.
    fn on_end(&mut self, direction: Direction, left: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>);

    /// A wait of this stream ([`Step::Wait`]) is over. Steps that are put down now stand where the wait stood: before
    /// all that waits behind it on this stream. A filter that keeps what it holds to itself (a head that is to be
    /// compressed, a message that would spend a window, the commands of a transaction) lets it go here. `left` is as for
    /// [`Filter::on_bytes`]. Those that put what they hold behind the wait at once have nothing to do.
    fn on_released(
        &mut self,
        direction: Direction,
        stream: StreamId,
        left: &[u8],
        decide: &mut dyn Decide,
        steps: &mut Vec<Step>,
    ) {
        let _ = (direction, stream, left, decide, steps);
    }

    /// The faults have changed; `left` is as for [`Filter::on_bytes`]. What a fault that is gone ([`Decide::has`]) was to do to a
    /// response of which nothing has gone yet is not done any more, and what was held back for it is let go. Asked for each
    /// direction, the way down first. What stands behind waits and rates is the proxy's to let go of.
    fn on_change(&mut self, direction: Direction, left: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        let _ = (direction, left, decide, steps);
    }

    /// The messages that were sent upstream and are not answered in full, in order.
    fn under_way(&self) -> Vec<Attribution>;

    /// Tells whether it reads along no more, and lets everything pass from now on, what was left of both directions
    /// first: it has lost track, or the connection speaks something else by now (HTTP after 101).
    fn is_lost(&self) -> bool;

    /// The reason for which it reads along no more. Asked where it is lost.
    fn unreadable(&self) -> Unreadable {
        Unreadable::Unclear
    }

    /// Tells whether what it lost track by is counted already ([`Decide::spare`], [`Step::Spared`]), or was nothing that a
    /// fault could have acted on. Then only what the client sends from then on is spared with the connection.
    fn has_counted(&self) -> bool {
        false
    }

    /// A few words for the response that begins with these bytes, for a trace: `200`, `nil`, `57 bytes`.
    fn words(&self, response: &[u8]) -> String;
}

/// Decides what happens to messages: the active faults, with what is drawn and counted for them.
pub trait Decide {
    /// Tells whether any active fault may act on messages. Where none does, a filter need not build what only decisions
    /// need; it still has to know where messages begin and end.
    fn is_armed(&self) -> bool;

    /// Tells whether somebody wants to know whose bytes pass ([`Step::About`]): the ledger of a fault on connections, or a
    /// trace.
    fn traces(&self) -> bool;

    /// Tells whether any active fault takes some messages and leaves others, so that a decision needs all that tells one
    /// from another: the body of a request that has no number.
    fn draws(&self) -> bool;

    /// Tells whether an arrival is of the run whose faults these are. What others carry is no number to draw by: whoever
    /// sends it could choose what faults take.
    fn knows(&self, arrival: ArrivalId) -> bool {
        let _ = arrival;
        false
    }

    /// Counts a message of a client by its kind: what it asks for, without what tells it from others of its kind. Told
    /// once for each as soon as it has come whole enough to be known, whether or not any fault is there, and whatever becomes
    /// of it.
    fn count(&mut self, kind: &str) {
        let _ = kind;
    }

    /// Takes note that something came from the client that can't be made sense of: messages may come on this connection that are
    /// not counted. Told once for a connection.
    fn unread(&mut self) {}

    /// Counts messages that nothing can be done to, for this reason, where it isn't known what they are: each fault counts them
    /// as its own.
    fn spare(&mut self, why: Unreadable, messages: u64) {
        let _ = (why, messages);
    }

    /// Counts a message that is known, and that nothing can be done to for this reason: each fault counts it that is for it.
    /// In place of [`Decide::on_message`].
    fn spare_message(&mut self, why: Unreadable, message: &dyn Message) {
        let _ = (why, message);
    }

    /// Tells whether the fault of an injection that was decided on is still there.
    fn has(&self, injected: &Injected) -> bool {
        let _ = injected;
        true
    }

    /// Decides what happens to this message. Asked once for each, in the order in which they come.
    fn on_message(&mut self, message: &dyn Message) -> Decision;
}

/// A slot for a filter in the row of a protocol that is handed in.
#[macro_export]
macro_rules! filter {
    ($new:expr) => {
        Some(&($new as $crate::protocol::NewFilter))
    };
}
