//! Wires between two hosts, one direction each: how long bytes are under way, how many of them a second, and whether any
//! arrive.

use super::{pipe::Pipe, postman::Postman};
use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Conditions of sending from one host to another. By default: at once, any amount, all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Time that each byte is under way.
    pub latency: Duration,
    /// Bytes a second, of all connections together; none: any number.
    pub bandwidth: Option<u64>,
    /// Nothing arrives. Bytes (and ends of streams) are sent again until it is over, as TCP does; attempts to connect
    /// are too; a reset is sent once, and then lost for good.
    pub cut: bool,
}

/// The first time after which TCP sends again what was not acknowledged, and the longest: it doubles (RFC 6298, with
/// Linux's bounds, `TCP_RTO_MIN` and `TCP_RTO_MAX`).
const RESEND: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(120)];

/// One way between two hosts. All connections between them share it.
pub(super) struct Wire {
    /// Nothing is late, bounded or lost, which mostly holds: then nobody takes a lock.
    ideal: AtomicBool,
    state: Mutex<State>,
    postman: Arc<Postman>,
}

#[derive(Default)]
struct State {
    conditions: Conditions,
    /// The time at which the last bytes that were sent have left.
    free: Option<Instant>,
    /// Pipes with something that was lost and is to be sent again.
    waiting: Vec<Weak<Pipe>>,
}

/// Fate of something that is sent.
pub(super) enum Sent {
    /// Arrives at this time.
    Arrives(Instant),
    /// Lost.
    Lost,
}

impl Wire {
    pub(super) fn new(conditions: Conditions, postman: Arc<Postman>) -> Self {
        let state = State { conditions, ..State::default() };
        Self { ideal: AtomicBool::new(conditions == Conditions::default()), state: Mutex::new(state), postman }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True where what is sent is there at once.
    pub(super) fn is_ideal(&self) -> bool {
        self.ideal.load(Ordering::Relaxed)
    }

    pub(super) fn postman(&self) -> &Arc<Postman> {
        &self.postman
    }

    pub(super) fn conditions(&self) -> Conditions {
        self.state().conditions
    }

    /// Changes how it is from now on. What is under way arrives as it would have; what was lost is sent again when that
    /// is due.
    pub(super) fn set(&self, conditions: Conditions) {
        let mut state = self.state();
        state.conditions = conditions;
        self.ideal.store(conditions == Conditions::default(), Ordering::Relaxed);
        if conditions.bandwidth.is_none() {
            state.free = None;
        }
        let waiting = if conditions.cut { Vec::new() } else { std::mem::take(&mut state.waiting) };
        drop(state);
        for pipe in waiting.iter().filter_map(Weak::upgrade) {
            pipe.send_again();
        }
    }

    /// Sends so many bytes now.
    pub(super) fn send(&self, bytes: usize) -> Sent {
        let mut state = self.state();
        let Conditions { latency, bandwidth, cut } = state.conditions;
        if cut {
            return Sent::Lost;
        }
        let now = Instant::now();
        let Some(bandwidth) = bandwidth else { return Sent::Arrives(now + latency) };
        let took = Duration::from_secs_f64(bytes as f64 / bandwidth.max(1) as f64);
        let left = state.free.map_or(now, |free| free.max(now)) + took;
        state.free = Some(left);
        Sent::Arrives(left + latency)
    }

    /// Something of this pipe was lost, and is to be sent again when the cut is over.
    pub(super) fn remember(&self, pipe: &Arc<Pipe>) {
        self.state().waiting.push(Arc::downgrade(pipe));
    }
}

/// The time at which TCP sends again, the first time from `now` on, what it first sent at `first`.
pub(super) fn resend(first: Instant, now: Instant) -> Instant {
    let [mut wait, longest] = RESEND;
    let mut at = first + wait;
    while at < now {
        wait = (wait * 2).min(longest);
        at += wait;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_sent_again_at_longer_and_longer_intervals() {
        let first = Instant::now();
        let after = |ms| resend(first, first + Duration::from_millis(ms)).duration_since(first).as_millis();
        assert_eq!([after(0), after(200), after(201), after(601), after(1401)], [200, 200, 600, 1400, 3000]);
        assert_eq!(after(1_000_000) - after(900_000), 120_000);
    }
}
