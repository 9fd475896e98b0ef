//! The health of the gateway and of its components. Background tasks find out; responses only read, so that they come
//! at once however dead everything is.

mod described;
mod probe;
pub(crate) mod routes;
mod shown;

pub(crate) use probe::probe;
pub(crate) use routes::{health, live, ready};
pub(crate) use shown::{Health, Ready, Unhealthy};

use crate::labels::{Component, Label as _, Miss, RedisAccess, RedisMode, Status};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The state of a component, as it was last probed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) status: Status,
    /// The latency of the last success.
    pub(crate) latency: Option<Duration>,
    /// Since the Unix epoch.
    pub(crate) last_success: Option<Duration>,
}

impl Known {
    const NOTHING: Self = Self { status: Status::Unknown, latency: None, last_success: None };
}

/// The judgement of Redis: reads, writes, and the last reason.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RedisJudged {
    pub(crate) reads: RedisMode,
    pub(crate) writes: RedisMode,
    /// The last failure, however long ago.
    pub(crate) reason: Option<Miss>,
}

/// The board that everybody writes to and `/health` reads.
pub(crate) struct Board {
    ready: AtomicBool,
    components: Mutex<Vec<(Component, Known)>>,
    redis: Mutex<RedisJudged>,
}

impl Board {
    /// Not ready, nothing known.
    pub(crate) fn new() -> Self {
        let components = Component::ALL.iter().map(|component| (*component, Known::NOTHING)).collect();
        let redis = RedisJudged { reads: RedisMode::Open, writes: RedisMode::Open, reason: None };
        Self { ready: AtomicBool::new(false), components: Mutex::new(components), redis: Mutex::new(redis) }
    }

    /// Says if new requests are welcome: not while starting, and not while draining.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// The component answered, at `now` (since the Unix epoch).
    pub(crate) fn up(&self, component: Component, latency: Duration, now: Duration) {
        self.change(component, |known| {
            *known = Known { status: Status::Up, latency: Some(latency), last_success: Some(now) };
        });
    }

    /// The component did not answer, or not well.
    pub(crate) fn down(&self, component: Component) {
        self.change(component, |known| known.status = Status::Down);
    }

    /// The component isn't used.
    pub(crate) fn off(&self, component: Component) {
        self.change(component, |known| known.status = Status::Off);
    }

    /// Redis is judged otherwise than before.
    pub(crate) fn redis_mode(&self, side: RedisAccess, mode: RedisMode) {
        let mut redis = self.redis.lock().unwrap_or_else(PoisonError::into_inner);
        match side {
            RedisAccess::Read => redis.reads = mode,
            RedisAccess::Write => redis.writes = mode,
        }
    }

    /// Something went wrong with Redis.
    pub(crate) fn redis_failed(&self, reason: Miss) {
        self.redis.lock().unwrap_or_else(PoisonError::into_inner).reason = Some(reason);
    }

    /// The judgement of Redis.
    pub(crate) fn redis(&self) -> RedisJudged {
        *self.redis.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All components.
    pub(crate) fn all(&self) -> Vec<(Component, Known)> {
        self.components().clone()
    }

    fn change(&self, component: Component, change: impl FnOnce(&mut Known)) {
        if let Some((_, known)) = self.components().iter_mut().find(|(there, _)| *there == component) {
            change(known);
        }
    }

    fn components(&self) -> std::sync::MutexGuard<'_, Vec<(Component, Known)>> {
        self.components.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
