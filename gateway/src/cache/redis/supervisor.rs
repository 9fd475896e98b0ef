//! Owns the connection to Redis: connects, checks, watches, gives up, connects anew. Every attempt is a fresh client.
//!
//! A connection is handed to requests only after an echo came back within a request's patience, so that a Redis that is
//! there but slow costs no request anything.

use super::{
    last_words::Heard,
    link::Link,
    live::Live,
    mark::{self, Mark},
    reason,
    waits::Waits,
};
use crate::{
    health::Board,
    labels::{Component, Connect, Label as _, Miss, Mode, RedisAccess, RedisMode},
    metrics::Metrics,
    settings::RedisUrl,
};
use host::Host;
use redis::{AsyncConnectionConfig, Value, aio::MultiplexedConnection};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// From one attempt to the next: so there are two connects a second at most.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);

/// The first bound of the random part of a pause between attempts: it doubles, and stays small enough for Redis to be
/// found again quickly.
const FIRST_SPREAD: Duration = Duration::from_millis(125);
const LONGEST_SPREAD: Duration = Duration::from_millis(500);

/// A connection that lasted this long was good: the next wait is the first again.
const GOOD_LIFE: Duration = Duration::from_secs(1);

/// The interval of a connection's checks: when all is well, and when the last check failed.
const CHECK_EVERY: Duration = Duration::from_secs(1);
const CHECK_AGAIN: Duration = Duration::from_millis(100);

/// From one try to write to the next while Redis takes no writes, and what chance may add to it.
const SHORTEST_WRITE_WAIT: Duration = Duration::from_millis(500);
const FIRST_WRITE_SPREAD: Duration = Duration::from_millis(500);
const LONGEST_WRITE_SPREAD: Duration = Duration::from_secs(4);

pub(super) struct Supervisor {
    pub(super) host: Host,
    pub(super) url: RedisUrl,
    /// For connecting, greeting included.
    pub(super) connect_timeout: Duration,
    /// A request's patience.
    pub(super) reply_timeout: Duration,
    pub(super) link: Arc<Link>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) board: Arc<Board>,
    /// The cache's mode while there is no connection.
    pub(super) without: Mode,
}

/// The state that the supervisor keeps from one connection to the next.
struct Memory {
    mark: Mark,
    /// Between tries to write.
    write_waits: Waits,
    /// The time of the next attempt to write, while Redis takes no writes.
    next_write: Option<Instant>,
    /// A connection failed: lookups return to the next one by a ramp.
    lost_one: bool,
}

impl Supervisor {
    pub(super) async fn run(self) {
        let mut waits = Waits::new(self.host.rng("redis waits"), SHORTEST_WAIT, FIRST_SPREAD, LONGEST_SPREAD);
        let write_waits = self.host.rng("redis write waits");
        let mut memory = Memory {
            mark: Mark::new(&mut self.host.rng("redis mark")),
            write_waits: Waits::new(write_waits, SHORTEST_WRITE_WAIT, FIRST_WRITE_SPREAD, LONGEST_WRITE_SPREAD),
            next_write: None,
            lost_one: false,
        };
        let mut failed_before = false;
        loop {
            match self.connect(&mut memory.mark).await {
                Ok(live) => {
                    self.metrics.connect(Connect::Ok);
                    tracing::info!("redis: connected");
                    let born = Instant::now();
                    self.serve(&live, &mut memory).await;
                    if born.elapsed() >= GOOD_LIFE {
                        waits.restart();
                    }
                    failed_before = false;
                }
                Err(reason) => {
                    let result = of_reason(reason);
                    self.metrics.connect(result);
                    self.link.note(reason);
                    self.board.down(Component::Redis);
                    if !std::mem::replace(&mut failed_before, true) {
                        tracing::warn!(reason = reason.label(), "redis: can't connect, trying on");
                    }
                }
            }
            self.host.sleep(waits.next()).await;
        }
    }

    /// A connection that has proven itself.
    async fn connect(&self, mark: &mut Mark) -> Result<Arc<Live>, Miss> {
        let greeted = async {
            let stream =
                self.host.dial(&self.url.host, self.url.port).await.map_err(|error| reason::of_dial(&error))?;
            let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
            let (stream, heard) = Heard::on(stream);
            let greeted = MultiplexedConnection::new_with_config(&self.url.greeting, stream, config).await;
            greeted.map_err(|error| match reason::of_library(&error) {
                // It may have said why before it hung up.
                Miss::Reset => heard.reason().unwrap_or(Miss::Reset),
                reason => reason,
            })
        };
        let greeted = tokio::time::timeout(self.connect_timeout, greeted).await;
        let (connection, driver) = greeted.unwrap_or(Err(Miss::ConnectTimeout))?;
        let live = Arc::new(Live::new(connection, self.host.spawn(driver)));
        let checked = self.check(&live, "hello", mark).await;
        checked.inspect_err(|reason| live.end(*reason))?;
        Ok(live)
    }

    /// Hands the connection out until it fails: to a few at first, if Redis is back.
    async fn serve(&self, live: &Arc<Live>, memory: &mut Memory) {
        if memory.lost_one {
            self.link.warm();
        }
        self.link.succeeded(RedisAccess::Read);
        self.try_write(live, memory).await;
        self.link.publish(Arc::clone(live));
        self.metrics.mode(Mode::Redis);
        let reason = self.watch(live, memory).await;
        // A replica was read well until now: there is nobody to be careful with.
        memory.lost_one = reason != Miss::Readonly;
        drop(self.link.take());
        live.end(reason);
        self.link.lost(reason);
        self.metrics.mode(self.without);
        self.metrics.connection_lost();
        self.board.down(Component::Redis);
        tracing::warn!(reason = reason.label(), "redis: connection given up");
    }

    /// Waits until the connection has failed, or reads well from what is a replica by now; says why it is given up.
    async fn watch(&self, live: &Live, memory: &mut Memory) -> Miss {
        let mut wait = CHECK_EVERY;
        for count in 0_u64.. {
            tokio::select! {
                biased;
                reason = live.given_up() => return reason,
                () = live.suspected() => {}
                () = self.host.sleep(self.until_next_write(memory).map_or(wait, |write| write.min(wait))) => {}
            }
            // A word that was never asked before: an old reply can't pass for the new one.
            match self.check(live, &format!("check {count}"), &mut memory.mark).await {
                Ok(()) => wait = CHECK_EVERY,
                Err(Miss::OutOfStep) => {
                    self.link.note(Miss::OutOfStep);
                    return Miss::OutOfStep;
                }
                Err(reason) => {
                    self.link.failed(RedisAccess::Read, live, reason);
                    wait = CHECK_AGAIN;
                    continue;
                }
            }
            self.link.succeeded_on(live);
            // Also where nobody asks, it is no longer new after a while.
            self.link.share();
            if self.is_write_due(memory) && self.try_write(live, memory).await == Some(Miss::Readonly) {
                // After a failover another server has the name.
                return Miss::Readonly;
            }
        }
        unreachable!("nobody counts to 2^64")
    }

    /// The time left until a write is tried; `None` while Redis takes them.
    fn until_next_write(&self, memory: &mut Memory) -> Option<Duration> {
        if self.link.mode(RedisAccess::Write) != RedisMode::Open {
            memory.next_write = None;
            return None;
        }
        let Memory { next_write, write_waits, .. } = memory;
        let next = *next_write.get_or_insert_with(|| Instant::now() + write_waits.next());
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Tells if the mark is to be written: to see if Redis takes writes again, or to keep it alive.
    fn is_write_due(&self, memory: &mut Memory) -> bool {
        match self.until_next_write(memory) {
            Some(left) => left.is_zero(),
            None => memory.mark.is_missing() || memory.mark.is_aging(self.host.unix_now()),
        }
    }

    /// One echo, and one read: of the mark, which tells whether Redis still has what it was given.
    async fn check(&self, live: &Live, word: &str, mark: &mut Mark) -> Result<(), Miss> {
        let asked = Instant::now();
        if !live.echo(word, self.reply_timeout).await? {
            return Err(Miss::OutOfStep);
        }
        // Some things fail for data alone: while Redis loads, and where a user may not read.
        match live.ask(redis::cmd("GET").arg(&mark.key), self.reply_timeout).await {
            Ok(Value::Nil) if mark.is_missed(self.host.unix_now()) => {
                self.link.note(Miss::Empty);
                tracing::warn!(reason = Miss::Empty.label(), "redis: it has lost what it was given");
            }
            Ok(_) | Err(Miss::WrongType) => {}
            Err(reason) => return Err(reason),
        }
        self.board.up(Component::Redis, asked.elapsed(), self.host.unix_now());
        Ok(())
    }

    /// Writes the mark, which also tells whether writes work; says why they don't.
    async fn try_write(&self, live: &Live, memory: &mut Memory) -> Option<Miss> {
        let mut command = redis::cmd("SET");
        command.arg(&memory.mark.key).arg("1").arg("PX").arg(mark::LIFE.as_millis().to_string());
        let failed = live.ask(&command, self.reply_timeout).await.err();
        memory.next_write = None;
        match failed {
            None => {
                memory.mark.written(self.host.unix_now());
                memory.write_waits.restart();
                self.link.succeeded(RedisAccess::Write);
            }
            Some(reason) => self.link.failed(RedisAccess::Write, live, reason),
        }
        failed
    }
}

/// The result, for metrics, of an attempt that failed for this reason.
fn of_reason(reason: Miss) -> Connect {
    match reason {
        Miss::Refused => Connect::Refused,
        Miss::Timeout | Miss::ConnectTimeout => Connect::Timeout,
        Miss::Reset => Connect::Error,
        _ => Connect::Handshake,
    }
}
