//! The filter as a connection sees it: bytes in, bytes out.

mod arbitrary;
mod attribution;
mod bodies;
mod messages;
mod passing;
mod reader;
mod responses;
mod strange;

use super::HttpFilter;
use crate::{
    filter::{Attribution, Command, Decide, Ending, Filter as _, HttpPlan, Injected, RedisPlan, Request, Step, Wait},
    interpreter::{Active, Way},
};
use chaos_model::{
    Effect, Endpoint, Fault, Link, Target,
    effect::{
        Hang,
        action::{BodyEdit, CannedResponse},
    },
};
use std::{sync::Arc, time::Duration};

/// Decides by the request, and keeps what it was asked.
struct Decisions {
    armed: bool,
    traces: bool,
    wants_body: bool,
    plan: Box<dyn FnMut(&Request<'_>) -> HttpPlan>,
    asked: Vec<String>,
    bodies: Vec<Option<Vec<u8>>>,
}

impl Decide for Decisions {
    fn is_armed(&self) -> bool {
        self.armed
    }

    fn traces(&self) -> bool {
        self.traces
    }

    fn wants_body(&self) -> bool {
        self.wants_body
    }

    fn on_request(&mut self, request: &Request<'_>) -> HttpPlan {
        assert!(self.armed);
        self.asked.push(format!("{} {}", request.method, request.target));
        self.bodies.push(request.body.map(<[u8]>::to_vec));
        (self.plan)(request)
    }

    fn on_command(&mut self, _: &Command<'_>) -> RedisPlan {
        unreachable!("no commands here")
    }
}

/// A connection with the filter on it.
struct Wire {
    filter: HttpFilter,
    decisions: Decisions,
    up: Side,
    down: Side,
    /// End that the connection was given.
    ended: Option<Ending>,
    fired: usize,
    /// Attributions of the bytes that followed, each with the count of bytes that had come out before.
    about: Vec<(Way, usize, Attribution)>,
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
        Self::with(move |request| if request.target == "/x" { plan.clone() } else { HttpPlan::default() })
    }

    fn with(plan: impl FnMut(&Request<'_>) -> HttpPlan + 'static) -> Self {
        let decisions = Decisions {
            armed: true,
            traces: false,
            wants_body: false,
            plan: Box::new(plan),
            asked: Vec::new(),
            bodies: Vec::new(),
        };
        let (up, down) = (Side::default(), Side::default());
        Self { filter: HttpFilter::new(), decisions, up, down, ended: None, fired: 0, about: Vec::new() }
    }

    fn side(&mut self, way: Way) -> &mut Side {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    /// Lets bytes come, and collects what comes out.
    fn send(&mut self, way: Way, bytes: &[u8]) {
        self.side(way).left.extend_from_slice(bytes);
        let came = std::mem::take(&mut self.side(way).left);
        let mut steps = Vec::new();
        self.filter.on_bytes(way, &came, &mut self.decisions, &mut steps);
        self.side(way).left = came;
        self.apply(way, steps);
    }

    fn end(&mut self, way: Way) {
        let left = std::mem::take(&mut self.side(way).left);
        let mut steps = Vec::new();
        self.filter.on_end(way, &left, &mut self.decisions, &mut steps);
        self.side(way).left = left;
        self.apply(way, steps);
        let side = self.side(way);
        side.out.append(&mut side.left);
    }

    fn up(&mut self, text: &str) {
        self.send(Way::Up, text.as_bytes());
    }

    fn down(&mut self, text: &str) {
        self.send(Way::Down, text.as_bytes());
    }

    fn apply(&mut self, way: Way, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Pass(to, count) => {
                    assert_eq!(to, way);
                    let passed = self.side(way).left.drain(..count).collect::<Vec<_>>();
                    self.put(way, &passed);
                }
                Step::Skip(to, count) => {
                    assert_eq!(to, way);
                    self.side(way).left.drain(..count);
                }
                Step::Insert(to, bytes) => self.put(to, &bytes),
                Step::Generated(to, mut fill) => {
                    while let Some(bytes) = fill.take(1000) {
                        self.put(to, &bytes);
                    }
                }
                Step::Wait(to, wait) => self.mark(to, format!("{:?}", wait.whole())),
                Step::Rate(to, rate) => {
                    self.mark(to, rate.map_or("freely".to_owned(), |it| it.throughput.bytes_per_second.to_string()));
                }
                Step::End(to, ending) => {
                    assert_eq!(to, Way::Down);
                    self.ended.get_or_insert(ending);
                }
                Step::Fired(_) => self.fired += 1,
                Step::About(to, attribution) => {
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

    fn put(&mut self, way: Way, bytes: &[u8]) {
        if way == Way::Up || self.ended.is_none() {
            self.side(way).out.extend_from_slice(bytes);
        }
    }

    fn mark(&mut self, way: Way, what: String) {
        let side = self.side(way);
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
    let link = Link { from: Endpoint::Service("gateway".to_owned()), to: "users".to_owned(), label: None };
    let fault = Fault::new("fault", Target::Link(link.clone()), Effect::Hang(Hang {}));
    let fault = Arc::new(Active::new(fault, 1, &link, Duration::ZERO, 0));
    let subject = "GET /x".to_owned();
    let faults = vec![Arc::clone(&fault)];
    let injected =
        vec![Injected { fault, subject, arrival: None, attempt: 0, key: chaos_model::KeyKind::Request, bystanders: 0 }];
    HttpPlan { injected, faults, ..HttpPlan::default() }
}

fn canned(status: u16, body: &str) -> HttpPlan {
    let headers = if body.is_empty() { vec![] } else { vec![("content-type".to_owned(), "text/plain".to_owned())] };
    HttpPlan { response: Some(CannedResponse { status, headers, body: body.to_owned() }), ..plan() }
}

fn delayed(mut plan: HttpPlan, delay: Duration) -> HttpPlan {
    plan.delay = Some(Wait { parts: plan.faults.iter().map(|fault| (Arc::clone(fault), delay)).collect() });
    plan
}

fn edit(edits: &[BodyEdit]) -> HttpPlan {
    let body = edits.iter().cloned().zip(1..).collect();
    HttpPlan { body, ..plan() }
}
