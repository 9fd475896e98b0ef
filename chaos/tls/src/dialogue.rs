//! The words between both sides of one connection.

use crate::{configs::ProtocolName, lock};
use chaos_model::effect::TlsAction;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

/// A side of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Service,
}

/// The wishes of a client when it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    /// The name of the server (SNI); none where it asked for an address.
    pub(crate) name: Option<String>,
    /// The protocol that was chosen of those that it offered; none where it offered none.
    pub(crate) protocol: Option<ProtocolName>,
}

/// The news that one side passes to the other.
#[derive(Default)]
pub(crate) struct Dialogue {
    hello: Mutex<Option<Hello>>,
    /// One dials at a time.
    waiting: Mutex<Option<Waker>>,
    client_cut: AtomicBool,
    service_cut: AtomicBool,
    /// The faults' action on the client, and whether some of it was done while hands were shaken.
    action: Mutex<TlsAction>,
    acted: AtomicBool,
    is_told_of: AtomicBool,
}

impl Dialogue {
    /// Has faults do this from now on.
    pub(crate) fn act(&self, action: TlsAction) {
        *lock(&self.action) = action;
    }

    /// The faults' action now.
    pub(crate) fn action(&self) -> TlsAction {
        *lock(&self.action)
    }

    /// Notes that a fault has acted on the handshake.
    pub(crate) fn note_act(&self) {
        self.acted.store(true, Ordering::Release);
    }

    /// Tells whether one has.
    pub(crate) fn was_acted_on(&self) -> bool {
        self.acted.load(Ordering::Acquire)
    }

    /// The same, once.
    pub(crate) fn take_act(&self) -> bool {
        self.was_acted_on() && !self.is_told_of.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn begin(&self, hello: Hello) {
        *lock(&self.hello) = Some(hello);
        if let Some(waker) = lock(&self.waiting).take() {
            waker.wake();
        }
    }

    /// Ready once the client has begun.
    pub(crate) fn poll_hello(&self, cx: &Context<'_>) -> Poll<Hello> {
        *lock(&self.waiting) = Some(cx.waker().clone());
        lock(&self.hello).clone().map_or(Poll::Pending, Poll::Ready)
    }

    fn cut_of(&self, side: Side) -> &AtomicBool {
        match side {
            Side::Client => &self.client_cut,
            Side::Service => &self.service_cut,
        }
    }

    /// Notes that this side has ended its stream without saying that it does (close_notify).
    pub(crate) fn cut(&self, side: Side) {
        self.cut_of(side).store(true, Ordering::Release);
    }

    /// Tells whether the end that this side is to be told of was one without such a word.
    pub(crate) fn was_cut_before(&self, side: Side) -> bool {
        let other = match side {
            Side::Client => Side::Service,
            Side::Service => Side::Client,
        };
        self.cut_of(other).load(Ordering::Acquire)
    }
}
