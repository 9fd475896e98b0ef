//! The connection that requests share, and how it is judged.
//!
//! Replies come in the order of the questions, so a reply that got lost would give everybody somebody else's. Nothing can
//! be read out of step for long: entries name their owner, and whatever looks wrong has the supervisor check the
//! connection with an echo at once.

use host::Task;
use redis::{Cmd, Value, aio::MultiplexedConnection};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Failures in a row after which a connection is given up.
const FAILURES_ALLOWED: u32 = 3;

/// Where requests find the connection, if there is one.
#[derive(Default)]
pub(super) struct Link(Mutex<Option<Arc<Live>>>);

impl Link {
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// None came in time. It is dropped when it comes: the library keeps count.
    Timeout,
    /// The connection is gone, or what came is no Redis protocol.
    Broken,
    /// The key holds something else than a string: the server is fine, the value isn't.
    WrongType,
    /// The server answered with any other error.
    Server,
}

/// A connection that works, as far as is known.
pub(super) struct Live {
    connection: MultiplexedConnection,
    driver: Task<()>,
    failures: AtomicU32,
    /// Cancelled when it failed too often.
    given_up: CancellationToken,
    suspected: Notify,
}

impl Live {
    /// `driver` moves the connection's bytes; its end is the connection's.
    pub(super) fn new(connection: MultiplexedConnection, driver: Task<()>) -> Self {
        let (given_up, suspected) = (CancellationToken::new(), Notify::new());
        Self { connection, driver, failures: AtomicU32::new(0), given_up, suspected }
    }

    /// One command, one reply, within `limit`. Safe to drop: the reply is then thrown away when it comes.
    ///
    /// A reply of any kind shows that the server is alive. What its errors mean is the caller's part.
    pub(super) async fn ask(&self, command: &Cmd, limit: Duration) -> Result<Value, Failure> {
        let mut connection = self.connection.clone();
        match tokio::time::timeout(limit, connection.send_packed_command(command)).await {
            Err(_) => {
                self.count_failure();
                Err(Failure::Timeout)
            }
            Ok(Ok(Value::ServerError(error))) => Err(of_server(Some(error.code()))),
            Ok(Err(error)) if is_from_server(&error) => Err(of_server(error.code())),
            Ok(Err(_)) => {
                self.given_up.cancel();
                Err(Failure::Broken)
            }
            Ok(Ok(value)) => {
                self.failures.store(0, Ordering::Relaxed);
                Ok(value)
            }
        }
    }

    /// Whether the replies are in step: `Ok(false)` is proof that they are not.
    pub(super) async fn echo(&self, word: &str, limit: Duration) -> Result<bool, Failure> {
        let reply = self.ask(redis::cmd("ECHO").arg(word), limit).await?;
        Ok(matches!(reply, Value::BulkString(bytes) if bytes == word.as_bytes()))
    }

    /// One more in a row: too many, and it is given up.
    pub(super) fn count_failure(&self) {
        if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= FAILURES_ALLOWED {
            self.given_up.cancel();
        }
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

fn of_server(code: Option<&str>) -> Failure {
    if code == Some("WRONGTYPE") { Failure::WrongType } else { Failure::Server }
}

fn is_from_server(error: &redis::RedisError) -> bool {
    matches!(error.kind(), redis::ErrorKind::Server(_) | redis::ErrorKind::Extension)
}
