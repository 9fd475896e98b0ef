//! The filter of `memo`: pairs commands and replies in order, line by line, and does to them what faults ask for.

use super::{matching::Command, plan::MemoPlan};
use chaos_inject::protocol::{Attribution, Decide, Ending, Filter, Message as _, Step, StreamId};
use chaos_model::Direction::{self, Downstream, Upstream};
use std::collections::VecDeque;

/// One message at a time: the connection is its only stream.
const ALL: StreamId = StreamId::CONNECTION;

/// A longer line is none of this protocol.
const LONGEST: usize = 64 * 1024;

/// Reads along on one connection.
#[derive(Debug, Default)]
pub(super) struct MemoFilter {
    /// Commands that have no reply yet, in order.
    waiting: VecDeque<Exchange>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Reads,
    /// A fault has ended the connection: what comes now is for nobody.
    Ended,
    /// The bytes are none of this protocol, and pass.
    Lost,
}

/// A command that waits for its reply.
#[derive(Debug)]
struct Exchange {
    attribution: Attribution,
    plan: MemoPlan,
}

impl Exchange {
    fn of(line: &[u8], decide: &mut dyn Decide) -> Self {
        let command = Command::of(line);
        decide.count(command.kind());
        let subject = decide.traces().then(|| command.subject().into());
        let plan = if decide.is_armed() { MemoPlan::of(&decide.on_message(&command)) } else { MemoPlan::default() };
        Self { attribution: Attribution { subject, arrival: None }, plan }
    }

    /// Puts down what comes before the reply, or in its place; `behind` are the commands that wait with it.
    fn begin(&mut self, behind: usize, steps: &mut Vec<Step>) {
        let wait = self.plan.delay.take();
        let behind = if wait.is_some() { behind as u64 } else { 0 };
        steps.extend(wait.map(|wait| Step::Wait(Downstream, ALL, wait)));
        steps.extend(self.plan.injected.drain(..).map(|one| Step::Fired(one.with_bystanders(behind))));
    }

    /// Puts down the reply, a line that came; gives whether the connection goes on.
    fn reply(mut self, line: &[u8], behind: usize, steps: &mut Vec<Step>) -> State {
        self.begin(behind, steps);
        if self.attribution.subject.is_some() {
            steps.push(Step::About(Downstream, ALL, self.attribution));
        }
        let length = line.len();
        let Some(part) = self.plan.keep else {
            steps.push(Step::Pass(Downstream, ALL, length));
            return State::Reads;
        };
        let kept = usize::try_from(part.of(length as u64)).unwrap_or(length);
        steps.push(Step::Pass(Downstream, ALL, kept));
        steps.push(Step::Skip(Downstream, length - kept));
        steps.push(Step::End(Downstream, ALL, Ending::Close));
        State::Ended
    }
}

impl MemoFilter {
    fn on_command(&mut self, line: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        let exchange = Exchange::of(line, decide);
        if exchange.attribution.subject.is_some() {
            steps.push(Step::About(Upstream, ALL, exchange.attribution.clone()));
        }
        let length = line.len();
        let asks = !exchange.plan.hangs_up;
        steps.push(if asks { Step::Pass(Upstream, ALL, length) } else { Step::Skip(Upstream, length) });
        self.waiting.push_back(exchange);
    }

    fn on_reply(&mut self, line: &[u8], steps: &mut Vec<Step>) {
        let Some(exchange) = self.waiting.pop_front() else {
            // Nobody asked.
            self.state = State::Lost;
            return steps.push(Step::Pass(Downstream, ALL, line.len()));
        };
        self.state = exchange.reply(line, self.waiting.len(), steps);
    }

    /// Ends the connection where the next reply would be one to a command that the store doesn't get.
    fn hang_up(&mut self, steps: &mut Vec<Step>) {
        if let Some(mut exchange) = self.waiting.pop_front_if(|exchange| exchange.plan.hangs_up) {
            exchange.begin(self.waiting.len(), steps);
            steps.push(Step::End(Downstream, ALL, Ending::Close));
            self.state = State::Ended;
        }
    }
}

impl Filter for MemoFilter {
    fn on_bytes(&mut self, direction: Direction, bytes: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        let mut at = 0;
        // A line is held until it is whole: whoever reads it waits for its end too.
        while self.state == State::Reads
            && let Some(end) = bytes[at..].iter().position(|byte| *byte == b'\n')
        {
            let line = &bytes[at..=at + end];
            at += line.len();
            match direction {
                Upstream => self.on_command(line, decide, steps),
                Downstream => self.on_reply(line, steps),
            }
            self.hang_up(steps);
        }
        let left = bytes.len() - at;
        match self.state {
            // Left for the next call.
            State::Reads if left <= LONGEST => {}
            State::Ended => steps.push(Step::Skip(direction, left)),
            State::Reads | State::Lost => {
                *self = Self { state: State::Lost, ..Self::default() };
                steps.push(Step::Pass(direction, ALL, left));
            }
        }
    }

    // A line without an end is no command and no reply: it passes, as what is not used up does.
    fn on_end(&mut self, _: Direction, _: &[u8], _: &mut dyn Decide, _: &mut Vec<Step>) {}

    fn under_way(&self) -> Vec<Attribution> {
        self.waiting.iter().map(|exchange| exchange.attribution.clone()).collect()
    }

    fn is_lost(&self) -> bool {
        self.state == State::Lost
    }

    /// The reply's first word: `VALUE`, `NONE`.
    fn words(&self, response: &[u8]) -> String {
        let word = response.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        String::from_utf8_lossy(word).into_owned()
    }
}
