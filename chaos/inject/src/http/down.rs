//! Answers, on their way to the client.

use super::{
    answer::{self, Begun},
    body::{Body, Edited, Progress},
    exchange::{Exchange, Exchanges},
    head::{Announced, Found, Reply, Scan, Side, parse_reply},
    steps::{self, Steps},
};
use crate::{filter::Step, interpreter::Way};

#[derive(Debug)]
pub(super) struct Down {
    state: State,
    scan: Scan,
    /// What of a head has passed already: where nothing happens to an answer, it is not held back.
    passed: Vec<u8>,
    /// Faults on connections want to know whose bytes they are.
    traces: bool,
}

#[derive(Debug)]
enum State {
    /// At the beginning of an answer, or in its head.
    Head,
    /// In a body that goes on as it is, at a rate perhaps.
    Passed(Body, bool),
    /// In a body that is changed, at a rate perhaps.
    Edited(Box<Edited>, bool),
    /// The connection has been ended.
    Ended,
    /// Nothing is read any more.
    Lost,
}

/// What was taken of some bytes.
enum Took {
    /// So many.
    Bytes(usize),
    /// None, and more are needed.
    Nothing,
    /// They are not understood.
    Lost,
}

impl Down {
    pub(super) fn new() -> Self {
        Self { state: State::Head, scan: Scan::new(Side::Response), passed: Vec::new(), traces: false }
    }

    /// Says from now on whose answers come, or no more.
    pub(super) fn trace(&mut self, traces: bool) {
        self.traces = traces;
    }

    fn tell(&self, exchange: &Exchange, steps: Steps<'_>) {
        if self.traces {
            steps.push(Step::About(Way::Down, exchange.whose.clone()));
        }
    }

    /// Whether everything that comes passes.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost)
    }

    /// Lets everything pass from now on, once nothing is owed.
    pub(super) fn lose(&mut self) {
        self.state = State::Lost;
    }

    /// Whether the connection has been ended, or the node's stream has.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Whether it is between two answers.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Head) && self.passed.is_empty()
    }

    pub(super) fn on_bytes(&mut self, bytes: &[u8], exchanges: &mut Exchanges, steps: Steps<'_>) {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let took = match &mut self.state {
                State::Lost => Took::Lost,
                State::Ended => {
                    steps::skip(steps, Way::Down, rest.len());
                    Took::Bytes(rest.len())
                }
                State::Passed(body, _) => match body.take(rest) {
                    Some(count) => {
                        steps::pass(steps, Way::Down, count);
                        Took::Bytes(count)
                    }
                    None => Took::Lost,
                },
                State::Edited(..) => self.on_edited(rest, steps),
                State::Head => self.on_head(rest, exchanges, steps),
            };
            match took {
                Took::Bytes(count) => at += count,
                Took::Nothing => return,
                Took::Lost => {
                    self.lift(steps);
                    self.lose();
                    return steps::pass(steps, Way::Down, rest.len());
                }
            }
            self.settle(exchanges, steps);
        }
    }

    fn on_edited(&mut self, bytes: &[u8], steps: Steps<'_>) -> Took {
        let State::Edited(edited, _) = &mut self.state else { return Took::Lost };
        let count = edited.take(bytes, steps);
        if count == 0 {
            return Took::Lost;
        }
        if edited.progress() == Progress::Ended {
            self.state = State::Ended;
        }
        Took::Bytes(count)
    }

    fn on_head(&mut self, bytes: &[u8], exchanges: &mut Exchanges, steps: Steps<'_>) -> Took {
        match exchanges.front_mut() {
            // An answer to nothing, or to what the node was not asked.
            None => Took::Lost,
            Some(exchange) if exchange.is_canned() => Took::Lost,
            Some(exchange) if exchange.plan.is_some() => self.on_held_head(bytes, exchange, steps),
            Some(exchange) => self.on_passed_head(bytes, exchange, steps),
        }
    }

    /// Of an answer to which something happens: nothing of it goes on before it is complete.
    fn on_held_head(&mut self, bytes: &[u8], exchange: &mut Exchange, steps: Steps<'_>) -> Took {
        let (start, end, folded) = match self.scan.find(bytes) {
            Found::Part => return Took::Nothing,
            Found::Nothing => return Took::Lost,
            Found::Head { start, end, folded } => (start, end, folded),
        };
        let Some(reply) = parse_reply(&bytes[start..end], folded) else { return Took::Lost };
        self.tell(exchange, steps);
        if is_interim(reply.status) {
            steps::pass(steps, Way::Down, end);
            return Took::Bytes(end);
        }
        self.state = match answer::begin(exchange, &bytes[..end], reply, steps) {
            Begun::Ended => State::Ended,
            Begun::Passed(body, limited) => State::Passed(body, limited),
            Begun::Edited(edited, limited) => State::Edited(edited, limited),
            Begun::Tunnel => State::Lost,
        };
        Took::Bytes(end)
    }

    /// Of an answer to which nothing happens: it goes on as it comes, and is read once it is complete.
    fn on_passed_head(&mut self, bytes: &[u8], exchange: &Exchange, steps: Steps<'_>) -> Took {
        let before = self.passed.len();
        if before == 0 {
            self.tell(exchange, steps);
        }
        if before > 0 {
            self.passed.extend_from_slice(bytes);
        }
        let all = if before > 0 { &self.passed } else { bytes };
        let (start, end, folded) = match self.scan.find(all) {
            Found::Part => {
                if before == 0 {
                    self.passed.extend_from_slice(bytes);
                }
                steps::pass(steps, Way::Down, bytes.len());
                return Took::Bytes(bytes.len());
            }
            Found::Nothing => return Took::Lost,
            Found::Head { start, end, folded } => (start, end, folded),
        };
        let reply = parse_reply(&all[start..end], folded);
        self.passed.clear();
        let Some(reply) = reply else { return Took::Lost };
        steps::pass(steps, Way::Down, end - before);
        if exchange.is_tunnel(reply.status) {
            self.lose();
        } else if !is_interim(reply.status) {
            self.state = State::Passed(body_of(exchange, reply), false);
        }
        Took::Bytes(end - before)
    }

    /// At the end of an answer, the next follows.
    fn settle(&mut self, exchanges: &mut Exchanges, steps: Steps<'_>) {
        let over = match &self.state {
            State::Passed(body, _) => body.is_over(),
            State::Edited(edited, _) => edited.is_over(),
            State::Head | State::Ended | State::Lost => false,
        };
        if over {
            self.lift(steps);
            exchanges.pop_front();
            self.state = State::Head;
            self.answer(exchanges, steps);
        }
    }

    /// Gives the answers that don't come from the node, where it is their turn.
    pub(super) fn answer(&mut self, exchanges: &mut Exchanges, steps: Steps<'_>) {
        while self.is_idle()
            && let Some(exchange) = exchanges.front_mut().filter(|exchange| exchange.is_canned())
        {
            if !exchange.asked {
                return answer::ask_for_body(exchange, steps);
            }
            self.tell(exchange, steps);
            if answer::give(exchange, steps) {
                self.state = State::Ended;
            }
            exchanges.pop_front();
        }
    }

    /// What follows goes as fast as it goes.
    fn lift(&self, steps: Steps<'_>) {
        if let State::Passed(_, true) | State::Edited(_, true) = self.state {
            steps.push(Step::Rate(Way::Down, None));
        }
    }

    /// The node sends nothing more; this is left of what it sent.
    pub(super) fn on_end(&mut self, left: &[u8], steps: Steps<'_>) {
        match &mut self.state {
            State::Ended => return steps::skip(steps, Way::Down, left.len()),
            State::Edited(edited, _) => edited.on_end(steps),
            State::Head | State::Passed(..) | State::Lost => steps::pass(steps, Way::Down, left.len()),
        }
        self.state = State::Ended;
    }
}

/// Whether another answer follows to the same request.
fn is_interim(status: u16) -> bool {
    (100..200).contains(&status) && status != 101
}

/// Where the body of an answer ends.
pub(super) fn body_of(exchange: &Exchange, reply: Reply) -> Body {
    match reply.announced {
        _ if exchange.is_bodiless(reply.status) => Body::Length(0),
        Announced::Nothing => Body::UntilClose,
        Announced::Length(length) => Body::Length(length),
        Announced::Chunked => Body::chunked(),
    }
}
