//! Responses that are kept whole before anything is said of them: of a body whose head says no length, no share is known before
//! its end; and what a body says can't be changed while it is compressed.
//!
//! A response that was kept comes once more, by the same way, with what was to be known of it. Where it is too long for that, or
//! its coding can't be undone, the faults that need it are spared, and the others do what they do.

use super::{
    body::{Body, Chain, Run},
    exchange::Exchange,
    head::{edited, values},
    plan::{self, HttpPlan},
};
use crate::{
    protocol::{Injected, Step, Unreadable},
    protocols::steps::Steps,
};
use host::http::coding::{self, Undecoded};
use std::borrow::Cow;

/// The longest response that is kept, and the longest body that may come of it, in bytes.
pub(super) const LONGEST: usize = 8 << 20;

/// The status of a part of a body (RFC 9110, 15.3.7).
const PARTIAL_CONTENT: u16 = 206;

/// A response that is kept.
#[derive(Debug)]
pub(super) struct Held {
    wanted: Wanted,
    /// All of it that came.
    message: Vec<u8>,
    /// The length of its head.
    head: usize,
    body: Body,
    /// Its content, where that comes in chunks and is wanted.
    content: Vec<u8>,
    /// The length of its content.
    length: u64,
    /// More of it came than is kept.
    is_long: bool,
}

/// The thing that is to be known of a response.
#[derive(Debug)]
enum Wanted {
    /// The length of its body.
    Length,
    /// Its body without these codings.
    Content(Vec<String>),
}

impl Held {
    /// Keeps the response with this head, where what happens to it needs that.
    pub(super) fn new(
        exchange: &mut Exchange,
        head: &[u8],
        (status, body): (u16, Body),
        steps: Steps<'_>,
    ) -> Option<Box<Self>> {
        loop {
            let plan = exchange.plan.as_ref().filter(|_| body.length() != Some(0))?;
            let wanted = wanted(plan, head, body.length().or(exchange.length))?;
            let is_part = matches!(wanted, Wanted::Content(_)) && status == PARTIAL_CONTENT;
            let is_long = body.length().is_some_and(|length| length > LONGEST as u64);
            if is_part || is_long {
                let why = if is_part { Unreadable::Coded } else { Unreadable::LongBody };
                spare(exchange, &wanted, why, steps);
                continue;
            }
            let (message, content) = (head.to_vec(), Vec::new());
            let (length, is_long) = (0, false);
            return Some(Box::new(Self { wanted, message, head: head.len(), body, content, length, is_long }));
        }
    }

    /// The count of these bytes that are of this response; `None` where they are too many, or not what they should be.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<usize> {
        self.is_long = self.message.len() + bytes.len() > LONGEST;
        if self.is_long {
            return None;
        }
        let keeps = matches!(self.wanted, Wanted::Content(_)) && matches!(self.body, Body::Chunked(_));
        let mut at = 0;
        while at < bytes.len() && !self.body.is_over() {
            match self.body.run(&bytes[at..])? {
                Run::Data(count) => {
                    let data = &bytes[at..at + count];
                    self.content.extend_from_slice(if keeps { data } else { &[] });
                    self.length += count as u64;
                    at += count;
                }
                Run::Framing(count) | Run::Trailer(count) => at += count,
            }
        }
        self.message.extend_from_slice(&bytes[..at]);
        Some(at)
    }

    /// Tells whether all of it has come; `closed` says that the service has ended its stream.
    pub(super) fn is_whole(&self, closed: bool) -> bool {
        self.body.is_over() || (closed && matches!(self.body, Body::UntilClose))
    }

    /// Tells whether what happens to it needs to know that yet.
    pub(super) fn is_wanted(&self, exchange: &Exchange) -> bool {
        exchange.plan.as_ref().is_some_and(|plan| match self.wanted {
            Wanted::Length => plan.needs_length(),
            Wanted::Content(_) => plan.changes_content(),
        })
    }

    /// The response as far as it came, of which nothing is to be known any more.
    pub(super) fn let_go(self) -> Vec<u8> {
        self.message
    }

    /// The response to go on with, now that it is whole.
    pub(super) fn settle(self, exchange: &mut Exchange, steps: Steps<'_>) -> Vec<u8> {
        let Wanted::Content(codings) = &self.wanted else {
            exchange.length = Some(self.length);
            return self.message;
        };
        let (head, raw) = self.message.split_at(self.head);
        let raw = if let Body::Chunked(_) = self.body { &self.content } else { raw };
        let content = if raw.is_empty() { Ok(Cow::Borrowed(raw)) } else { coding::decode(raw, codings, LONGEST) };
        match content {
            Ok(content) if changes(exchange, content.len() as u64) => plain(head, &content),
            // As it should be already: nothing happens, and nothing is told.
            Ok(_) => {
                leave_out(exchange, &self.wanted);
                self.message
            }
            Err(why) => {
                let why = if let Undecoded::TooLarge(_) = why { Unreadable::LongBody } else { Unreadable::Coded };
                spare(exchange, &self.wanted, why, steps);
                self.message
            }
        }
    }

    /// The response to go on with, though it is not known what was to be; `closed` says that the service has cut it off, so that
    /// there is nothing that a fault could have acted on.
    pub(super) fn give_up(self, exchange: &mut Exchange, closed: bool, steps: Steps<'_>) -> Vec<u8> {
        let why = if self.is_long { Unreadable::LongBody } else { Unreadable::AmbiguousLength };
        if closed {
            leave_out(exchange, &self.wanted);
        } else {
            spare(exchange, &self.wanted, why, steps);
        }
        self.message
    }
}

/// The thing that a plan has to know of a response before any of it goes on, by its head and the length of its body.
fn wanted(plan: &HttpPlan, head: &[u8], length: Option<u64>) -> Option<Wanted> {
    if plan.changes_content() {
        let codings = coding::codings(values(head, "content-encoding"));
        if !codings.is_empty() {
            return Some(Wanted::Content(codings));
        }
    }
    (length.is_none() && plan.needs_length()).then_some(Wanted::Length)
}

/// Tells whether what is planned changes a body of this length.
fn changes(exchange: &Exchange, length: u64) -> bool {
    exchange.plan.as_ref().is_some_and(|plan| Chain::new(&plan.body, None, Some(length)).is_edited())
}

/// A response with this body in place of the one that came.
fn plain(head: &[u8], content: &[u8]) -> Vec<u8> {
    let mut message = head.to_vec();
    for field in ["content-encoding", "transfer-encoding", "trailer"] {
        message = edited(&message, field, None);
    }
    message = edited(&message, "content-length", Some(&content.len().to_string()));
    message.extend_from_slice(content);
    message
}

/// The faults that need that are spared, for this reason.
fn spare(exchange: &mut Exchange, wanted: &Wanted, why: Unreadable, steps: Steps<'_>) {
    let left = leave_out(exchange, wanted);
    steps.extend(left.into_iter().map(|injected| Step::Spared(injected, why)));
}

/// Leaves out the faults that need that; gives what would have been told of them.
fn leave_out(exchange: &mut Exchange, wanted: &Wanted) -> Vec<Injected> {
    let Some(plan) = &mut exchange.plan else { return Vec::new() };
    let left = match wanted {
        Wanted::Length => plan.leave_out(|drawn| plan::needs_length(drawn.action())),
        Wanted::Content(_) => plan.leave_out(|drawn| plan::changes_content(drawn.action())),
    };
    exchange.plan.take_if(|plan| plan.is_clear());
    left
}
