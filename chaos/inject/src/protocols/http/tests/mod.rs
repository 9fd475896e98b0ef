//! The filter as a connection sees it: bytes in, bytes out.

mod arbitrary;
mod attribution;
mod bodies;
mod codings;
mod lax;
mod messages;
mod passing;
mod reader;
mod responses;
mod strange;

use super::{
    HttpFilter,
    plan::{EarlyEnd, HttpPlan},
};
use crate::{
    active::Active,
    protocol::{Attribution, Decide, Decision, Ending, Filter as _, Injected, Key, Message, Step, Unreadable},
};
use chaos_model::{
    ArrivalId, Direction, Nonce,
    effect::{
        Action, Coding, MessageAction, MessageEnding,
        action::{BodyEdit, CannedResponse, HttpAction},
    },
};
use std::time::Duration;

/// Decides by the request, and keeps what it was asked.
struct Decisions {
    armed: bool,
    traces: bool,
    wants_body: bool,
    decision: Box<dyn FnMut(&str) -> Decision>,
    asked: Vec<String>,
    keys: Vec<Key>,
    spared: Vec<(Unreadable, u64)>,
    /// All faults are gone.
    are_gone: bool,
}

impl Decide for Decisions {
    fn is_armed(&self) -> bool {
        self.armed
    }

    fn traces(&self) -> bool {
        self.traces
    }

    fn draws(&self) -> bool {
        self.wants_body
    }

    fn knows(&self, arrival: ArrivalId) -> bool {
        arrival.nonce == Nonce(0xab)
    }

    fn spare(&mut self, why: Unreadable, messages: u64) {
        self.spared.push((why, messages));
    }

    fn has(&self, _: &Injected) -> bool {
        !self.are_gone
    }

    fn on_message(&mut self, message: &dyn Message) -> Decision {
        assert!(self.armed);
        let subject = message.subject();
        self.keys.push(message.key());
        let decision = (self.decision)(subject.split(' ').nth(1).unwrap_or_default());
        self.asked.push(subject);
        decision
    }
}

/// The decision that comes to this plan. The seed of an edit is in the name of its fault.
fn decision(plan: HttpPlan) -> Decision {
    if plan.is_clear() {
        return Decision::default();
    }
    let HttpPlan { delay, response, head, body, undone, ending, rate, .. } = plan;
    assert!(rate.is_none(), "a rate is an edit here");
    let (message, resets_in) = match ending {
        Some(EarlyEnd::CloseInstead) => (Some(MessageEnding::Instead), None),
        Some(EarlyEnd::CloseIn(part)) => (Some(MessageEnding::In(part)), None),
        Some(EarlyEnd::ResetIn(part)) => (None, Some(part)),
        None => (None, None),
    };
    let delay = delay.map(|wait| wait.whole());
    let coding = if undone { Coding::Undone } else { Coding::Raw };
    let first = HttpAction { response, head, body: None, coding, resets_in };
    let of_messages = MessageAction { delay: None, ending: message };
    let action = Action { message: Some(of_messages), http: Some(first), ..Action::default() };
    let mut all = Decision::default();
    for (edit, seed) in body {
        let action = Action {
            http: Some(HttpAction { body: Some(edit), coding, ..HttpAction::default() }),
            ..Action::default()
        };
        all = all.and(Active::doing(&format!("edit {seed}"), action, None), None);
    }
    all.and(Active::doing("fault", action, None), delay)
}

/// A connection with the filter on it.
struct Wire {
    filter: HttpFilter,
    decisions: Decisions,
    up: Side,
    down: Side,
    /// Other faults come and go, all the while.
    changes: bool,
    /// End that the connection was given.
    ended: Option<Ending>,
    fired: usize,
    /// Names of the faults that were told.
    told: Vec<String>,
    /// Injections that could not happen.
    spared: Vec<Unreadable>,
    /// Attributions of the bytes that followed, each with the count of bytes that had come out before.
    about: Vec<(Direction, usize, Attribution)>,
}

#[derive(Default)]
struct Side {
    left: Vec<u8>,
    out: Vec<u8>,
    /// Waits and rates, with how many bytes came out before.
    marks: Vec<(usize, String)>,
}

impl Wire {
    /// Nothing happens to any request.
    fn idle() -> Self {
        let mut wire = Self::with(|_| HttpPlan::default());
        wire.decisions.armed = false;
        wire
    }

    /// A rig whose requests to `/x` get this plan.
    fn planned(plan: HttpPlan) -> Self {
        Self::with(move |target| if target == "/x" { plan.clone() } else { HttpPlan::default() })
    }

    /// A rig whose requests to `/x` are taken so.
    fn deciding(all: Decision) -> Self {
        Self::by(move |target| if target == "/x" { all.clone() } else { Decision::default() })
    }

    fn with(mut plan: impl FnMut(&str) -> HttpPlan + 'static) -> Self {
        Self::by(move |target| decision(plan(target)))
    }

    fn by(decision: impl FnMut(&str) -> Decision + 'static) -> Self {
        let decisions = Decisions {
            armed: true,
            traces: false,
            wants_body: false,
            decision: Box::new(decision),
            asked: Vec::new(),
            keys: Vec::new(),
            spared: Vec::new(),
            are_gone: false,
        };
        let (up, down) = (Side::default(), Side::default());
        Self {
            filter: HttpFilter::new(),
            decisions,
            up,
            down,
            changes: false,
            ended: None,
            fired: 0,
            told: Vec::new(),
            spared: Vec::new(),
            about: Vec::new(),
        }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Upstream => &mut self.up,
            Direction::Downstream => &mut self.down,
        }
    }

    /// Lets bytes come, and collects what comes out.
    fn send(&mut self, direction: Direction, bytes: &[u8]) {
        self.side(direction).left.extend_from_slice(bytes);
        let came = std::mem::take(&mut self.side(direction).left);
        let mut steps = Vec::new();
        self.filter.on_bytes(direction, &came, &mut self.decisions, &mut steps);
        self.side(direction).left = came;
        self.apply(direction, steps);
        if self.changes {
            self.change();
        }
    }

    /// Tells the filter that the faults have changed.
    fn change(&mut self) {
        for direction in [Direction::Downstream, Direction::Upstream] {
            if !self.filter.is_lost() {
                let (mut steps, left) = (Vec::new(), self.side(direction).left.clone());
                self.filter.on_change(direction, &left, &mut self.decisions, &mut steps);
                self.apply(direction, steps);
            }
        }
    }

    fn end(&mut self, direction: Direction) {
        let left = std::mem::take(&mut self.side(direction).left);
        let mut steps = Vec::new();
        self.filter.on_end(direction, &left, &mut self.decisions, &mut steps);
        self.side(direction).left = left;
        self.apply(direction, steps);
        let side = self.side(direction);
        side.out.append(&mut side.left);
    }

    fn up(&mut self, text: &str) {
        self.send(Direction::Upstream, text.as_bytes());
    }

    fn down(&mut self, text: &str) {
        self.send(Direction::Downstream, text.as_bytes());
    }

    fn apply(&mut self, direction: Direction, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Pass(to, _, count) => {
                    assert_eq!(to, direction);
                    let passed = self.side(direction).left.drain(..count).collect::<Vec<_>>();
                    self.put(direction, &passed);
                }
                Step::Skip(to, count) => {
                    assert_eq!(to, direction);
                    self.side(direction).left.drain(..count);
                }
                Step::Insert(to, _, bytes) => self.put(to, &bytes),
                Step::Generated(to, _, mut fill) => {
                    while let Some(bytes) = fill.take(1000) {
                        self.put(to, &bytes);
                    }
                }
                Step::Wait(to, _, wait) => self.mark(to, format!("{:?}", wait.whole())),
                Step::Rate(to, _, rate) => {
                    self.mark(to, rate.map_or("freely".to_owned(), |it| it.throughput.bytes_per_second.to_string()));
                }
                Step::End(to, _, ending) => {
                    assert_eq!(to, Direction::Downstream);
                    self.ended.get_or_insert(ending);
                }
                Step::Fired(injected) => {
                    self.fired += 1;
                    self.told.push(injected.fault.fault.name.clone());
                }
                Step::Spared(_, why) => self.spared.push(why),
                Step::Discard(..) | Step::Finish(..) => panic!("HTTP/1 gives no message up"),
                Step::About(to, _, attribution) => {
                    assert!(self.decisions.traces, "nobody wants to know");
                    let before = self.side(to).out.len();
                    self.about.push((to, before, attribution));
                }
            }
        }
        if self.filter.is_lost() {
            [&mut self.up, &mut self.down].into_iter().for_each(|side| side.out.append(&mut side.left));
        }
    }

    fn put(&mut self, direction: Direction, bytes: &[u8]) {
        if direction == Direction::Upstream || self.ended.is_none() {
            self.side(direction).out.extend_from_slice(bytes);
        }
    }

    fn mark(&mut self, direction: Direction, what: String) {
        let side = self.side(direction);
        side.marks.push((side.out.len(), what));
    }

    fn sent_up(&self) -> &str {
        std::str::from_utf8(&self.up.out).expect("text")
    }

    fn sent_down(&self) -> &str {
        std::str::from_utf8(&self.down.out).expect("text")
    }

    fn is_lost(&self) -> bool {
        self.filter.is_lost()
    }

    /// Tells whether every message that began has been read to its end.
    fn is_settled(&self) -> bool {
        !self.filter.is_lost() && self.filter.exchanges.is_empty() && self.filter.down.is_idle()
    }
}

/// A plan of one fault.
fn plan() -> HttpPlan {
    let decision = Decision::default().and(Active::doing("fault", Action::default(), None), None);
    HttpPlan { injected: decision.injected(), ..HttpPlan::default() }
}

fn canned(status: u16, body: &str) -> HttpPlan {
    let headers = if body.is_empty() { vec![] } else { vec![("content-type".to_owned(), "text/plain".to_owned())] };
    HttpPlan { response: Some(CannedResponse { status, headers, body: body.to_owned() }), ..plan() }
}

fn delayed(mut plan: HttpPlan, delay: Duration) -> HttpPlan {
    plan.delay = Decision::default().and(Active::doing("late", Action::default(), None), Some(delay)).wait();
    plan
}

fn edit(edits: &[BodyEdit]) -> HttpPlan {
    let body = edits.iter().cloned().zip(1..).collect();
    HttpPlan { body, undone: true, ..plan() }
}
