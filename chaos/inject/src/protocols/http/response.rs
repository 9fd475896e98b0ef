//! Responses to which something happens.

use super::{
    body::{Body, Chain, Edited, Progress},
    canned,
    deeds::{Happening, Seen},
    exchange::{Exchange, MethodKind},
    head::{edited, is_so, put_right},
    plan::{EarlyEnd, HttpPlan},
};
use crate::{
    protocol::{Ending, Injected, Step},
    protocols::steps::{self, Steps},
};
use bytes::Bytes;
use chaos_model::Direction;

/// A response behind its head; with whether it goes at a rate.
#[derive(Debug)]
pub(super) enum Begun {
    /// Not at all.
    Ended,
    /// With a body that passes.
    Passed(Body, bool),
    /// With a body that is changed.
    Edited(Box<Edited>, bool),
    /// With something else than HTTP.
    Tunnel,
}

/// The head of a response from the service.
pub(super) fn begin(exchange: &mut Exchange, head: &[u8], status: u16, source: Body, steps: Steps<'_>) -> Begun {
    let (bodiless, tunnel) = (exchange.is_bodiless(status), exchange.is_tunnel(status));
    let Some(plan) = exchange.plan.take() else {
        steps::pass(steps, Direction::Downstream, head.len());
        return if tunnel { Begun::Tunnel } else { Begun::Passed(source, false) };
    };
    let chain = chain(&plan, bodiless, source.length().or(exchange.length));
    let limit = plan.rate.clone().filter(|_| !bodiless && source.length() != Some(0));
    let length = chain.announced().filter(|_| !bodiless && source.length().is_some());
    let right = plan.undone && chain.is_edited();
    let right_head = right.then(|| put_right(head, chain.announced()));
    let new_length = length.filter(|_| length != source.length());
    let (changed, edits) = with_edits(right_head.as_deref().unwrap_or(head), new_length, &plan);
    let is_cut = plan.ending == Some(EarlyEnd::CloseInstead);
    let perhaps = open(&plan, &Seen { head: edits, body: &chain, limited: limit.is_some(), is_cut }, steps);
    if is_cut {
        steps::skip(steps, Direction::Downstream, head.len());
        steps::end(steps, Ending::Close);
        return Begun::Ended;
    }
    match changed.or(right_head.map(Bytes::from)) {
        Some(changed) => {
            steps::skip(steps, Direction::Downstream, head.len());
            steps::insert(steps, Direction::Downstream, changed);
        }
        None => steps::pass(steps, Direction::Downstream, head.len()),
    }
    let limited = limit.is_some();
    if limit.is_some() {
        steps::rate(steps, limit);
    }
    if chain.is_empty() {
        return if tunnel { Begun::Tunnel } else { Begun::Passed(source, limited) };
    }
    let edited = Edited::new(source, chain, ending(&plan)).telling(perhaps);
    let mut edited = Box::new(edited.with_right_trailer(right));
    edited.begin(steps);
    match edited.progress() {
        Progress::Ended => Begun::Ended,
        Progress::Open | Progress::Whole => Begun::Edited(edited, limited),
    }
}

/// Gives a response in the service's place. Says whether the connection has ended with it.
pub(super) fn give(exchange: &mut Exchange, steps: Steps<'_>) -> bool {
    let Some(plan) = exchange.plan.take() else { return false };
    let Some(canned) = &plan.response else { return false };
    let is_cut = plan.ending == Some(EarlyEnd::CloseInstead);
    let bodiless = exchange.kind == MethodKind::Head || canned::is_bodiless(canned.status);
    let length = canned.body.len() as u64;
    let chain = chain(&plan, bodiless, Some(if bodiless { 0 } else { length }));
    let announced = chain.announced().filter(|_| !bodiless).unwrap_or(length);
    let head = Bytes::from(canned::head(canned, announced, exchange.closes));
    let (changed, edits) = with_edits(&head, None, &plan);
    let limit = plan.rate.clone().filter(|_| !bodiless);
    // Of a body of known length, all is known.
    drop(open(&plan, &Seen { head: edits, body: &chain, limited: limit.is_some(), is_cut }, steps));
    if is_cut {
        steps::end(steps, Ending::Close);
        return true;
    }
    steps::insert(steps, Direction::Downstream, changed.unwrap_or(head));
    let limited = limit.is_some();
    if limit.is_some() {
        steps::rate(steps, limit);
    }
    let mut edited = Edited::new(Body::Length(0), chain, ending(&plan));
    edited.feed(Some(canned.body.as_bytes()).filter(|_| !bodiless), true, steps);
    if limited {
        steps::rate(steps, None);
    }
    if edited.progress() == Progress::Ended {
        return true;
    }
    if exchange.closes {
        steps::end(steps, Ending::Close);
    }
    exchange.closes
}

/// Tells a client that waits for it to send its body, since the service won't.
pub(super) fn ask_for_body(exchange: &mut Exchange, steps: Steps<'_>) {
    if std::mem::take(&mut exchange.expects) {
        steps::insert(steps, Direction::Downstream, Bytes::from_static(b"HTTP/1.1 100 Continue\r\n\r\n"));
    }
}

/// Lets the response wait, and tells the faults that change something of it; gives those of which that is not known yet.
fn open(plan: &HttpPlan, seen: &Seen<'_>, steps: Steps<'_>) -> Vec<(usize, Injected)> {
    if let Some(wait) = &plan.delay {
        steps::wait(steps, wait.clone());
    }
    let Happening { now, perhaps } = Happening::of(plan.injected.iter().zip(&plan.deeds), seen);
    steps.extend(now.into_iter().map(Step::Fired));
    perhaps
}

fn chain(plan: &HttpPlan, bodiless: bool, length: Option<u64>) -> Chain {
    let part = plan.ending.and_then(EarlyEnd::part);
    Chain::new(if bodiless { &[] } else { &plan.body }, part, length)
}

fn ending(plan: &HttpPlan) -> Option<Ending> {
    match plan.ending? {
        EarlyEnd::CloseInstead | EarlyEnd::CloseIn(_) => Some(Ending::Close),
        EarlyEnd::ResetIn(_) => Some(Ending::Reset),
    }
}

/// The head with another length, where there is one, and with the edits of the plan, which win; `None` where nothing
/// changes. And which of these edits show in it.
fn with_edits(head: &[u8], length: Option<u64>, plan: &HttpPlan) -> (Option<Bytes>, Vec<bool>) {
    let mut changed = None;
    if let Some(length) = length {
        changed = Some(edited(head, "content-length", Some(&length.to_string())));
    }
    let mut shows = vec![false; plan.head.len()];
    for (place, edit) in plan.head.iter().enumerate() {
        let before = changed.as_deref().unwrap_or(head);
        if is_so(before, &edit.name, edit.value.as_deref()) {
            continue;
        }
        changed = Some(edited(before, &edit.name, edit.value.as_deref()));
        for (earlier, shows) in plan.head.iter().zip(&mut shows) {
            *shows &= !earlier.name.eq_ignore_ascii_case(&edit.name);
        }
        shows[place] = true;
    }
    (changed.map(Bytes::from), shows)
}
