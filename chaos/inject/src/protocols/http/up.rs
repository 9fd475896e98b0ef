//! Requests, on their way to the service.

use super::{
    body::Body,
    exchange::{Exchange, Exchanges, MethodKind},
    head::{Announced, Ask, Found, MessageKind, Scan, parse_ask},
    plan::HttpPlan,
    request::{self, Request},
};
use crate::protocol::{Attribution, Decide, Unreadable};
use crate::protocols::steps::{self, Steps};
use chaos_model::{ArrivalId, Direction};

/// The longest body that a decision waits for.
const LONGEST: u64 = 64 * 1024;

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
    /// Nothing is read any more, for this reason; none where the client's stream, or its service's, has ended.
    Lost(Option<Unreadable>),
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
        matches!(self.state, RequestState::Lost(_))
    }

    /// Tells whether some of a request has passed, and more may.
    pub(super) fn is_within(&self) -> bool {
        matches!(self.state, RequestState::Passed(_))
    }

    /// Lets everything pass from now on.
    pub(super) fn lose(&mut self, why: Option<Unreadable>) {
        if !self.is_lost() {
            self.state = RequestState::Lost(why);
        }
    }

    /// The reason for which nothing is read any more, where there is one.
    pub(super) fn unreadable(&self) -> Option<Unreadable> {
        match self.state {
            RequestState::Lost(why) => why,
            RequestState::Head | RequestState::Passed(_) | RequestState::Skipped(_) => None,
        }
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
                RequestState::Lost(_) => return steps::pass(steps, Direction::Upstream, rest.len()),
                RequestState::Passed(body) => match body.take(rest) {
                    Some(count) => {
                        steps::pass(steps, Direction::Upstream, count);
                        Ok(count)
                    }
                    // Its head was read, and what is behind it may be requests.
                    None => Err(Unreadable::AmbiguousLength),
                },
                RequestState::Skipped(body) => Ok(skip(body, rest, exchanges, steps)),
                // Behind this, HTTP goes on only if the service says so, and no request is missed.
                RequestState::Head if tunnels(exchanges) => Err(Unreadable::Upgraded),
                RequestState::Head => self.on_head(rest, exchanges, decide, steps),
            };
            match count {
                Ok(0) => return,
                Ok(count) => at += count,
                Err(why) => {
                    if why != Unreadable::Upgraded {
                        decide.unread();
                        decide.spare(why, 1);
                    }
                    self.lose(Some(why));
                    return steps::pass(steps, Direction::Upstream, rest.len());
                }
            }
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
                exchanges.last_mut().into_iter().for_each(|exchange| exchange.asked = true);
            }
            _ => {}
        }
    }

    /// Takes a head, where it is complete and decided about: how many bytes it has.
    ///
    /// # Errors
    /// It is none, or it isn't sure where its request ends.
    fn on_head(
        &mut self,
        bytes: &[u8],
        exchanges: &mut Exchanges,
        decide: &mut dyn Decide,
        steps: Steps<'_>,
    ) -> Result<usize, Unreadable> {
        let (armed, traces) = (decide.is_armed(), decide.traces());
        let known = match self.wanted {
            Some(whole) => whole,
            None => match self.scan.find(bytes) {
                Found::Part => return Ok(0),
                Found::Head { start, end, folded } => WholeHead { start, end, folded, length: end },
                Found::Nothing(why) => return Err(why),
            },
        };
        if armed && bytes.len() < known.length {
            return Ok(0);
        }
        self.wanted = None;
        let WholeHead { start, end, folded, length } = known;
        let decided = parse_ask(&bytes[start..end], folded, |ask| {
            let arrival = request::arrival(ask.fields.iter().copied());
            if length == end {
                // The first time that it is there, also where its body is waited for.
                decide.count(&request::kind(ask.method, request::target(ask.target)));
            }
            let wanted = if length == end && armed && ask.is_sure { wants(ask, arrival, decide) } else { None };
            if let Some(wanted) = wanted
                && bytes.len() - end < wanted
            {
                return Err(end + wanted);
            }
            // The second time, it is there.
            let have = wanted.or((length > end).then_some(length - end));
            let body = |have| &bytes[end..end + have];
            let plan = if !ask.is_sure {
                decide.spare(Unreadable::UnreadableHead, 1);
                HttpPlan::default()
            } else if armed {
                ask_for(ask, arrival, have.map(body), decide)
            } else {
                HttpPlan::default()
            };
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
                return Ok(0);
            }
        }
        Ok(end)
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
        exchanges.push(exchange);
    }

    /// The client sends nothing more; this is left of what it sent.
    pub(super) fn on_end(&mut self, left: &[u8], steps: Steps<'_>) {
        steps::pass(steps, Direction::Upstream, left.len());
        self.lose(None);
    }
}

/// True where the last request asks for a tunnel.
fn tunnels(exchanges: &Exchanges) -> bool {
    exchanges.last().is_some_and(|last| last.kind == MethodKind::Connect && !last.is_canned())
}

/// Leaves out what belongs to this body. Where its framing is broken, nobody knows where the next request begins: all is
/// left out, and the connection ends behind the response, as a service would do it.
fn skip(body: &mut Body, bytes: &[u8], exchanges: &mut Exchanges, steps: Steps<'_>) -> usize {
    let count = body.take(bytes).unwrap_or_else(|| {
        exchanges.last_mut().into_iter().for_each(|exchange| (exchange.asked, exchange.closes) = (true, true));
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
    let target = request::target(ask.target);
    let is_known = arrival.is_some_and(|arrival| decide.knows(arrival));
    let request = Request { method: ask.method, target, headers: ask.fields, body, arrival, is_known };
    HttpPlan::of(&decide.on_message(&request))
}
