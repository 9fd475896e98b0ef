//! One connection: a question, a reply, a limit of time, and its end with a reason.

use super::reason;
use crate::labels::Miss;
use host::Task;
use redis::{Cmd, Value, aio::MultiplexedConnection};
use std::{sync::OnceLock, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A connection that works, as far as is known.
pub(super) struct Live {
    connection: MultiplexedConnection,
    driver: Task<()>,
    /// Cancelled when it failed too often, for the reason that is then in `why`.
    given_up: CancellationToken,
    why: OnceLock<Miss>,
    suspected: Notify,
}

impl Live {
    /// `driver` moves the connection's bytes; its end is the connection's.
    pub(super) fn new(connection: MultiplexedConnection, driver: Task<()>) -> Self {
        let (given_up, suspected) = (CancellationToken::new(), Notify::new());
        Self { connection, driver, given_up, why: OnceLock::new(), suspected }
    }

    /// One command, one reply, within `limit`. Safe to drop: the reply is then thrown away when it comes.
    pub(super) async fn ask(&self, command: &Cmd, limit: Duration) -> Result<Value, Miss> {
        let mut connection = self.connection.clone();
        match tokio::time::timeout(limit, connection.send_packed_command(command)).await {
            Err(_) => Err(Miss::Timeout),
            Ok(Ok(Value::ServerError(error))) => {
                Err(reason::of_server(error.code(), error.details().unwrap_or_default()))
            }
            // Where it was given up meanwhile, the reason for that is the reason.
            Ok(Err(error)) => Err(self.why().unwrap_or_else(|| reason::of_library(&error))),
            Ok(Ok(value)) => Ok(value),
        }
    }

    /// Checks that the replies are in step: `Ok(false)` is proof that they are not.
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

    /// Waits until it is given up, and says why.
    pub(super) async fn given_up(&self) -> Miss {
        self.given_up.cancelled().await;
        self.why().unwrap_or(Miss::Down)
    }

    /// Tells if the connection is asked no more.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.is_cancelled()
    }

    /// The reason why the connection was given up, if it was.
    fn why(&self) -> Option<Miss> {
        self.why.get().copied()
    }

    /// Nothing more is asked of it, for this reason.
    pub(super) fn give_up(&self, reason: Miss) {
        // The first reason is the reason.
        let _ = self.why.set(reason);
        self.given_up.cancel();
    }

    /// Ends it for all who share it: what they wait for fails with this reason, unless there was one already.
    pub(super) fn end(&self, reason: Miss) {
        self.give_up(reason);
        self.driver.abort();
    }
}
