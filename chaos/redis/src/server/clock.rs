use std::time::Duration;
use tokio::time::Instant;

/// Dates in milliseconds since the Unix epoch that advance with tokio's clock: they can't jump, and they pause with it.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    started: Instant,
    unix: Duration,
}

impl Clock {
    pub(super) fn starting_at(unix: Duration) -> Self {
        Self { started: Instant::now(), unix }
    }

    pub(super) fn now_ms(&self) -> i64 {
        i64::try_from((self.unix + self.started.elapsed()).as_millis()).unwrap_or(i64::MAX)
    }
}
