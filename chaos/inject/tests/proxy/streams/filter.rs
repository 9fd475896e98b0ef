//! The filter of `mux`: numbers all frames anew, since faults hold some, leave some out and add some.

use super::{
    frame::Frame,
    plan::{MuxPlan, Request},
};
use bytes::Bytes;
use chaos_inject::protocol::{Attribution, Decide, Ending, Filter, Message as _, Step, StreamId};
use chaos_model::Direction::{self, Downstream, Upstream};
use std::collections::{BTreeMap, VecDeque};

/// The stream of what belongs to the connection.
const CONNECTION: u16 = 0;

/// The request from which on the filter sends of its own.
pub(super) const TELL: &str = "TELL";

/// Frames after which the filter says of its own how many came: to the client of requests, to the service of responses.
pub(super) const TOLD: u32 = 4;

/// The last frame of a stream that ends in an orderly way and without a response.
pub(super) const END: &str = "END";

/// Reads along on one connection.
#[derive(Default)]
pub(super) struct MuxFilter {
    /// The numbers of the next frames that go up and down.
    next: [u32; 2],
    /// Somebody wants to be told how many frames came and went ([`TELL`]).
    tells: bool,
    /// Frames that came up since then, and those that went down.
    came: u32,
    went: u32,
    /// Requests whose responses have not gone whole.
    open: BTreeMap<u16, Exchange>,
}

struct Exchange {
    attribution: Attribution,
    plan: MuxPlan,
    /// The response waits, and these frames of it are held: their numbers depend on when they go.
    held: Option<VecDeque<Frame>>,
    /// The last frame is put down, behind what is held.
    is_over: bool,
}

fn id(stream: u16) -> StreamId {
    StreamId(stream.into())
}

impl MuxFilter {
    /// Says a frame, as the next of its direction.
    fn say(&mut self, direction: Direction, frame: &Frame, steps: &mut Vec<Step>) {
        let next = &mut self.next[usize::from(direction == Downstream)];
        let bytes = Bytes::from(frame.encode(next));
        steps.push(Step::Insert(direction, id(frame.stream), bytes));
    }

    fn on_request(&mut self, frame: &Frame, decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        self.tells |= frame.text == TELL;
        self.came += u32::from(self.tells);
        if self.tells && self.came.is_multiple_of(TOLD) {
            let told = Frame::new(CONNECTION, false, format!("CAME {}", self.came));
            self.say(Downstream, &told, steps);
        }
        if frame.text == "CANCEL" {
            if self.open.remove(&frame.stream).is_some() {
                steps.push(Step::Discard(Downstream, id(frame.stream)));
                steps.push(Step::Finish(Downstream, id(frame.stream)));
                self.say(Downstream, &Frame::new(frame.stream, true, END), steps);
            }
            return self.say(Upstream, frame, steps);
        }
        let request = Request::of(&frame.text);
        decide.count(request.kind());
        let attribution = Attribution { subject: Some(request.subject().into()), arrival: None };
        let mut plan = MuxPlan::of(&decide.on_message(&request));
        let answer = plan.answer.take();
        if decide.traces() {
            steps.push(Step::About(Upstream, id(frame.stream), attribution.clone()));
        }
        self.open.insert(frame.stream, Exchange { attribution, plan, held: None, is_over: false });
        match answer {
            Some(text) => self.on_response(Frame::new(frame.stream, true, text), decide, steps),
            None => self.say(Upstream, frame, steps),
        }
    }

    fn on_response(&mut self, frame: Frame, decide: &dyn Decide, steps: &mut Vec<Step>) {
        // One that was given up, by the client or by a fault.
        let Some(exchange) = self.open.get_mut(&frame.stream) else { return };
        if let Some(wait) = exchange.plan.delay.take() {
            steps.push(Step::Wait(Downstream, id(frame.stream), wait));
            exchange.held = Some(VecDeque::new());
        }
        steps.extend(exchange.plan.injected.drain(..).map(Step::Fired));
        if decide.traces() {
            steps.push(Step::About(Downstream, id(frame.stream), exchange.attribution.clone()));
        }
        if exchange.plan.hangs_up {
            // No part of the response comes, so none has to be numbered: it can stand behind the wait at once.
            self.open.remove(&frame.stream);
            return steps.push(Step::End(Downstream, id(frame.stream), Ending::Close));
        }
        match &mut exchange.held {
            // Data have no number, and can wait behind the wait itself.
            Some(held) if frame.is_data() && !held.is_empty() => {
                exchange.is_over = frame.last;
                self.put(&frame, steps);
            }
            Some(held) => held.push_back(frame),
            None => self.respond(&frame, steps),
        }
    }

    /// Lets a frame of a response go.
    fn respond(&mut self, frame: &Frame, steps: &mut Vec<Step>) {
        self.put(frame, steps);
        if frame.last {
            self.finish(frame.stream, steps);
        }
    }

    fn finish(&mut self, stream: u16, steps: &mut Vec<Step>) {
        steps.push(Step::Finish(Downstream, id(stream)));
        self.open.remove(&stream);
    }

    fn put(&mut self, frame: &Frame, steps: &mut Vec<Step>) {
        let exchange = self.open.get_mut(&frame.stream).filter(|_| frame.is_data());
        if let Some(rate) = exchange.and_then(|exchange| exchange.plan.rate.take()) {
            steps.push(Step::Rate(Downstream, id(frame.stream), Some(rate)));
        }
        self.say(Downstream, frame, steps);
        self.went += u32::from(self.tells);
        if self.tells && self.went.is_multiple_of(TOLD) {
            let told = Frame::new(CONNECTION, false, format!("WENT {}", self.went));
            self.say(Upstream, &told, steps);
        }
    }
}

impl Filter for MuxFilter {
    fn on_bytes(&mut self, direction: Direction, bytes: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        let mut at = 0;
        while let Some((frame, _, length)) = Frame::decode(&bytes[at..]) {
            at += length;
            steps.push(Step::Skip(direction, length));
            match direction {
                _ if frame.stream == CONNECTION => self.say(direction, &frame, steps),
                Upstream => self.on_request(&frame, decide, steps),
                Downstream => self.on_response(frame, decide, steps),
            }
        }
    }

    fn on_end(&mut self, _: Direction, _: &[u8], _: &mut dyn Decide, _: &mut Vec<Step>) {}

    fn on_released(&mut self, _: Direction, stream: StreamId, _: &[u8], _: &mut dyn Decide, steps: &mut Vec<Step>) {
        let stream = u16::try_from(stream.0).unwrap();
        let held = self.open.get_mut(&stream).and_then(|exchange| exchange.held.take());
        held.into_iter().flatten().for_each(|frame| self.respond(&frame, steps));
        if self.open.get(&stream).is_some_and(|exchange| exchange.is_over) {
            self.finish(stream, steps);
        }
    }

    fn under_way(&self) -> Vec<Attribution> {
        self.open.values().map(|exchange| exchange.attribution.clone()).collect()
    }

    fn is_lost(&self) -> bool {
        false
    }

    fn words(&self, response: &[u8]) -> String {
        Frame::decode(response).map(|(frame, ..)| frame.text).unwrap_or_default()
    }
}
