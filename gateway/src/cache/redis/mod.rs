//! The tier in Redis. It is never waited for: a read has some milliseconds, a write is off the request path, and while
//! there is no good connection Redis isn't asked at all.
//!
//! One task connects and watches ([`supervisor`]), one writes ([`writer`]); requests share the connection ([`link`]).
//! The library's own retries and reconnects are not used: they stall requests for seconds.

mod access;
mod last_words;
mod link;
mod live;
mod mark;
mod ramp;
mod reason;
mod supervisor;
mod waits;
mod writer;

use super::Entry;
use crate::{
    health::Board,
    labels::{Miss, Mode, RedisAccess, Write},
    metrics::Metrics,
    planted::{FOREVER, Mistake, Planted},
    settings::Settings,
    spans,
    user_id::UserId,
};
use host::{Host, Task};
use link::Link;
use redis::Value;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;
use writer::Order;

/// Writes that may wait; more are dropped, and counted.
const QUEUE: usize = 1024;

pub(super) struct RedisTier {
    link: Arc<Link>,
    queue: mpsc::Sender<Order>,
    get_timeout: Duration,
    keeps_stale: bool,
    metrics: Arc<Metrics>,
    planted: Planted,
    closing: CancellationToken,
    tasks: Mutex<Option<(Task<()>, Task<()>)>>,
}

/// The key of a profile.
fn key(user: UserId) -> String {
    format!("gateway:profile:{user}")
}

impl RedisTier {
    /// Starts to connect, in the background: it is fine if there is no Redis yet. While there is none, the cache's mode
    /// is `without`.
    pub(super) fn start(
        host: &Host,
        (settings, planted): (&Settings, &Planted),
        metrics: &Arc<Metrics>,
        board: &Arc<Board>,
        without: Mode,
    ) -> Self {
        let link = Arc::new(Link::new(host, &settings.caching, metrics, board));
        let supervisor = supervisor::Supervisor {
            host: host.clone(),
            url: settings.redis_url.clone(),
            connect_timeout: settings.cache_connect_timeout,
            reply_timeout: settings.cache_get_timeout,
            link: Arc::clone(&link),
            metrics: Arc::clone(metrics),
            board: Arc::clone(board),
            without,
        };
        let (queue, orders) = mpsc::channel(QUEUE);
        let closing = CancellationToken::new();
        let writer = writer::Writer {
            host: host.clone(),
            link: Arc::clone(&link),
            timeout: settings.cache_set_timeout,
            keeps_stale: settings.caching.redis_stale,
            metrics: Arc::clone(metrics),
            closing: closing.clone(),
        };
        let tasks = (host.spawn(supervisor.run()), host.spawn(writer.run(orders)));
        Self {
            link,
            queue,
            get_timeout: settings.cache_get_timeout,
            keeps_stale: settings.caching.redis_stale,
            metrics: Arc::clone(metrics),
            planted: planted.clone(),
            closing,
            tasks: Mutex::new(Some(tasks)),
        }
    }

    /// The entry of `user`, as old as it may be. What is `known` of them meanwhile may be the same one.
    pub(super) async fn get(
        &self,
        user: UserId,
        deadline: Instant,
        known: impl FnOnce() -> Option<Arc<Entry>>,
    ) -> Result<Arc<Entry>, Miss> {
        let live = self.link.current().ok_or(Miss::Down)?;
        if !self.link.lets_in() {
            return Err(Miss::Warming);
        }
        let limit = self.get_timeout.min(deadline.saturating_duration_since(Instant::now()));
        let limit = if self.planted.has(Mistake::UntimedCacheRead) { FOREVER } else { limit };
        let reply = live.ask(redis::cmd("GET").arg(key(user)), limit).await;
        let entry = match reply {
            Ok(Value::Nil) => Err(Miss::Absent),
            Ok(Value::BulkString(bytes)) => Entry::decode(&bytes, user, known()),
            // No server answers a GET with this: it is the reply to something else.
            Ok(_) => Err(Miss::OutOfStep),
            // The server is fine, the value isn't.
            Err(Miss::WrongType) => Err(Miss::WrongType),
            Err(reason) => {
                self.link.failed(RedisAccess::Read, &live, reason);
                return Err(reason);
            }
        };
        self.link.succeeded_on(&live);
        if let Err(reason) = &entry
            && reason.is_failure()
        {
            self.link.note(*reason);
            if matches!(reason, Miss::WrongKey | Miss::OutOfStep) {
                live.suspect();
            }
        }
        entry
    }

    /// Tells if there is no connection that is asked.
    pub(super) fn is_away(&self) -> bool {
        self.link.current().is_none()
    }

    /// Writes the entry some time soon.
    pub(super) fn put(&self, entry: &Arc<Entry>) {
        self.order(Order::Put(Arc::clone(entry)));
    }

    /// Writes the entry some time soon, unless Redis has got one meanwhile.
    pub(super) fn put_if_absent(&self, entry: &Arc<Entry>) {
        self.order(Order::PutIfAbsent(Arc::clone(entry)));
    }

    /// Deletes what Redis may still have of `user`. Where it keeps nothing old, there is nothing to delete.
    pub(super) fn forget(&self, user: UserId) {
        if self.keeps_stale {
            self.order(Order::Forget(user));
        }
    }

    fn order(&self, order: Order) {
        let operation = order.operation();
        match self.queue.try_send(order) {
            Ok(()) => spans::ordered(operation),
            Err(_) => self.metrics.write(Write::Dropped),
        }
    }

    /// Waits until the queue is empty, at most for `limit`, then stops both tasks.
    pub(super) async fn close(&self, limit: Duration) {
        self.closing.cancel();
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((supervisor, mut writer)) = tasks {
            if tokio::time::timeout(limit, &mut writer).await.is_err() {
                writer.abort();
            }
            supervisor.abort();
            if let Some(live) = self.link.take() {
                live.end(Miss::Down);
            }
        }
    }
}
