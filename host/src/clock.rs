use futures_util::future::BoxFuture;
use std::time::Duration;
use tokio::time::Instant;

/// The clock of a world.
pub trait Clock: Send + Sync {
    /// Time since the Unix epoch.
    fn unix_now(&self) -> Duration;

    /// Waits until `deadline`; never early.
    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()>;
}
