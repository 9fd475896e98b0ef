//! Responses, on their way to the client.

use super::{
    body::{Body, Edited, Progress},
    exchange::{Exchange, Exchanges},
    head::{Found, MessageKind, Reply, Scan, parse_reply},
    held::Held,
    response::{self, Begun},
};
use crate::protocol::{Ending, Injected, Step, Unreadable};
use crate::protocols::steps::{self, Steps};
use chaos_model::Direction;

#[derive(Debug)]
pub(super) struct Down {
    state: ResponseState,
    scan: Scan,
    /// Bytes of a head that have passed already: where nothing happens to a response, it is not held back.
    passed: Vec<u8>,
    /// Faults on connections want to know whose bytes they are.
    traces: bool,
}

#[derive(Debug)]
enum ResponseState {
    /// At the beginning of a response, or in its head.
    Head,
    /// In a body that goes on as it is, at a rate perhaps.
    Passed(Body, bool),
    /// In a body that is changed, at a rate perhaps.
    Edited(Box<Edited>, bool),
    /// In the body of a response that is kept until it is known what can be made of it.
    Held(Box<Held>),
    /// The connection has been ended.
    Ended,
    /// The connection speaks something else, as both ends agreed.
    Tunnel,
    /// Nothing is read any more, for this reason; none where nothing more will come up.
    Lost(Option<Unreadable>),
}

/// The part of some bytes that was taken.
enum Progressed {
    /// So many.
    Bytes(usize),
    /// None, and more are needed.
    Nothing,
    /// The bytes are not understood.
    Lost(Unreadable),
}

impl Down {
    pub(super) fn new() -> Self {
        Self { state: ResponseState::Head, scan: Scan::new(MessageKind::Response), passed: Vec::new(), traces: false }
    }

    /// Says from now on whose responses come, or no more; tells whether that is new.
    pub(super) fn trace(&mut self, traces: bool) -> bool {
        let traced = std::mem::replace(&mut self.traces, traces);
        traces && !traced
    }

    /// Tells whether some of a response has passed, and more may.
    pub(super) fn is_within(&self) -> bool {
        let is_head = matches!(self.state, ResponseState::Head) && !self.passed.is_empty();
        is_head || matches!(self.state, ResponseState::Passed(..) | ResponseState::Edited(..))
    }

    fn tell(&self, exchange: &Exchange, steps: Steps<'_>) {
        if self.traces {
            steps::about(steps, Direction::Downstream, exchange.attribution.clone());
        }
    }

    /// Tells whether everything that comes passes.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.state, ResponseState::Lost(_) | ResponseState::Tunnel)
    }

    /// The reason for which nothing is read any more, where there is one: the connection may speak something else by now, as
    /// both ends agreed.
    pub(super) fn unreadable(&self) -> Option<Unreadable> {
        match &self.state {
            ResponseState::Lost(why) => *why,
            ResponseState::Tunnel => Some(Unreadable::Upgraded),
            ResponseState::Head
            | ResponseState::Held(_)
            | ResponseState::Passed(..)
            | ResponseState::Edited(..)
            | ResponseState::Ended => None,
        }
    }

    /// Lets everything pass from now on, once nothing is owed.
    pub(super) fn lose(&mut self) {
        if !self.is_lost() {
            self.state = ResponseState::Lost(None);
        }
    }

    /// Tells whether the connection has been ended, or the service's stream has.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, ResponseState::Ended)
    }

    /// Tells whether it is between two responses.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, ResponseState::Head) && self.passed.is_empty()
    }

    pub(super) fn on_bytes(&mut self, bytes: &[u8], exchanges: &mut Exchanges, steps: Steps<'_>) {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let took = match &mut self.state {
                ResponseState::Lost(_) | ResponseState::Tunnel => {
                    steps::pass(steps, Direction::Downstream, rest.len());
                    Progressed::Bytes(rest.len())
                }
                ResponseState::Ended => {
                    steps::skip(steps, Direction::Downstream, rest.len());
                    Progressed::Bytes(rest.len())
                }
                ResponseState::Passed(body, _) => match body.take(rest) {
                    Some(count) => {
                        steps::pass(steps, Direction::Downstream, count);
                        Progressed::Bytes(count)
                    }
                    None => Progressed::Lost(Unreadable::AmbiguousLength),
                },
                ResponseState::Edited(..) => self.on_edited(rest, steps),
                ResponseState::Held(_) => self.on_held(rest, exchanges, steps),
                ResponseState::Head => self.on_head(rest, exchanges, steps),
            };
            match took {
                Progressed::Bytes(count) => at += count,
                Progressed::Nothing => return,
                Progressed::Lost(why) => {
                    self.lift(steps);
                    self.state = ResponseState::Lost(Some(why));
                    return steps::pass(steps, Direction::Downstream, rest.len());
                }
            }
            self.settle(exchanges, steps);
        }
    }

    fn on_edited(&mut self, bytes: &[u8], steps: Steps<'_>) -> Progressed {
        let ResponseState::Edited(edited, _) = &mut self.state else { return Progressed::Nothing };
        let count = edited.take(bytes, steps);
        if count == 0 && edited.progress() == Progress::Whole {
            // The client has the whole of what was made of it, and would take the rest for the next response.
            steps::skip(steps, Direction::Downstream, bytes.len());
            steps::end(steps, Ending::Close);
            self.state = ResponseState::Ended;
            return Progressed::Bytes(bytes.len());
        }
        if count == 0 {
            return Progressed::Lost(Unreadable::AmbiguousLength);
        }
        if edited.progress() == Progress::Ended {
            self.state = ResponseState::Ended;
        }
        Progressed::Bytes(count)
    }

    fn on_held(&mut self, bytes: &[u8], exchanges: &mut Exchanges, steps: Steps<'_>) -> Progressed {
        let ResponseState::Held(held) = &mut self.state else { return Progressed::Nothing };
        let Some(count) = held.take(bytes) else {
            // What could not be kept comes behind what was.
            self.release(exchanges, false, steps);
            return Progressed::Bytes(0);
        };
        steps::skip(steps, Direction::Downstream, count);
        if held.is_whole(false) {
            self.release(exchanges, false, steps);
        }
        Progressed::Bytes(count)
    }

    /// Goes on with a response that was kept, as if it came now; `closed` says that the service sends nothing more.
    fn release(&mut self, exchanges: &mut Exchanges, closed: bool, steps: Steps<'_>) {
        let ResponseState::Held(held) = std::mem::replace(&mut self.state, ResponseState::Head) else { return };
        let Some(exchange) = exchanges.front_mut() else { return };
        let message =
            if held.is_whole(closed) { held.settle(exchange, steps) } else { held.give_up(exchange, closed, steps) };
        self.read_again(&message, exchanges, steps);
    }

    /// Goes on with bytes that came before, as if they came now.
    fn read_again(&mut self, bytes: &[u8], exchanges: &mut Exchanges, steps: Steps<'_>) {
        let mut again = Vec::new();
        self.on_bytes(bytes, exchanges, &mut again);
        steps::of_own(steps, bytes, again);
    }

    /// The faults have changed: what those that are gone were to do to responses is left out, and what was kept for them goes
    /// on. A response that has begun goes on as it did.
    pub(super) fn forget(&mut self, exchanges: &mut Exchanges, is_there: &dyn Fn(&Injected) -> bool, steps: Steps<'_>) {
        exchanges.forget(is_there);
        if let ResponseState::Held(held) = &self.state
            && exchanges.front_mut().is_some_and(|exchange| !held.is_wanted(exchange))
            && let ResponseState::Held(held) = std::mem::replace(&mut self.state, ResponseState::Head)
        {
            self.read_again(&held.let_go(), exchanges, steps);
        }
    }

    fn on_head(&mut self, bytes: &[u8], exchanges: &mut Exchanges, steps: Steps<'_>) -> Progressed {
        match exchanges.front_mut() {
            // A response to nothing, or to what the service was not asked.
            None => Progressed::Lost(Unreadable::Unasked),
            Some(exchange) if exchange.is_canned() => Progressed::Lost(Unreadable::Unasked),
            Some(exchange) if exchange.plan.is_some() => self.on_held_head(bytes, exchange, steps),
            Some(exchange) => self.on_passed_head(bytes, exchange, steps),
        }
    }

    /// Takes the head of a response to which something happens: nothing of it goes on before it is complete.
    fn on_held_head(&mut self, bytes: &[u8], exchange: &mut Exchange, steps: Steps<'_>) -> Progressed {
        let (start, end) = match self.scan.find(bytes) {
            Found::Part => return Progressed::Nothing,
            Found::Nothing(why) => return Progressed::Lost(why),
            Found::Head { start, end, .. } => (start, end),
        };
        let (reply, body) = match read(&bytes[start..end], exchange) {
            Ok(read) => read,
            Err(why) => return Progressed::Lost(why),
        };
        if !is_interim(reply.status) {
            if !reply.is_sure {
                // What the client makes of this head isn't known, and so is none of what faults make of it.
                let injected = exchange.plan.take().map(|plan| plan.injected).unwrap_or_default();
                steps.extend(injected.into_iter().map(|one| Step::Spared(one, Unreadable::UnreadableHead)));
            }
            if let Some(held) = Held::new(exchange, &bytes[..end], (reply.status, body), steps) {
                steps::skip(steps, Direction::Downstream, end);
                self.state = ResponseState::Held(held);
                return Progressed::Bytes(end);
            }
        }
        self.tell(exchange, steps);
        if is_interim(reply.status) {
            steps::pass(steps, Direction::Downstream, end);
            return Progressed::Bytes(end);
        }
        self.state = match response::begin(exchange, &bytes[..end], reply.status, body, steps) {
            Begun::Ended => ResponseState::Ended,
            Begun::Passed(body, limited) => ResponseState::Passed(body, limited),
            Begun::Edited(edited, limited) => ResponseState::Edited(edited, limited),
            Begun::Tunnel => ResponseState::Tunnel,
        };
        Progressed::Bytes(end)
    }

    /// Takes the head of a response to which nothing happens: it goes on as it comes, and is read once it is complete.
    fn on_passed_head(&mut self, bytes: &[u8], exchange: &Exchange, steps: Steps<'_>) -> Progressed {
        let before = self.passed.len();
        if before == 0 {
            self.tell(exchange, steps);
        }
        if before > 0 {
            self.passed.extend_from_slice(bytes);
        }
        let all = if before > 0 { &self.passed } else { bytes };
        let (start, end) = match self.scan.find(all) {
            Found::Part => {
                if before == 0 {
                    self.passed.extend_from_slice(bytes);
                }
                steps::pass(steps, Direction::Downstream, bytes.len());
                return Progressed::Bytes(bytes.len());
            }
            Found::Nothing(why) => return Progressed::Lost(why),
            Found::Head { start, end, .. } => (start, end),
        };
        let read = read(&all[start..end], exchange);
        self.passed.clear();
        let (reply, body) = match read {
            Ok(read) => read,
            Err(why) => return Progressed::Lost(why),
        };
        steps::pass(steps, Direction::Downstream, end - before);
        if exchange.is_tunnel(reply.status) {
            self.state = ResponseState::Tunnel;
        } else if !is_interim(reply.status) {
            self.state = ResponseState::Passed(body, false);
        }
        Progressed::Bytes(end - before)
    }

    /// At the end of a response, the next follows.
    fn settle(&mut self, exchanges: &mut Exchanges, steps: Steps<'_>) {
        let over = match &self.state {
            ResponseState::Passed(body, _) => body.is_over(),
            ResponseState::Edited(edited, _) => edited.is_over(),
            ResponseState::Head
            | ResponseState::Held(_)
            | ResponseState::Ended
            | ResponseState::Tunnel
            | ResponseState::Lost(_) => false,
        };
        if over {
            self.lift(steps);
            exchanges.pop();
            self.state = ResponseState::Head;
            self.answer(exchanges, steps);
        }
    }

    /// Gives the responses that don't come from the service, where it is their turn.
    pub(super) fn answer(&mut self, exchanges: &mut Exchanges, steps: Steps<'_>) {
        while self.is_idle()
            && let Some(exchange) = exchanges.front_mut().filter(|exchange| exchange.is_canned())
        {
            if !exchange.asked {
                return response::ask_for_body(exchange, steps);
            }
            self.tell(exchange, steps);
            if response::give(exchange, steps) {
                self.state = ResponseState::Ended;
            }
            exchanges.pop();
        }
    }

    /// Lifts the rate that the response had.
    fn lift(&self, steps: Steps<'_>) {
        if let ResponseState::Passed(_, true) | ResponseState::Edited(_, true) = self.state {
            steps::rate(steps, None);
        }
    }

    /// The service sends nothing more; this is left of what it sent.
    pub(super) fn on_end(&mut self, left: &[u8], exchanges: &mut Exchanges, steps: Steps<'_>) {
        // Once more where what is left of the plan needs something else; each time there is less of it.
        while let ResponseState::Held(_) = self.state {
            self.release(exchanges, true, steps);
        }
        match &mut self.state {
            ResponseState::Ended => return steps::skip(steps, Direction::Downstream, left.len()),
            ResponseState::Edited(edited, _) => edited.on_end(steps),
            ResponseState::Head
            | ResponseState::Held(_)
            | ResponseState::Passed(..)
            | ResponseState::Tunnel
            | ResponseState::Lost(_) => steps::pass(steps, Direction::Downstream, left.len()),
        }
        self.state = ResponseState::Ended;
    }
}

/// Reads a complete head of the response to this request; with its body.
fn read(head: &[u8], exchange: &Exchange) -> Result<(Reply, Body), Unreadable> {
    let reply = parse_reply(head)?;
    Ok((reply, exchange.body(reply)?))
}

/// Tells whether another response follows to the same request.
fn is_interim(status: u16) -> bool {
    (100..200).contains(&status) && status != 101
}
