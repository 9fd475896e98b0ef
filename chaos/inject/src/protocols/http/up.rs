//! Requests, on their way to the service.

use super::{
    body::Body,
    exchange::{Exchange, Exchanges, MethodKind},
    head::{Announced, Ask, Found, MessageKind, Scan, parse_ask},
    plan::HttpPlan,
    request::{self, Request},
};
use crate::protocol::{Attribution, Decide};
use crate::protocols::steps::{self, Steps};
use chaos_model::{ArrivalId, Direction};

/// The longest body that a decision waits for.
const LONGEST: u64 = 64 * 1024;

/// More requests than this on their way at once are not kept track of.
const DEEPEST: usize = 1024;

#[derive(Debug)]
pub(super) struct Up {
    state: RequestState,
    scan: Scan,
    /// A head and a body are waited for, before which nothing can be decided: so long, both together.
    wanted: Option<WholeHead>,
}

#[derive(Debug)]
enum RequestState {
    /// At the beginning of a request, or in its head.
    Head,
    /// In a body, which goes on.
    Passed(Body),
    /// In a body that the service doesn't get.
    Skipped(Body),
    /// Nothing is read any more.
    Lost,
}

/// A head that has been found.
#[derive(Clone, Copy, Debug)]
struct WholeHead {
    start: usize,
    end: usize,
    folded: bool,
    /// With as much of the body as is waited for.
    length: usize,
}

impl Up {
    pub(super) fn new() -> Self {
        Self { state: RequestState::Head, scan: Scan::new(MessageKind::Request), wanted: None }
    }

    pub(super) fn is_lost(&self) -> bool {
        matches!(self.state, RequestState::Lost)
    }

    /// Lets everything pass from now on.
    pub(super) fn lose(&mut self) {
        self.state = RequestState::Lost;
    }

    pub(super) fn on_bytes(
        &mut self,
        bytes: &[u8],
        exchanges: &mut Exchanges,
        decide: &mut dyn Decide,
        steps: Steps<'_>,
    ) {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let count = match &mut self.state {
                RequestState::Lost => None,
                RequestState::Passed(body) => {
                    body.take(rest).inspect(|count| steps::pass(steps, Direction::Upstream, *count))
                }
                RequestState::Skipped(body) => Some(skip(body, rest, exchanges, steps)),
                RequestState::Head => match self.on_head(rest, exchanges, decide, steps) {
                    Some(0) => return,
                    count => count,
                },
            };
            let Some(count) = count else {
                // What follows after CONNECT is not HTTP, and no request is missed there.
                if !self.is_lost() && !tunnels(exchanges) {
                    decide.unread();
                }
                self.lose();
                return steps::pass(steps, Direction::Upstream, rest.len());
            };
            at += count;
            self.settle(exchanges);
        }
    }

    /// At the end of a body, a head follows.
    fn settle(&mut self, exchanges: &mut Exchanges) {
        match &self.state {
            RequestState::Passed(body) if body.is_over() => self.state = RequestState::Head,
            RequestState::Skipped(body) if body.is_over() => {
                self.state = RequestState::Head;
                // It is the last, since its response waits for this.
                exchanges.back_mut().into_iter().for_each(|exchange| exchange.asked = true);
            }
            _ => {}
        }
    }

    /// Takes a head, where it is complete and decided about: how many bytes it has. `None` where it is none.
    fn on_head(
        &mut self,
        bytes: &[u8],
        exchanges: &mut Exchanges,
        decide: &mut dyn Decide,
        steps: Steps<'_>,
    ) -> Option<usize> {
        // Behind this, HTTP goes on only if the service says so.
        if tunnels(exchanges) || exchanges.len() >= DEEPEST {
            return None;
        }
        let (armed, traces) = (decide.is_armed(), decide.traces());
        let known = match self.wanted {
            Some(whole) => whole,
            None => match self.scan.find(bytes) {
                Found::Part => return Some(0),
                Found::Head { start, end, folded } => WholeHead { start, end, folded, length: end },
                Found::Nothing => return None,
            },
        };
        if armed && bytes.len() < known.length {
            return Some(0);
        }
        self.wanted = None;
        let WholeHead { start, end, folded, length } = known;
        let decided = parse_ask(&bytes[start..end], folded, |ask| {
            let arrival = request::arrival(ask.fields.iter().map(|field| (field.name, field.value)));
            if length == end {
                // The first time that it is there, also where its body is waited for.
                decide.count(&request::kind(ask.method, request::target(ask.target)));
            }
            let wanted = if length == end && armed { wants(ask, arrival, decide) } else { None };
            if let Some(wanted) = wanted
                && bytes.len() - end < wanted
            {
                return Err(end + wanted);
            }
            // The second time, it is there.
            let have = wanted.or((length > end).then_some(length - end));
            let body = |have| &bytes[end..end + have];
            let plan = if armed { ask_for(ask, arrival, have.map(body), decide) } else { HttpPlan::default() };
            Ok((Exchange::new(ask, plan, attribution(ask, arrival, traces)), ask.announced))
        });
        match decided? {
            Ok((exchange, announced)) => {
                if traces {
                    steps::about(steps, Direction::Upstream, exchange.attribution.clone());
                }
                self.enter(exchange, announced, end, exchanges, steps);
            }
            Err(length) => {
                self.wanted = Some(WholeHead { length, ..known });
                return Some(0);
            }
        }
        Some(end)
    }

    fn enter(
        &mut self,
        exchange: Exchange,
        announced: Announced,
        head: usize,
        exchanges: &mut Exchanges,
        steps: Steps<'_>,
    ) {
        let body = match announced {
            Announced::Nothing => Body::Length(0),
            Announced::Length(length) => Body::Length(length),
            Announced::Chunked => Body::chunked(),
        };
        if exchange.is_canned() {
            steps::skip(steps, Direction::Upstream, head);
            self.state = RequestState::Skipped(body);
        } else {
            steps::pass(steps, Direction::Upstream, head);
            self.state = RequestState::Passed(body);
        }
        exchanges.push_back(exchange);
    }

    /// The client sends nothing more; this is left of what it sent.
    pub(super) fn on_end(&mut self, left: &[u8], steps: Steps<'_>) {
        steps::pass(steps, Direction::Upstream, left.len());
        self.lose();
    }
}

/// True where the last request asks for a tunnel.
fn tunnels(exchanges: &Exchanges) -> bool {
    exchanges.back().is_some_and(|last| last.kind == MethodKind::Connect && !last.is_canned())
}

/// Leaves out what belongs to this body. Where its framing is broken, nobody knows where the next request begins: all is
/// left out, and the connection ends behind the response, as a service would do it.
fn skip(body: &mut Body, bytes: &[u8], exchanges: &mut Exchanges, steps: Steps<'_>) -> usize {
    let count = body.take(bytes).unwrap_or_else(|| {
        exchanges.back_mut().into_iter().for_each(|exchange| (exchange.asked, exchange.closes) = (true, true));
        *body = Body::UntilClose;
        bytes.len()
    });
    steps::skip(steps, Direction::Upstream, count);
    count
}

/// The part of the body that the decision waits for, in bytes.
fn wants(ask: &Ask<'_>, arrival: Option<ArrivalId>, decide: &dyn Decide) -> Option<usize> {
    let length = match ask.announced {
        Announced::Nothing => 0,
        Announced::Length(length) => length,
        Announced::Chunked => return None,
    };
    if length > LONGEST || !decide.draws() || ask.expects() {
        return None;
    }
    if arrival.is_some_and(|arrival| decide.knows(arrival)) { None } else { usize::try_from(length).ok() }
}

/// The attribution of a request: its number is known without any fault too, for those that are under way when a fault
/// comes.
fn attribution(ask: &Ask<'_>, arrival: Option<ArrivalId>, traces: bool) -> Attribution {
    let subject = traces.then(|| request::subject(ask.method, request::target(ask.target)).into());
    Attribution { subject, arrival }
}

fn ask_for(ask: &Ask<'_>, arrival: Option<ArrivalId>, body: Option<&[u8]>, decide: &mut dyn Decide) -> HttpPlan {
    let headers = ask.fields.iter().map(|field| (field.name, field.value)).collect::<Vec<_>>();
    let target = request::target(ask.target);
    let is_known = arrival.is_some_and(|arrival| decide.knows(arrival));
    let request = Request { method: ask.method, target, headers: &headers, body, arrival, is_known };
    HttpPlan::of(&decide.on_message(&request))
}
