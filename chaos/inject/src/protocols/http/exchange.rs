//! Exchanges: requests whose responses have not come to their end.

use super::{
    body::Body,
    head::{Announced, Ask, Reply},
    plan::HttpPlan,
};
use crate::protocol::Attribution;
use std::collections::VecDeque;

/// In the order of the requests, which is that of the responses.
pub(super) type Exchanges = VecDeque<Exchange>;

/// A request and its response.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) kind: MethodKind,
    /// Plan, where something happens.
    pub(super) plan: Option<Box<HttpPlan>>,
    /// Attribution of request and response.
    pub(super) attribution: Attribution,
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
        Self { kind, plan, attribution, asked: false, expects, closes }
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
    pub(super) fn body(&self, reply: Reply) -> Body {
        match reply.announced {
            _ if self.is_bodiless(reply.status) => Body::Length(0),
            Announced::Nothing => Body::UntilClose,
            Announced::Length(length) => Body::Length(length),
            Announced::Chunked => Body::chunked(),
        }
    }

    /// Tells whether what follows a response of this status is HTTP no more.
    pub(super) fn is_tunnel(&self, status: u16) -> bool {
        status == 101 || (self.kind == MethodKind::Connect && (200..300).contains(&status))
    }
}
