//! Requests whose answers have not come to their end.

use super::head::Ask;
use crate::filter::{HttpPlan, Whose};
use std::collections::VecDeque;

/// In the order of the requests, which is that of the answers.
pub(super) type Exchanges = VecDeque<Exchange>;

/// A request and its answer.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) kind: Kind,
    /// What happens, where something does.
    pub(super) plan: Option<Box<HttpPlan>>,
    /// Who it is.
    pub(super) whose: Whose,
    /// All of the request has come. Known for those whose answer does not come from the node.
    pub(super) asked: bool,
    /// The client waits to be told to send the body.
    pub(super) expects: bool,
    /// The client wants no further answer on this connection.
    pub(super) closes: bool,
}

/// What the method says about where the answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Plain,
    /// The answer has no body.
    Head,
    /// A good answer makes the connection a tunnel.
    Connect,
}

impl Exchange {
    pub(super) fn new(ask: &Ask<'_>, plan: HttpPlan, whose: Whose) -> Self {
        let kind = match ask.method {
            "HEAD" => Kind::Head,
            "CONNECT" => Kind::Connect,
            _ => Kind::Plain,
        };
        let plan = (!plan.is_clear()).then(|| Box::new(plan));
        let canned = plan.as_ref().is_some_and(|plan| plan.answer.is_some());
        let (expects, closes) = if canned { (ask.expects(), ask.closes()) } else { (false, false) };
        Self { kind, plan, whose, asked: false, expects, closes }
    }

    /// Whether the node is not asked.
    pub(super) fn is_canned(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.answer.is_some())
    }

    /// Whether an answer of this status has no body, whatever its head says.
    pub(super) fn is_bodiless(&self, status: u16) -> bool {
        self.kind == Kind::Head || matches!(status, 100..=199 | 204 | 304) || self.is_tunnel(status)
    }

    /// Whether what follows an answer of this status is HTTP no more.
    pub(super) fn is_tunnel(&self, status: u16) -> bool {
        status == 101 || (self.kind == Kind::Connect && (200..300).contains(&status))
    }
}
