//! The circuit breaker of one service: a service that keeps failing, or keeps being slow, isn't called for a while, and
//! then by one probe at a time until it answers well again.
//!
//! Its control flow is its state: [`Circuit::run`] is closed, then open, then half-open, each a function that returns
//! when its time is over. One task runs it and owns the window; callers meet nothing but the gate, a lock that is held
//! for a moment and never across a wait. So an open circuit costs a caller nothing, and needs no clock of its own.
//!
//! What it doesn't do: decide what a failure is. It is told ([`Permit::end`]); of calls that it isn't told about, only
//! those count that had taken long enough to be slow. Nor does it make the probe: it says to one caller that it is time
//! for one ([`Admission::Probe`]), since only callers know what the service can be asked.

#[cfg(test)]
mod model;
mod window;

pub(crate) use window::{Limits, Outcome};

use crate::{
    labels::{BreakerState, Label as _, Service},
    metrics::Metrics,
};
use host::{Host, Random, Task};
use rand::RngExt as _;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use window::Window;

/// Settings of a breaker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) limits: Limits,
    /// A call that takes this long is slow.
    pub(crate) slow_after: Duration,
    /// The time for which it stays open before the first probe, give or take a fifth: gateways must not come back in
    /// step. After
    /// each probe that failed it is twice as long, up to [`LONGEST`] times: a service that stays ill is left in peace.
    pub(crate) open: Duration,
}

/// The most times [`Config::open`] that a circuit stays open.
const LONGEST: u32 = 3;

/// The time for which a circuit stays open after a probe that failed, where it was open for `open` before it.
fn longer(open: Duration, config: &Config) -> Duration {
    (open * 2).min(config.open * LONGEST)
}

/// The breaker, as callers see it. Its task ends with it.
pub(crate) struct Breaker {
    gate: Arc<Mutex<Gate>>,
    slow_after: Duration,
    ended: mpsc::UnboundedSender<Ended>,
    task: Task<()>,
}

/// The gate that calls meet.
#[derive(Debug)]
enum Gate {
    /// Everybody. Outcomes of an earlier era say nothing of this one.
    Closed { era: u64 },
    /// Nobody.
    Open,
    /// Nobody, but the first who comes takes the sender for a probe, which tells how it went; dropping it says that
    /// nothing came of it.
    HalfOpen(Option<oneshot::Sender<Outcome>>),
}

/// A call that passed a closed circuit has ended.
struct Ended {
    era: u64,
    outcome: Outcome,
}

/// The breaker's decision about a call.
pub(crate) enum Admission {
    /// Make it.
    Call(Permit),
    /// Don't wait for it: most likely the service is still ill. But it is time to find out, by a call of its own.
    Probe(Permit),
    /// Don't make it.
    Refused,
}

/// The right to make one call.
#[must_use = "the breaker learns from what comes of the call"]
pub(crate) struct Permit {
    slow_after: Duration,
    started: Instant,
    /// `None` once it has been told.
    report: Option<Report>,
}

enum Report {
    Closed { era: u64, ended: mpsc::UnboundedSender<Ended> },
    Probe(oneshot::Sender<Outcome>),
}

impl Breaker {
    /// A closed breaker for `service`, with its task.
    pub(crate) fn start(host: &Host, service: Service, config: Config, metrics: Arc<Metrics>) -> Self {
        let gate = Arc::new(Mutex::new(Gate::Closed { era: 0 }));
        let (ended, outcomes) = mpsc::unbounded_channel();
        let circuit = Circuit {
            host: host.clone(),
            service,
            config,
            metrics,
            random: host.rng(&stream(service)),
            gate: Arc::clone(&gate),
            outcomes,
            era: 0,
        };
        let task = host.spawn(circuit.run());
        Self { gate, slow_after: config.slow_after, ended, task }
    }

    /// Somebody wants to make a call.
    pub(crate) fn enter(&self) -> Admission {
        match &mut *lock(&self.gate) {
            Gate::Closed { era } => {
                Admission::Call(self.permit(Report::Closed { era: *era, ended: self.ended.clone() }))
            }
            Gate::Open => Admission::Refused,
            Gate::HalfOpen(probe) => {
                probe.take().map_or(Admission::Refused, |probe| Admission::Probe(self.permit(Report::Probe(probe))))
            }
        }
    }

    fn permit(&self, report: Report) -> Permit {
        Permit { slow_after: self.slow_after, started: Instant::now(), report: Some(report) }
    }

    /// The circuit's state.
    pub(crate) fn state(&self) -> BreakerState {
        match *lock(&self.gate) {
            Gate::Closed { .. } => BreakerState::Closed,
            Gate::Open => BreakerState::Open,
            Gate::HalfOpen(_) => BreakerState::HalfOpen,
        }
    }
}

impl Drop for Breaker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Permit {
    /// The call ended; `failed` says whether by the service's fault.
    pub(crate) fn end(mut self, failed: bool) {
        let slow = self.is_slow();
        self.tell(Outcome { failed, slow });
    }

    fn is_slow(&self) -> bool {
        self.started.elapsed() >= self.slow_after
    }

    fn tell(&mut self, outcome: Outcome) {
        // Where nobody listens any more, nobody needs to know.
        match self.report.take() {
            Some(Report::Closed { era, ended }) => drop(ended.send(Ended { era, outcome })),
            Some(Report::Probe(probe)) => drop(probe.send(outcome)),
            None => {}
        }
    }
}

/// A call that was given up says nothing, but for having been slow.
impl Drop for Permit {
    fn drop(&mut self) {
        if self.is_slow() {
            self.tell(Outcome { failed: false, slow: true });
        }
    }
}

/// The breaker's task.
struct Circuit {
    host: Host,
    service: Service,
    config: Config,
    metrics: Arc<Metrics>,
    random: Random,
    gate: Arc<Mutex<Gate>>,
    outcomes: mpsc::UnboundedReceiver<Ended>,
    era: u64,
}

impl Circuit {
    async fn run(mut self) {
        self.metrics.upstream().circuit_is(self.service, BreakerState::Closed);
        loop {
            self.closed().await;
            let mut open = self.config.open;
            loop {
                self.open(open).await;
                if self.half_open().await {
                    break;
                }
                open = longer(open, &self.config);
            }
        }
    }

    /// Lets everybody through, until too many calls of the window went badly.
    async fn closed(&mut self) {
        let mut window = Window::new(self.config.limits);
        while !window.is_ill() {
            let Some(Ended { era, outcome }) = self.outcomes.recv().await else {
                // The breaker is gone, and this task with it.
                return std::future::pending().await;
            };
            if era == self.era {
                window.record(Instant::now(), outcome);
            }
        }
        self.era += 1;
    }

    /// Lets nobody through for about so long.
    async fn open(&mut self, time: Duration) {
        self.becomes(Gate::Open, BreakerState::Open);
        let wait = jittered(time, &mut self.random);
        self.host.sleep(wait).await;
    }

    /// Lets one probe after the other be made until one has an outcome: whether it is good.
    async fn half_open(&mut self) -> bool {
        let outcome = loop {
            let (probe, told) = oneshot::channel();
            self.becomes(Gate::HalfOpen(Some(probe)), BreakerState::HalfOpen);
            if let Ok(outcome) = told.await {
                break outcome;
            }
        };
        let good = !outcome.failed && !outcome.slow;
        if good {
            self.becomes(Gate::Closed { era: self.era }, BreakerState::Closed);
        }
        good
    }

    fn becomes(&self, gate: Gate, state: BreakerState) {
        let before = std::mem::replace(&mut *lock(&self.gate), gate);
        if !matches!((before, state), (Gate::HalfOpen(_), BreakerState::HalfOpen)) {
            self.metrics.upstream().circuit_becomes(self.service, state);
            tracing::info!(service = self.service.label(), state = state.label(), "circuit");
        }
    }
}

fn lock(gate: &Mutex<Gate>) -> std::sync::MutexGuard<'_, Gate> {
    gate.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of the random stream that `service`'s breaker draws from.
fn stream(service: Service) -> String {
    format!("breaker {}", service.label())
}

/// `wait`, give or take a fifth, in whole milliseconds.
fn jittered(wait: Duration, random: &mut Random) -> Duration {
    let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX / 2);
    let fifth = millis / 5;
    Duration::from_millis(random.random_range(millis - fifth..=millis + fifth))
}
