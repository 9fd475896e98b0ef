//! Owns the connection to Redis: connects, checks, watches, gives up, connects anew. Every attempt is a fresh client.
//!
//! A connection is handed to requests only after an echo came back within a request's patience, so that a Redis that is
//! there but slow costs no request anything.

use super::link::{Failure, Link, Live};
use crate::{
    health::Board,
    labels::{Component, Connect, Label as _, Mode},
    metrics::Metrics,
    settings::RedisUrl,
};
use host::{Host, Random};
use rand::RngExt as _;
use redis::{AsyncConnectionConfig, aio::MultiplexedConnection};
use std::{io, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Waits between attempts: the first is soon, the last often enough to be found again quickly.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A connection that lasted this long was good: the next wait is the first again.
const GOOD_LIFE: Duration = Duration::from_secs(1);

/// How often a connection is checked: when all is well, and when the last check failed.
const CHECK_EVERY: Duration = Duration::from_secs(1);
const CHECK_AGAIN: Duration = Duration::from_millis(100);

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
        let mut waits = Waits { random: self.host.rng("redis waits"), next: FIRST_WAIT };
        let mut failed_before = false;
        loop {
            match self.connect().await {
                Ok(live) => {
                    self.metrics.connect(Connect::Ok);
                    tracing::info!("redis: connected");
                    let born = Instant::now();
                    self.serve(&live).await;
                    if born.elapsed() >= GOOD_LIFE {
                        waits.next = FIRST_WAIT;
                    }
                    failed_before = false;
                }
                Err(result) => {
                    self.metrics.connect(result);
                    self.board.down(Component::Redis);
                    if !std::mem::replace(&mut failed_before, true) {
                        tracing::warn!(result = result.label(), "redis: can't connect, trying on");
                    }
                }
            }
            self.host.sleep(waits.next()).await;
        }
    }

    /// A connection that has proven itself.
    async fn connect(&self) -> Result<Arc<Live>, Connect> {
        let greeted = async {
            let stream = self.host.dial(&self.url.host, self.url.port).await.map_err(|error| of_dial(&error))?;
            let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
            MultiplexedConnection::new_with_config(&self.url.greeting, stream, config)
                .await
                .map_err(|_| Connect::Handshake)
        };
        let greeted = tokio::time::timeout(self.connect_timeout, greeted).await;
        let (connection, driver) = greeted.unwrap_or(Err(Connect::Timeout))?;
        let live = Arc::new(Live::new(connection, self.host.spawn(driver)));
        let checked = self.check(&live, "hello").await;
        if checked.is_err() {
            live.end();
        }
        checked.map(|()| live)
    }

    /// Hands the connection out until it fails.
    async fn serve(&self, live: &Arc<Live>) {
        self.link.publish(Arc::clone(live));
        self.metrics.mode(Mode::Redis);
        let why = self.watch(live).await;
        drop(self.link.take());
        live.end();
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
                Err(Connect::Handshake) => return "its replies are out of step",
                Err(_) => wait = CHECK_AGAIN,
            }
        }
        unreachable!("nobody counts to 2^64")
    }

    /// One echo. `Handshake` is a wrong one.
    async fn check(&self, live: &Live, word: &str) -> Result<(), Connect> {
        let asked = Instant::now();
        match live.echo(word, self.reply_timeout).await {
            Ok(true) => {
                self.board.up(Component::Redis, asked.elapsed(), self.host.unix_now());
                Ok(())
            }
            Ok(false) => Err(Connect::Handshake),
            Err(Failure::Timeout) => Err(Connect::Timeout),
            Err(Failure::Broken) => Err(Connect::Error),
            Err(Failure::Server | Failure::WrongType) => {
                live.count_failure();
                Err(Connect::Error)
            }
        }
    }
}

fn of_dial(error: &io::Error) -> Connect {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Connect::Refused,
        io::ErrorKind::TimedOut => Connect::Timeout,
        _ => Connect::Error,
    }
}

/// Exponential waits with jitter: between half and the whole, so that many gateways don't knock at once.
struct Waits {
    random: Random,
    next: Duration,
}

impl Waits {
    fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST_WAIT);
        wait.mul_f64(self.random.random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_between_half_and_the_whole() {
        let host = host::memory::MemoryNetwork::new(7);
        let mut waits = Waits { random: host.host("gateway").rng("redis waits"), next: FIRST_WAIT };
        for whole in [50, 100, 200, 400, 800, 1000, 1000] {
            let (wait, whole) = (waits.next(), Duration::from_millis(whole));
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
        }
    }
}
