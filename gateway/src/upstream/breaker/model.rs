//! The breaker against a model of it: a table of states over everything that ever happened, as slow and plain as can be.

use super::{Admission, Breaker, Config, Limits, Outcome, Permit, jittered, longer, stream};
use crate::{
    labels::{BreakerState, Service},
    metrics::Metrics,
};
use host::{Host, Random, memory::MemoryNetwork};
use prometheus::Registry;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

const CONFIG: Config = Config {
    limits: Limits { calls: 6, age: Duration::from_millis(900), minimum: 3, failures_percent: 50, slow_percent: 70 },
    slow_after: Duration::from_millis(100),
    open: Duration::from_millis(250),
};

#[derive(Clone, Debug)]
enum Step {
    Enter,
    /// One of the calls under way (modulo their number) ends well, fails, or is given up.
    End(usize, End),
    Wait(u64),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Well,
    Failed,
    GivenUp,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end = prop_oneof![3 => Just(End::Failed), 2 => Just(End::Well), 1 => Just(End::GivenUp)];
    let step = prop_oneof![
        4 => Just(Step::Enter),
        4 => (any::<usize>(), end).prop_map(|(call, end)| Step::End(call, end)),
        2 => (1_u64..400).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..120)
}

enum Modelled {
    Closed,
    Open { until: Instant },
    HalfOpen { probing: bool },
}

#[derive(Clone, Copy, Debug)]
enum CallKind {
    Normal { era: u64 },
    Probe,
}

struct Model {
    state: Modelled,
    era: u64,
    /// The time for which it is open before the next probe, about.
    open: Duration,
    /// Since it closed.
    history: Vec<(Instant, Outcome)>,
    random: Random,
}

impl Model {
    fn opens(&mut self, open: Duration) {
        self.open = open;
        self.state = Modelled::Open { until: Instant::now() + jittered(open, &mut self.random) };
        self.history.clear();
    }

    fn state(&mut self) -> BreakerState {
        if let Modelled::Open { until } = self.state
            && Instant::now() >= until
        {
            self.state = Modelled::HalfOpen { probing: false };
        }
        match self.state {
            Modelled::Closed => BreakerState::Closed,
            Modelled::Open { .. } => BreakerState::Open,
            Modelled::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    fn enter(&mut self) -> Option<CallKind> {
        self.state();
        match &mut self.state {
            Modelled::Closed => Some(CallKind::Normal { era: self.era }),
            Modelled::HalfOpen { probing } if !*probing => {
                *probing = true;
                Some(CallKind::Probe)
            }
            _ => None,
        }
    }

    fn end(&mut self, kind: CallKind, started: Instant, end: End) {
        self.state();
        let now = Instant::now();
        let slow = now - started >= CONFIG.slow_after;
        let counts = slow || !matches!(end, End::GivenUp);
        let outcome = Outcome { failed: matches!(end, End::Failed), slow };
        match kind {
            CallKind::Probe if !counts => self.state = Modelled::HalfOpen { probing: false },
            CallKind::Probe if outcome.failed || slow => self.opens(longer(self.open, &CONFIG)),
            CallKind::Probe => self.state = Modelled::Closed,
            CallKind::Normal { era } if counts && era == self.era && matches!(self.state, Modelled::Closed) => {
                self.history.push((now, outcome));
                if self.is_ill(now) {
                    self.era += 1;
                    self.opens(CONFIG.open);
                }
            }
            CallKind::Normal { .. } => {}
        }
    }

    fn is_ill(&self, now: Instant) -> bool {
        let limits = CONFIG.limits;
        let last = self.history.iter().rev().take(limits.calls);
        let recent: Vec<Outcome> =
            last.filter(|(ended, _)| now - *ended <= limits.age).map(|(_, outcome)| *outcome).collect();
        let share = |count: usize| count * 100 / recent.len().max(1);
        let failed = share(recent.iter().filter(|outcome| outcome.failed).count());
        let slow = share(recent.iter().filter(|outcome| outcome.slow).count());
        recent.len() >= limits.minimum && (failed >= limits.failures_percent || slow >= limits.slow_percent)
    }
}

fn host() -> Host {
    MemoryNetwork::new(7).host("gateway")
}

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::register(&Registry::new()).unwrap())
}

/// Lets the breaker's task do what it can.
async fn settle() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

async fn compare(steps: Vec<Step>) {
    let host = host();
    let breaker = Breaker::start(&host, Service::User, CONFIG, metrics());
    let random = host.rng(&stream(Service::User));
    let mut model = Model { state: Modelled::Closed, era: 0, open: CONFIG.open, history: Vec::new(), random };
    let mut calls: Vec<(Permit, CallKind, Instant)> = Vec::new();
    for step in steps {
        match step {
            Step::Enter => match (breaker.enter(), model.enter()) {
                (Admission::Call(permit), Some(kind @ CallKind::Normal { .. }))
                | (Admission::Probe(permit), Some(kind @ CallKind::Probe)) => {
                    calls.push((permit, kind, Instant::now()))
                }
                (Admission::Refused, None) => {}
                (real, modelled) => panic!("it should be {modelled:?}, and is not: {}", name(&real)),
            },
            Step::End(..) if calls.is_empty() => {}
            Step::End(call, end) => {
                let (permit, kind, started) = calls.remove(call % calls.len());
                match end {
                    End::Well => permit.end(false),
                    End::Failed => permit.end(true),
                    End::GivenUp => drop(permit),
                }
                model.end(kind, started, end);
            }
            Step::Wait(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        }
        settle().await;
        assert_eq!(breaker.state(), model.state());
    }
}

proptest! {
    #[test]
    fn it_does_as_its_model(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(compare(steps));
    }
}

fn name(admission: &Admission) -> &'static str {
    match admission {
        Admission::Call(_) => "a call",
        Admission::Probe(_) => "a probe",
        Admission::Refused => "refused",
    }
}

/// The permit of a call.
fn called(breaker: &Breaker) -> Permit {
    let Admission::Call(permit) = breaker.enter() else { panic!("it lets no calls through") };
    permit
}

/// The permit of a probe.
fn probed(breaker: &Breaker) -> Permit {
    let Admission::Probe(permit) = breaker.enter() else { panic!("it wants no probe") };
    permit
}

/// Opens it with calls that fail.
async fn opened(breaker: &Breaker) {
    for _ in 0..CONFIG.limits.minimum {
        called(breaker).end(true);
    }
    settle().await;
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_decides() {
    let breaker = Breaker::start(&host(), Service::User, CONFIG, metrics());
    opened(&breaker).await;
    assert!(matches!(breaker.enter(), Admission::Refused));
    tokio::time::sleep(CONFIG.open * 6 / 5).await;
    let probe = probed(&breaker);
    assert!(matches!(breaker.enter(), Admission::Refused));
    // A probe that came to nothing lets the next one probe.
    drop(probe);
    settle().await;
    // After each that failed the next one comes later, up to three times as late as the first.
    for (least, most) in [(16, 24), (24, 36), (24, 36)] {
        probed(&breaker).end(true);
        settle().await;
        tokio::time::sleep(CONFIG.open * least / 10 - Duration::from_millis(1)).await;
        assert_eq!(breaker.state(), BreakerState::Open);
        tokio::time::sleep(CONFIG.open * (most - least) / 10 + Duration::from_millis(1)).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
    }
    probed(&breaker).end(false);
    settle().await;
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_began_before_it_opened_says_nothing_after_it_closed() {
    let breaker = Breaker::start(&host(), Service::User, CONFIG, metrics());
    let late: Vec<_> = (0..9).map(|_| called(&breaker)).collect();
    opened(&breaker).await;
    tokio::time::sleep(CONFIG.open * 6 / 5).await;
    probed(&breaker).end(false);
    settle().await;
    late.into_iter().for_each(|permit| permit.end(true));
    settle().await;
    assert_eq!(breaker.state(), BreakerState::Closed);
}
