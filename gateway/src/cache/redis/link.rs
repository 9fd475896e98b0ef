//! The connection that requests share, and how it is judged.
//!
//! Replies come in the order of the questions, so a reply that got lost would give everybody somebody else's. Nothing can
//! be read out of step for long: entries name their owner, and whatever looks wrong has the supervisor check the
//! connection with an echo at once.

use super::{ramp, reason, side::Side};
use crate::{
    health::Board,
    labels::{Label as _, Miss, RedisMode, RedisSide},
    metrics::Metrics,
};
use host::{Host, Random, Task};
use rand::RngExt as _;
use redis::{Cmd, Value, aio::MultiplexedConnection};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// Where requests find the connection, if there is one, and where they tell what came of asking.
pub(super) struct Link {
    slot: Mutex<Option<Arc<Live>>>,
    reads: Mutex<Side>,
    writes: Mutex<Side>,
    /// How long the way back takes.
    ramp: Duration,
    /// Since when Redis is back, while not all lookups ask it, and who decides which do.
    back: Mutex<(Option<Instant>, Random)>,
    metrics: Arc<Metrics>,
    board: Arc<Board>,
}

impl Link {
    pub(super) fn new(host: &Host, ramp: Duration, metrics: &Arc<Metrics>, board: &Arc<Board>) -> Self {
        let (metrics, board) = (Arc::clone(metrics), Arc::clone(board));
        let back = Mutex::new((None, host.rng("redis ramp")));
        Self { slot: Mutex::default(), reads: Mutex::default(), writes: Mutex::default(), ramp, back, metrics, board }
    }

    /// Redis is back: a share of lookups asks it, which grows.
    pub(super) fn warm(&self) {
        if !self.ramp.is_zero() {
            self.back().0 = Some(Instant::now());
            self.judge(RedisSide::Read, None, |side| side.warming(true));
        }
    }

    /// Whether this lookup may ask Redis.
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
            self.judge(RedisSide::Read, None, |side| side.warming(false));
        }
        share
    }

    fn back(&self) -> std::sync::MutexGuard<'_, (Option<Instant>, Random)> {
        self.back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `side` asked went well.
    pub(super) fn succeeded(&self, side: RedisSide) {
        self.judge(side, None, Side::succeeded);
    }

    /// A read got a reply over `live`.
    pub(super) fn succeeded_on(&self, live: &Live) {
        if !live.given_up.is_cancelled() {
            self.succeeded(RedisSide::Read);
        }
    }

    /// What `side` asked of `live` failed: too often in a row, and Redis is asked no more. A failure of reads is one of
    /// the connection; one that was given up already says nothing of the next.
    pub(super) fn failed(&self, side: RedisSide, live: &Live, reason: Miss) {
        self.note(reason);
        if live.given_up.is_cancelled() {
            return;
        }
        let broken = matches!(reason, Miss::Reset | Miss::Protocol);
        // The whole connection's end is told by the supervisor.
        let too_often = !broken && self.judge(side, Some(reason), Side::failed) == RedisMode::Open;
        if broken || (too_often && side == RedisSide::Read) {
            live.given_up.cancel();
        }
    }

    /// There is no connection: nothing is asked.
    pub(super) fn lost(&self, reason: Option<Miss>) {
        self.back().0 = None;
        self.judge(RedisSide::Read, reason, |_| Side::default());
        self.judge(RedisSide::Write, reason, |_| Side::default());
    }

    /// How `side` is judged.
    pub(super) fn mode(&self, side: RedisSide) -> RedisMode {
        self.side(side).mode()
    }

    /// Names what went wrong, whether or not Redis is to blame.
    pub(super) fn note(&self, reason: Miss) {
        self.metrics.cache.redis_failure(reason);
        self.board.redis_failed(reason);
    }

    fn judge(&self, which: RedisSide, reason: Option<Miss>, change: impl FnOnce(Side) -> Side) -> RedisMode {
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

    fn side(&self, which: RedisSide) -> std::sync::MutexGuard<'_, Side> {
        let side = match which {
            RedisSide::Read => &self.reads,
            RedisSide::Write => &self.writes,
        };
        side.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, unless it has been given up.
    pub(super) fn current(&self) -> Option<Arc<Live>> {
        self.slot().as_ref().filter(|live| !live.given_up.is_cancelled()).cloned()
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

/// A connection that works, as far as is known.
pub(super) struct Live {
    connection: MultiplexedConnection,
    driver: Task<()>,
    /// Cancelled when it failed too often.
    given_up: CancellationToken,
    suspected: Notify,
}

impl Live {
    /// `driver` moves the connection's bytes; its end is the connection's.
    pub(super) fn new(connection: MultiplexedConnection, driver: Task<()>) -> Self {
        let (given_up, suspected) = (CancellationToken::new(), Notify::new());
        Self { connection, driver, given_up, suspected }
    }

    /// One command, one reply, within `limit`. Safe to drop: the reply is then thrown away when it comes.
    pub(super) async fn ask(&self, command: &Cmd, limit: Duration) -> Result<Value, Miss> {
        let mut connection = self.connection.clone();
        match tokio::time::timeout(limit, connection.send_packed_command(command)).await {
            Err(_) => Err(Miss::Timeout),
            Ok(Ok(Value::ServerError(error))) => {
                Err(reason::of_server(error.code(), error.details().unwrap_or_default()))
            }
            Ok(Err(error)) => Err(reason::of_library(&error)),
            Ok(Ok(value)) => Ok(value),
        }
    }

    /// Whether the replies are in step: `Ok(false)` is proof that they are not.
    pub(super) async fn echo(&self, word: &str, limit: Duration) -> Result<bool, Miss> {
        let reply = self.ask(redis::cmd("ECHO").arg(word), limit).await?;
        Ok(matches!(reply, Value::BulkString(bytes) if bytes == word.as_bytes()))
    }

    /// Has the supervisor check it now.
    pub(super) fn suspect(&self) {
        self.suspected.notify_one();
    }

    /// Waits until somebody suspects it.
    pub(super) async fn suspected(&self) {
        self.suspected.notified().await;
    }

    /// Waits until it is given up.
    pub(super) async fn given_up(&self) {
        self.given_up.cancelled().await;
    }

    /// Ends it for all who share it: what they wait for fails.
    pub(super) fn end(&self) {
        self.given_up.cancel();
        self.driver.abort();
    }
}
