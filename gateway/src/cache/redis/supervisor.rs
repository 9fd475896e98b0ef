//! Owns the connection to Redis: connects, checks, watches, gives up, connects anew. Every attempt is a fresh client.
//!
//! A connection is handed to requests only after an echo came back within a request's patience, so that a Redis that is
//! there but slow costs no request anything.

use super::{
    link::{Link, Live},
    reason,
};
use crate::{
    health::Board,
    labels::{Component, Connect, Label as _, Miss, Mode, RedisMode, RedisSide},
    metrics::Metrics,
    settings::RedisUrl,
};
use host::{Host, Random};
use rand::RngExt as _;
use redis::{AsyncConnectionConfig, aio::MultiplexedConnection};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// From one attempt to the next: so there are two connects a second at most.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);

/// What chance may add to it: it doubles, and stays small enough for Redis to be found again quickly.
const FIRST_SPREAD: Duration = Duration::from_millis(125);
const LONGEST_SPREAD: Duration = Duration::from_millis(500);

/// A connection that lasted this long was good: the next wait is the first again.
const GOOD_LIFE: Duration = Duration::from_secs(1);

/// How often a connection is checked: when all is well, and when the last check failed.
const CHECK_EVERY: Duration = Duration::from_secs(1);
const CHECK_AGAIN: Duration = Duration::from_millis(100);

/// How long Redis keeps what is written to see whether it takes writes.
const PROBE_LIFE: Duration = Duration::from_secs(1);

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

impl Supervisor {
    pub(super) async fn run(self) {
        let mut waits = Waits { random: self.host.rng("redis waits"), spread: FIRST_SPREAD };
        let mut failed_before = false;
        let mut lost_one = false;
        loop {
            match self.connect().await {
                Ok(live) => {
                    self.metrics.connect(Connect::Ok);
                    tracing::info!("redis: connected");
                    let born = Instant::now();
                    self.serve(&live, lost_one).await;
                    lost_one = true;
                    if born.elapsed() >= GOOD_LIFE {
                        waits.spread = FIRST_SPREAD;
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
    async fn connect(&self) -> Result<Arc<Live>, Miss> {
        let greeted = async {
            let stream =
                self.host.dial(&self.url.host, self.url.port).await.map_err(|error| reason::of_dial(&error))?;
            let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
            MultiplexedConnection::new_with_config(&self.url.greeting, stream, config)
                .await
                .map_err(|error| reason::of_library(&error))
        };
        let greeted = tokio::time::timeout(self.connect_timeout, greeted).await;
        let (connection, driver) = greeted.unwrap_or(Err(Miss::ConnectTimeout))?;
        let live = Arc::new(Live::new(connection, self.host.spawn(driver)));
        let checked = self.check(&live, "hello").await;
        if checked.is_err() {
            live.end();
        }
        checked.map(|()| live)
    }

    /// Hands the connection out until it fails: to a few at first, if Redis is `back`.
    async fn serve(&self, live: &Arc<Live>, back: bool) {
        if back {
            self.link.warm();
        }
        self.link.succeeded(RedisSide::Read);
        self.try_write(live).await;
        self.link.publish(Arc::clone(live));
        self.metrics.mode(Mode::Redis);
        let why = self.watch(live).await;
        drop(self.link.take());
        live.end();
        self.link.lost(None);
        self.metrics.mode(self.without);
        self.metrics.connection_lost();
        self.board.down(Component::Redis);
        tracing::warn!(why, "redis: connection given up");
    }

    /// Waits until the connection has failed, and says how.
    async fn watch(&self, live: &Live) -> &'static str {
        let mut wait = CHECK_EVERY;
        for count in 0_u64.. {
            tokio::select! {
                biased;
                () = live.given_up() => return "it failed too often",
                () = live.suspected() => {}
                () = self.host.sleep(wait) => {}
            }
            // A word that was never asked before: an old reply can't pass for the new one.
            match self.check(live, &format!("check {count}")).await {
                Ok(()) => wait = CHECK_EVERY,
                Err(Miss::OutOfStep) => {
                    self.link.note(Miss::OutOfStep);
                    return "its replies are out of step";
                }
                Err(reason) => {
                    self.link.failed(RedisSide::Read, live, reason);
                    wait = CHECK_AGAIN;
                    continue;
                }
            }
            self.link.succeeded_on(live);
            // Also where nobody asks, it is no longer new after a while.
            self.link.share();
            if self.link.mode(RedisSide::Write) == RedisMode::Open && self.try_write(live).await == Some(Miss::Readonly)
            {
                // After a failover another server has the name.
                return "it takes no writes";
            }
        }
        unreachable!("nobody counts to 2^64")
    }

    /// One echo. `Handshake` is a wrong one.
    async fn check(&self, live: &Live, word: &str) -> Result<(), Miss> {
        let asked = Instant::now();
        if !live.echo(word, self.reply_timeout).await? {
            return Err(Miss::OutOfStep);
        }
        // Some things fail for data alone: while Redis loads, and where a user may not read.
        match live.ask(redis::cmd("GET").arg("gateway:probe"), self.reply_timeout).await {
            Ok(_) | Err(Miss::WrongType) => {}
            Err(reason) => return Err(reason),
        }
        self.board.up(Component::Redis, asked.elapsed(), self.host.unix_now());
        Ok(())
    }

    /// Writes something of no worth, to learn whether writes work; says why they don't.
    async fn try_write(&self, live: &Live) -> Option<Miss> {
        let mut command = redis::cmd("SET");
        command.arg("gateway:probe").arg("1").arg("PX").arg(PROBE_LIFE.as_millis().to_string());
        let failed = live.ask(&command, self.reply_timeout).await.err();
        match failed {
            None => self.link.succeeded(RedisSide::Write),
            Some(reason) => self.link.failed(RedisSide::Write, live, reason),
        }
        failed
    }
}

/// What came of an attempt that failed for this reason.
fn of_reason(reason: Miss) -> Connect {
    match reason {
        Miss::Refused => Connect::Refused,
        Miss::Timeout | Miss::ConnectTimeout => Connect::Timeout,
        Miss::Reset => Connect::Error,
        _ => Connect::Handshake,
    }
}

/// Waits with jitter that grows, so that many gateways don't knock at once.
struct Waits {
    random: Random,
    spread: Duration,
}

impl Waits {
    fn next(&mut self) -> Duration {
        let spread = self.spread;
        self.spread = (spread * 2).min(LONGEST_SPREAD);
        SHORTEST_WAIT + spread.mul_f64(self.random.random_range(0.0..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_spread_and_are_never_below_half_a_second() {
        let host = host::memory::MemoryNetwork::new(7);
        let mut waits = Waits { random: host.host("gateway").rng("redis waits"), spread: FIRST_SPREAD };
        for spread in [125, 250, 500, 500] {
            let wait = waits.next();
            assert!(wait >= SHORTEST_WAIT && wait <= SHORTEST_WAIT + Duration::from_millis(spread), "{wait:?}");
        }
    }
}
