//! A service that runs: how it is asked to end, and how far it has.

use super::protocol::{Launch, STOP_SIGNALS};
use rustix::process::Signal;
use std::time::Duration;
use tokio::time::Instant;

/// Time between two looks at a service whose main process has ended, where it was asked to end.
const SOON: Duration = Duration::from_millis(10);
/// The same where its main process has left others behind on purpose, as daemons do.
const AT_TIMES: Duration = Duration::from_millis(100);

/// A service that was asked to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopping {
    /// The moment from which it is killed.
    pub(super) deadline: Instant,
    /// True once it was.
    pub(super) was_killed: bool,
}

/// A service that was started, and has not been told of as ended.
#[derive(Debug)]
pub(super) struct Running {
    /// The signal that asks it to end.
    pub(super) stop_signal: Signal,
    /// Time that it has to.
    pub(super) grace: Duration,
    /// The way its main process ended, once it has.
    pub(super) main_end: Option<String>,
    /// Set where it was asked to end.
    pub(super) stopping: Option<Stopping>,
}

impl Running {
    pub(super) fn new(launch: &Launch) -> Self {
        let named = STOP_SIGNALS.iter().find(|(name, _)| *name == launch.stop_signal);
        let stop_signal = named.map_or(Signal::TERM, |(_, signal)| *signal);
        let grace = Duration::from_millis(launch.stop_grace_ms);
        Self { stop_signal, grace, main_end: None, stopping: None }
    }

    /// The moment at which it may have ended without anybody telling; none where its main process will.
    pub(super) fn next_look(&self, now: Instant) -> Option<Instant> {
        match (&self.stopping, &self.main_end) {
            (Some(stopping), None) if stopping.was_killed => None,
            (Some(stopping), None) => Some(stopping.deadline),
            (Some(stopping), Some(_)) => Some(stopping.deadline.max(now).min(now + SOON)),
            (None, Some(_)) => Some(now + AT_TIMES),
            (None, None) => None,
        }
    }

    /// True where its time to end is over and it was not killed yet.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.stopping.is_some_and(|stopping| now >= stopping.deadline && !stopping.was_killed)
    }

    pub(super) fn was_killed(&mut self) {
        if let Some(stopping) = &mut self.stopping {
            stopping.was_killed = true;
        }
    }

    /// Whether others may outlive its main process: where that was asked to end, or has ended well, as those do that start a
    /// daemon. None while it runs.
    pub(super) fn leaves_others(&self) -> Option<bool> {
        let how = self.main_end.as_deref()?;
        let is_killed = self.stopping.is_some_and(|stopping| stopping.was_killed);
        Some(!is_killed && (self.stopping.is_some() || how == "exit status: 0"))
    }

    /// The time after which it was killed, if it was since it did not end by itself.
    pub(super) fn killed_after(&self) -> Option<Duration> {
        self.stopping.filter(|stopping| stopping.was_killed).map(|_| self.grace)
    }
}
