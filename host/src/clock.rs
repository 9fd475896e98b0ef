use futures_util::future::BoxFuture;
use std::time::Duration;
use tokio::time::Instant;

/// The clock of a world.
pub trait Clock: Send + Sync {
    /// Time since the Unix epoch.
    fn unix_now(&self) -> Duration;

    /// The time so far in which a task of this machine was ready to run and waited for a processor. None where the machine does
    /// not tell, or where there is none.
    fn cpu_stalled(&self) -> Option<Duration> {
        None
    }

    /// Waits until `deadline`; never early.
    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()>;
}
