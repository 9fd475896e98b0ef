//! Retries of failed calls: once at most, only where that can do no harm, only in the time that the call has left, and
//! only from a budget, so that a service in trouble isn't asked more than a tenth more by its retries.
//!
//! A call's timeout covers its retry, so a retry never makes anybody wait longer; and a call that timed out has no time
//! left for one, which is as it should be: who is too slow is helped by fewer calls.

use super::error::{Failed, is_safe_to_repeat};
use crate::{
    labels::{Label as _, Refused, Service},
    metrics::Metrics,
};
use host::{Host, Random};
use rand::RngExt as _;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// A retry waits for up to this long (full jitter), so that those whose calls failed together don't come back together.
const LONGEST_PAUSE: Duration = Duration::from_millis(25);

/// A retry is given at least this time, and otherwise as much as the first attempt took to fail.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(10);

/// Retries of one service.
pub(super) struct Retries {
    service: Service,
    metrics: Arc<Metrics>,
    state: Mutex<(Budget, Random)>,
}

impl Retries {
    /// `percent`: of a hundred calls, so many may be made again.
    pub(super) fn new(host: &Host, service: Service, percent: u8, metrics: Arc<Metrics>) -> Self {
        let random = host.rng(&format!("retries {}", service.label()));
        Self { service, metrics, state: Mutex::new((Budget::new(percent, Instant::now()), random)) }
    }

    /// A call is made for the first time: it earns its share of a retry.
    pub(super) fn first_attempt(&self) {
        let left = {
            let (budget, _) = &mut *self.state();
            budget.earn(Instant::now());
            budget.left()
        };
        self.metrics.upstream().retry_budget(self.service, left);
    }

    /// The pause before the call is made again; `None` where it isn't. The call must have ended by `end`.
    pub(super) fn pause(&self, failed: &Failed, idempotent: bool, end: Instant) -> Option<Duration> {
        if !is_safe_to_repeat(failed.code, idempotent) {
            return None;
        }
        let now = Instant::now();
        let (budget, random) = &mut *self.state();
        // The connection had been idle and the service closed it: nobody is in trouble, and a fresh one will do.
        let longest = if failed.on_reused_connection { Duration::ZERO } else { LONGEST_PAUSE };
        let longest = u64::try_from(longest.as_millis()).unwrap_or_default();
        let pause = Duration::from_millis(random.random_range(0..=longest));
        let refused = if now + pause + failed.took.max(SHORTEST_ATTEMPT) > end {
            Refused::Deadline
        } else if !budget.spend(now) {
            Refused::Budget
        } else {
            self.metrics.upstream().retry_budget(self.service, budget.left());
            return Some(pause);
        };
        self.metrics.upstream().retry_refused(self.service, refused);
        None
    }

    fn state(&self) -> std::sync::MutexGuard<'_, (Budget, Random)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thousand of these are one retry.
type Thousandths = u32;

const ONE_RETRY: Thousandths = 1000;

/// Unspent retries are kept, but no more of them than this: a long calm must not pay for a storm.
const MOST: Thousandths = 10 * ONE_RETRY;

/// The bucket of tokens that retries are paid from. It starts empty, and each call adds a share of a retry, and so does
/// time: one in a second, for services that are seldom called.
struct Budget {
    tokens: Thousandths,
    per_call: Thousandths,
    /// The time at which time's share was last added.
    refilled: Instant,
}

impl Budget {
    fn new(percent: u8, now: Instant) -> Self {
        Self { tokens: 0, per_call: Thousandths::from(percent) * ONE_RETRY / 100, refilled: now }
    }

    fn refill(&mut self, now: Instant) {
        // One retry a second is a thousandth a millisecond; what is less than a millisecond waits for the next time.
        let millis = u32::try_from(now.duration_since(self.refilled).as_millis()).unwrap_or(u32::MAX);
        self.refilled += Duration::from_millis(millis.into());
        self.tokens = self.tokens.saturating_add(millis).min(MOST);
    }

    fn earn(&mut self, now: Instant) {
        self.refill(now);
        self.tokens = (self.tokens + self.per_call).min(MOST);
    }

    fn spend(&mut self, now: Instant) -> bool {
        self.refill(now);
        let paid = self.tokens.checked_sub(ONE_RETRY);
        self.tokens = paid.unwrap_or(self.tokens);
        paid.is_some()
    }

    /// Retries that could be made now.
    fn left(&self) -> f64 {
        f64::from(self.tokens) / f64::from(ONE_RETRY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Code;
    use host::memory::MemoryNetwork;
    use prometheus::Registry;
    use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};

    #[derive(Clone, Debug)]
    enum Step {
        Call,
        Retry,
        Wait(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => Just(Step::Call),
            3 => Just(Step::Retry),
            1 => (0_u64..3_000_000).prop_map(Step::Wait),
        ];
        prop::collection::vec(step, 0..300)
    }

    /// Calls, granted retries and microseconds up to a moment.
    type Totals = (u64, u64, u64);

    /// The most that a run of them may have had, in thousandths, if `kept` of them were there at its start.
    fn may_have(from: Totals, to: Totals, percent: u8, kept: u64) -> u64 {
        (to.0 - from.0) * u64::from(percent) * 10 + (to.2 - from.2).div_ceil(1000) + kept
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_has_more_retries_than_its_calls_and_its_seconds_pay_for(
            steps in steps(), percent in 0_u8..=100,
        ) {
            let start = Instant::now();
            let mut budget = Budget::new(percent, start);
            let mut totals: Vec<Totals> = vec![(0, 0, 0)];
            for step in steps {
                let (mut calls, mut retries, mut micros) = totals[totals.len() - 1];
                let now = start + Duration::from_micros(micros);
                match step {
                    Step::Call => {
                        budget.earn(now);
                        calls += 1;
                    }
                    Step::Retry => retries += u64::from(budget.spend(now)),
                    Step::Wait(more) => micros += more,
                }
                totals.push((calls, retries, micros));
            }
            for (index, to) in totals.iter().enumerate() {
                assert!(to.1 * 1000 <= may_have(totals[0], *to, percent, 0), "from the start to {to:?}");
                for from in &totals[..index] {
                    let most = may_have(*from, *to, percent, MOST.into());
                    assert!((to.1 - from.1) * 1000 <= most, "from {from:?} to {to:?}");
                }
            }
        }

        #[test]
        fn what_is_earned_can_be_spent(calls in 0_u32..400, percent in 0_u8..=100, millis in 0_u32..20_000) {
            let start = Instant::now();
            let mut budget = Budget::new(percent, start);
            (0..calls).for_each(|_| budget.earn(start));
            let now = start + Duration::from_millis(millis.into());
            let granted = (0..1000).take_while(|_| budget.spend(now)).count();
            let earned = (calls * u32::from(percent) * 10).min(MOST) + millis;
            assert_eq!(granted, usize::try_from(earned.min(MOST) / ONE_RETRY).unwrap());
        }

        #[test]
        fn a_retry_is_never_begun_that_the_time_left_cannot_hold(
            took in 0_u64..600, left in 0_u64..600, reused in any::<bool>(),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let _paused = runtime.enter();
            let retries = retries();
            (0..100).for_each(|_| retries.first_attempt());
            let failed = Failed {
                code: Code::Reset, on_reused_connection: reused, took: Duration::from_millis(took),
            };
            let (now, left) = (Instant::now(), Duration::from_millis(left));
            if let Some(pause) = retries.pause(&failed, true, now + left) {
                assert!(pause + failed.took.max(SHORTEST_ATTEMPT) <= left);
                assert!(pause <= LONGEST_PAUSE && !(reused && pause > Duration::ZERO));
            } else {
                assert!(left < failed.took.max(SHORTEST_ATTEMPT) + LONGEST_PAUSE);
            }
        }
    }

    fn retries() -> Retries {
        let metrics = Arc::new(Metrics::register(&Registry::new()).unwrap());
        Retries::new(&MemoryNetwork::new(1).host("gateway"), Service::User, 10, metrics)
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_can_do_no_harm_is_repeated() {
        let retries = retries();
        (0..100).for_each(|_| retries.first_attempt());
        let end = Instant::now() + Duration::from_secs(1);
        let repeated = |code: Code, idempotent: bool| {
            let failed = Failed { code, on_reused_connection: false, took: Duration::ZERO };
            retries.pause(&failed, idempotent, end).is_some()
        };
        assert!(repeated(Code::Reset, true) && repeated(Code::Status5xx, true));
        assert!(!repeated(Code::Reset, false) && !repeated(Code::Status5xx, false));
        // It never got there.
        assert!(repeated(Code::ConnectRefused, false));
        // It would be the same again, or is the gateway's own decision.
        for code in [Code::Status4xx, Code::BadPayload, Code::BodyTooLarge, Code::CircuitOpen, Code::BulkheadFull] {
            assert!(!repeated(code, true), "{code:?}");
        }
    }
}
