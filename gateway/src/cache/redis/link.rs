//! The connection that requests share, and how it is judged.
//!
//! Replies come in the order of the questions, so a reply that got lost would give everybody somebody else's. Nothing
//! can be read out of step for long: entries name their owner, and whatever looks wrong has the supervisor check the
//! connection with an echo at once.

use super::{access::AccessState, live::Live, ramp};
use crate::{
    health::Board,
    labels::{Label as _, Miss, RedisAccess, RedisMode},
    metrics::Metrics,
    settings::CacheSettings,
};
use host::{Host, Random};
use rand::RngExt as _;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The place where requests find the connection, if there is one, and report each operation's result.
pub(super) struct Link {
    slot: Mutex<Option<Arc<Live>>>,
    reads: Mutex<AccessState>,
    writes: Mutex<AccessState>,
    /// So many failures in a row, and Redis is asked no more.
    failures: u32,
    /// The time over which lookups return to Redis when it is back.
    ramp: Duration,
    /// Since when Redis is back, while not all lookups ask it, and who decides which do.
    back: Mutex<(Option<Instant>, Random)>,
    metrics: Arc<Metrics>,
    board: Arc<Board>,
}

impl Link {
    pub(super) fn new(host: &Host, settings: &CacheSettings, metrics: &Arc<Metrics>, board: &Arc<Board>) -> Self {
        Self {
            slot: Mutex::default(),
            reads: Mutex::default(),
            writes: Mutex::default(),
            failures: settings.failures,
            ramp: settings.warming,
            back: Mutex::new((None, host.rng("redis ramp"))),
            metrics: Arc::clone(metrics),
            board: Arc::clone(board),
        }
    }

    /// Redis is back: a share of lookups asks it, which grows.
    pub(super) fn warm(&self) {
        if !self.ramp.is_zero() {
            self.back().0 = Some(Instant::now());
            self.judge(RedisAccess::Read, None, |side| side.warming(true));
        }
    }

    /// Tells if this lookup may ask Redis.
    pub(super) fn lets_in(&self) -> bool {
        let share = self.share();
        share.is_none_or(|share| self.back().1.random_bool(share))
    }

    /// The share of lookups that may ask Redis; `None`: all may. Ends the ramp when its time is over.
    pub(super) fn share(&self) -> Option<f64> {
        let mut back = self.back();
        let since = back.0?;
        let share = ramp::share(since.elapsed(), self.ramp);
        if share.is_none() {
            back.0 = None;
            drop(back);
            self.judge(RedisAccess::Read, None, |side| side.warming(false));
        }
        share
    }

    fn back(&self) -> std::sync::MutexGuard<'_, (Option<Instant>, Random)> {
        self.back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a success of `side`.
    pub(super) fn succeeded(&self, side: RedisAccess) {
        self.judge(side, None, AccessState::succeeded);
    }

    /// A read got a reply over `live`.
    pub(super) fn succeeded_on(&self, live: &Live) {
        if !live.is_given_up() {
            self.succeeded(RedisAccess::Read);
        }
    }

    /// Counts a failure of `side` on `live`: after too many in a row, Redis is asked no more. A failure of reads is one
    /// of the connection; one that was given up already says nothing of the next.
    pub(super) fn failed(&self, side: RedisAccess, live: &Live, reason: Miss) {
        self.note(reason);
        if live.is_given_up() {
            return;
        }
        let broken = matches!(reason, Miss::Reset | Miss::Protocol);
        // The whole connection's end is told by the supervisor.
        let too_often = !broken && self.judge(side, Some(reason), |side| side.failed(self.failures)) == RedisMode::Open;
        if broken || (too_often && side == RedisAccess::Read) {
            live.give_up(reason);
        }
    }

    /// There is no connection, for this reason: nothing is asked.
    pub(super) fn lost(&self, reason: Miss) {
        self.back().0 = None;
        self.judge(RedisAccess::Read, Some(reason), |_| AccessState::default());
        self.judge(RedisAccess::Write, Some(reason), |_| AccessState::default());
    }

    /// The judgement of `side`.
    pub(super) fn mode(&self, side: RedisAccess) -> RedisMode {
        self.side(side).mode()
    }

    /// Names what went wrong, whether or not Redis is to blame.
    pub(super) fn note(&self, reason: Miss) {
        self.metrics.cache.redis_failure(reason);
        self.board.redis_failed(reason);
    }

    fn judge(
        &self,
        which: RedisAccess,
        reason: Option<Miss>,
        change: impl FnOnce(AccessState) -> AccessState,
    ) -> RedisMode {
        let mut side = self.side(which);
        let before = side.mode();
        *side = change(*side);
        let now = side.mode();
        if before != now {
            self.metrics.cache.redis_mode(which, now);
            self.board.redis_mode(which, now);
            let reason = reason.map_or("", |reason| reason.label());
            tracing::info!(
                side = which.label(),
                from = before.label(),
                to = now.label(),
                reason,
                "redis: mode changed"
            );
        }
        now
    }

    fn side(&self, which: RedisAccess) -> std::sync::MutexGuard<'_, AccessState> {
        let side = match which {
            RedisAccess::Read => &self.reads,
            RedisAccess::Write => &self.writes,
        };
        side.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, unless it has been given up.
    pub(super) fn current(&self) -> Option<Arc<Live>> {
        self.slot().as_ref().filter(|live| !live.is_given_up()).cloned()
    }

    pub(super) fn publish(&self, live: Arc<Live>) {
        *self.slot() = Some(live);
    }

    pub(super) fn take(&self) -> Option<Arc<Live>> {
        self.slot().take()
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<Live>>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
