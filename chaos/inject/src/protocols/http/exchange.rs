//! Exchanges: requests whose responses have not come to their end.

use super::{
    body::Body,
    head::{Announced, Ask, Reply},
    plan::HttpPlan,
};
use crate::protocol::{Attribution, Injected, Step, Unreadable};
use std::collections::VecDeque;

/// Requests in order, which is that of the responses. As many as there are: those to which nothing happens, and which nobody
/// wants to tell apart, are one entry.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    entries: VecDeque<Exchange>,
}

/// A request and its response, or several that are alike.
#[derive(Debug)]
pub(super) struct Exchange {
    count: u64,
    pub(super) kind: MethodKind,
    /// Plan, where something happens.
    pub(super) plan: Option<Box<HttpPlan>>,
    /// Attribution of request and response.
    pub(super) attribution: Attribution,
    /// The length of the response's body, where that was found out.
    pub(super) length: Option<u64>,
    /// All of the request has come. Known for those whose response does not come from the service.
    pub(super) asked: bool,
    /// The client waits to be told to send the body.
    pub(super) expects: bool,
    /// The client wants no further response on this connection.
    pub(super) closes: bool,
}

/// Kinds of methods, by what they say of where the response ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MethodKind {
    /// Nothing.
    Plain,
    /// The response has no body.
    Head,
    /// A good response makes the connection a tunnel.
    Connect,
}

impl Exchanges {
    pub(super) fn push(&mut self, exchange: Exchange) {
        match self.entries.back_mut() {
            Some(last) if last.is_like(&exchange) => last.count += 1,
            _ => self.entries.push_back(exchange),
        }
    }

    /// The request whose response comes next.
    pub(super) fn front_mut(&mut self) -> Option<&mut Exchange> {
        self.entries.front_mut()
    }

    pub(super) fn first(&self) -> Option<&Exchange> {
        self.entries.front()
    }

    /// The request that came last.
    pub(super) fn last(&self) -> Option<&Exchange> {
        self.entries.back()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Exchange> {
        self.entries.back_mut()
    }

    /// The response that came is at its end.
    pub(super) fn pop(&mut self) {
        match self.entries.front_mut() {
            Some(first) if first.count > 1 => first.count -= 1,
            _ => drop(self.entries.pop_front()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Forgets all, since no response can be told from another any more: what faults were to do to them, they can't.
    pub(super) fn spare(&mut self, why: Unreadable, steps: &mut Vec<Step>) {
        let plans = self.entries.drain(..).filter_map(|exchange| exchange.plan);
        steps.extend(plans.flat_map(|plan| plan.injected).map(|injected| Step::Spared(injected, why)));
    }

    /// The faults have changed: those that `is_there` says no more of do nothing to responses that have not begun.
    pub(super) fn forget(&mut self, is_there: &dyn Fn(&Injected) -> bool) {
        self.entries.iter_mut().for_each(|exchange| exchange.forget(is_there));
    }

    /// The requests; of several that are alike, one.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Exchange> {
        self.entries.iter()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.iter().map(|exchange| usize::try_from(exchange.count).unwrap_or(usize::MAX)).sum()
    }
}

impl Exchange {
    pub(super) fn new(ask: &Ask<'_>, plan: HttpPlan, attribution: Attribution) -> Self {
        let kind = match ask.method {
            "HEAD" => MethodKind::Head,
            "CONNECT" => MethodKind::Connect,
            _ => MethodKind::Plain,
        };
        let plan = (!plan.is_clear()).then(|| Box::new(plan));
        let canned = plan.as_ref().is_some_and(|plan| plan.response.is_some());
        let (expects, closes) = if canned { (ask.expects(), ask.closes()) } else { (false, false) };
        Self { count: 1, kind, plan, attribution, length: None, asked: false, expects, closes }
    }

    /// Tells whether it needs no entry of its own behind this one.
    fn is_like(&self, other: &Self) -> bool {
        let is_plain = |one: &Self| one.plan.is_none() && one.attribution == Attribution::default();
        is_plain(self) && is_plain(other) && self.kind == other.kind
    }

    fn forget(&mut self, is_there: &dyn Fn(&Injected) -> bool) {
        // The service does not know of this request: whoever waits for its response gets the one that there is.
        if self.is_canned() {
            return;
        }
        if let Some(plan) = &mut self.plan
            && !plan.injected.iter().all(is_there)
        {
            drop(plan.leave_out(|drawn| !is_there(&drawn.injected)));
        }
        self.plan.take_if(|plan| plan.is_clear());
    }

    /// Tells whether the service is not asked.
    pub(super) fn is_canned(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.response.is_some())
    }

    /// Tells whether a response of this status has no body, whatever its head says.
    pub(super) fn is_bodiless(&self, status: u16) -> bool {
        self.kind == MethodKind::Head || matches!(status, 100..=199 | 204 | 304) || self.is_tunnel(status)
    }

    /// The framing of the response's body.
    ///
    /// # Errors
    /// Readers differ on it.
    pub(super) fn body(&self, reply: Reply) -> Result<Body, Unreadable> {
        if self.is_bodiless(reply.status) {
            return Ok(Body::Length(0));
        }
        Ok(match reply.announced.ok_or(Unreadable::AmbiguousLength)? {
            Announced::Nothing => Body::UntilClose,
            Announced::Length(length) => Body::Length(length),
            Announced::Chunked => Body::chunked(),
        })
    }

    /// Tells whether what follows a response of this status is HTTP no more.
    pub(super) fn is_tunnel(&self, status: u16) -> bool {
        status == 101 || (self.kind == MethodKind::Connect && (200..300).contains(&status))
    }
}
