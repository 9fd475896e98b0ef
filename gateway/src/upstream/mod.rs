//! Calls to one service: one HTTP client, one timeout, one set of words for failures. A call never outlasts the
//! request's deadline. Which calls are made, and what their bodies mean, is [`services`]' part.
//!
//! The way of a call: the breaker lets it through ([`breaker`]), there is a place in the bulkhead ([`bulkhead`]), and
//! only then is anything sent ([`wire`]). What either turns away costs the service nothing, and says nothing about how
//! long it takes. A call that failed may be made once more ([`retry`]), on the same way and within the same timeout.
//! Whether a service with an open circuit is well again is found out by a call that nobody waits for ([`probe`]).

mod breaker;
mod bulkhead;
mod error;
mod probe;
mod retry;
pub(crate) mod services;
mod wire;

pub(crate) use error::CallError;

use crate::{
    base_url::{BaseUrl, Segment},
    context::RequestContext,
    labels::{BreakerState, Code, Service},
    metrics::Metrics,
    planted::{FOREVER, Mistake, Planted},
    settings::UpstreamSettings,
    spans,
};
use breaker::{Admission, Breaker, Permit};
use bulkhead::Bulkhead;
use bytes::Bytes;
use error::{Blame, Failed};
use host::Host;
use http::Method;
use retry::Retries;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};
use wire::{Until, Wire};

/// One service.
pub(crate) struct Upstream {
    host: Host,
    service: Service,
    timeout: Duration,
    wire: Wire,
    /// `None` where the settings want none.
    breaker: Option<Breaker>,
    bulkhead: Bulkhead,
    /// `None` where the settings want none.
    retries: Option<Retries>,
    metrics: Arc<Metrics>,
    planted: Planted,
}

/// The service that is called, and how much of its time and of its response is taken.
pub(crate) struct Target {
    pub(crate) service: Service,
    pub(crate) base: BaseUrl,
    pub(crate) timeout: Duration,
    pub(crate) body_limit: usize,
}

/// A call to a service.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: Vec<Segment>,
    /// JSON.
    pub(crate) body: Option<Bytes>,
    /// Made twice, it does the same as made once.
    pub(crate) idempotent: bool,
}

/// A service's response: JSON, not looked at yet, or that there is no such thing.
pub(crate) enum Reply {
    Found(Bytes),
    NotFound,
}

/// Makes of a reply what is wanted, or says what is wrong with it. A probe keeps it for longer than who asked.
pub(crate) trait Understand<T>: Fn(Reply) -> Result<T, Code> + Clone + Send + Sync + 'static {}

impl<T, U: Fn(Reply) -> Result<T, Code> + Clone + Send + Sync + 'static> Understand<T> for U {}

/// A call, for whom and until when it is made, and what makes sense of the reply.
struct CallRequest<'a, U> {
    call: Call,
    context: &'a RequestContext,
    until: Until,
    understand: U,
}

impl Upstream {
    pub(crate) fn new(
        host: &Host,
        (target, planted): (Target, &Planted),
        settings: &UpstreamSettings,
        metrics: Arc<Metrics>,
    ) -> Self {
        let Target { service, base, timeout, body_limit } = target;
        let breaker = settings
            .breaker
            .then(|| Breaker::start(host, service, breaker_config(settings, timeout), Arc::clone(&metrics)));
        let retries =
            settings.retries.then(|| Retries::new(host, service, settings.retry_budget, Arc::clone(&metrics)));
        let (wire, bulkhead) = (Wire::new(host, base, body_limit), Bulkhead::new(settings.bulkhead));
        let (host, planted) = (host.clone(), planted.clone());
        Self { host, service, timeout, wire, breaker, bulkhead, retries, metrics, planted }
    }

    pub(crate) fn service(&self) -> Service {
        self.service
    }

    /// The state of its circuit; `None` where it has no breaker.
    pub(crate) fn circuit(&self) -> Option<BreakerState> {
        self.breaker.as_ref().map(Breaker::state)
    }

    /// One call, within the service's timeout and the request's `deadline`, whichever ends first. `understand` turns
    /// the reply into what is wanted, and fails with the code that the call then has.
    pub(crate) async fn call<T: Send>(
        self: &Arc<Self>,
        call: Call,
        context: &RequestContext,
        deadline: Instant,
        understand: impl Understand<T>,
    ) -> Result<T, CallError> {
        let started = Instant::now();
        let until = self.until(started, deadline);
        let request = CallRequest { call, context, until, understand };
        let mut made = 0;
        let mut result = self.attempt(&request, None, &mut made).await;
        if self.planted.has(Mistake::RetriesWithoutBudget) {
            // A pointer, so that whoever never insists carries no more.
            result = Box::pin(self.insist(&request, result, &mut made)).await;
        } else if let Err(failed) = result
            && let Some(pause) = self.pause_before_retry(&failed, request.call.idempotent, until)
        {
            self.host.sleep(pause).await;
            let again = self.attempt(&request, Some(failed.code), &mut made).await;
            // One that was turned away says less than what the service itself did.
            if made == 2 {
                result = again;
            }
        }
        result.map_err(|Failed { code, .. }| {
            self.metrics.service_error(self.service, code);
            if self.service == Service::Product {
                self.planted.falls_back();
            }
            CallError { service: self.service, code, attempts: made, after: started.elapsed() }
        })
    }

    /// The ends of a call that begins now.
    fn until(&self, started: Instant, deadline: Instant) -> Until {
        if self.service == Service::Product && self.planted.has(Mistake::DeadlineNotPassedOn) {
            return Until { own: deadline + FOREVER, deadline: deadline + FOREVER };
        }
        Until { own: started + self.timeout, deadline }
    }

    /// Makes a call again and again, whatever speaks against it: for a mistake that was planted.
    async fn insist<T: Send, U: Understand<T>>(
        self: &Arc<Self>,
        request: &CallRequest<'_, U>,
        mut result: Result<T, Failed>,
        made: &mut u32,
    ) -> Result<T, Failed> {
        for _ in 0..3 {
            let Err(failed) = result else { break };
            if request.until.end() <= Instant::now() {
                return Err(failed);
            }
            *made += 1;
            let span = spans::call(self.service, &request.call.method, *made);
            result = self.exchange(request, Some(failed.code), None, span).await;
        }
        result
    }

    fn pause_before_retry(&self, failed: &Failed, idempotent: bool, until: Until) -> Option<Duration> {
        let retries = self.retries.as_ref()?;
        // While its circuit isn't closed a service is spared all that isn't needed.
        let spared = self.circuit().is_some_and(|circuit| circuit != BreakerState::Closed);
        if spared { None } else { retries.pause(failed, idempotent, until.end()) }
    }

    /// One attempt; `again` is what the one before failed with, `made` counts those that were sent.
    async fn attempt<T: Send, U: Understand<T>>(
        self: &Arc<Self>,
        request: &CallRequest<'_, U>,
        again: Option<Code>,
        made: &mut u32,
    ) -> Result<T, Failed> {
        if request.until.deadline <= Instant::now() {
            spans::refused(self.service, Code::DeadlineExceeded);
            return Err(Code::DeadlineExceeded.into());
        }
        let permit = self.permit(request).inspect_err(|code| spans::refused(self.service, *code))?;
        let slot = self.bulkhead.enter().ok_or(Code::BulkheadFull);
        let slot = slot.inspect_err(|code| spans::refused(self.service, *code))?;
        if self.planted.fell_back() && self.service == Service::Product {
            return Err(Code::CircuitOpen.into());
        }
        *made += 1;
        let span = spans::call(self.service, &request.call.method, *made);
        let result = self.exchange(request, again, permit, span).await;
        if result.is_err() && self.planted.has(Mistake::SlotLeaks) {
            std::mem::forget(slot);
        }
        result
    }

    /// Asks the breaker, where there is one. Where it wants a probe, that is on its way, and nothing else is sent.
    fn permit<T: Send, U: Understand<T>>(
        self: &Arc<Self>,
        request: &CallRequest<'_, U>,
    ) -> Result<Option<Permit>, Code> {
        let Some(breaker) = &self.breaker else { return Ok(None) };
        match breaker.enter() {
            Admission::Call(permit) => return Ok(Some(permit)),
            Admission::Probe(permit) => self.start_probe(permit, request),
            Admission::Refused => {}
        }
        Err(Code::CircuitOpen)
    }

    /// Asks the service, and tells metrics, `span` and the breaker how it went.
    async fn exchange<T, U: Understand<T>>(
        &self,
        request: &CallRequest<'_, U>,
        again: Option<Code>,
        permit: Option<Permit>,
        span: Span,
    ) -> Result<T, Failed> {
        let started = Instant::now();
        self.count(again);
        let active = self.metrics.upstream().active(self.service);
        let reply = self.wire.send(&request.call, request.context, again, started, request.until);
        let reply = reply.instrument(span.clone()).await;
        let result = reply.and_then(|reply| (request.understand)(reply).map_err(Failed::from));
        spans::called(&span, result.as_ref().err().map(|failed| failed.code));
        drop(span);
        drop(active);
        self.metrics.call_ended(self.service, started.elapsed());
        if let Some(permit) = permit {
            tell(permit, result.as_ref().err());
        }
        result
    }

    fn count(&self, again: Option<Code>) {
        self.metrics.call(self.service);
        match (again, &self.retries) {
            (Some(code), _) => self.metrics.upstream().retry(self.service, code),
            (None, retries) => {
                self.metrics.upstream().first_attempt(self.service);
                retries.iter().for_each(Retries::first_attempt);
            }
        }
    }

    /// Asks the service if it is well, within `limit`. Not counted among the calls, and whatever its circuit.
    pub(crate) async fn is_well(&self, limit: Duration) -> bool {
        self.wire.is_well(limit).await
    }
}

fn breaker_config(settings: &UpstreamSettings, timeout: Duration) -> breaker::Config {
    breaker::Config {
        limits: breaker::Limits {
            calls: settings.breaker_calls,
            age: settings.breaker_age,
            minimum: settings.breaker_minimum,
            failures_percent: settings.breaker_failures.into(),
            slow_percent: settings.breaker_slow_calls.into(),
        },
        slow_after: timeout.mul_f64(f64::from(settings.breaker_slow_after) / 100.0),
        open: settings.breaker_open,
    }
}

/// Tells the breaker how an attempt went. One that the gateway itself cut short says nothing, unless it was slow; nor
/// does a connection that had been idle and broke.
fn tell(permit: Permit, failed: Option<&Failed>) {
    match failed.map(|failed| (error::blame(failed.code), failed.on_reused_connection)) {
        Some((Blame::Service, false)) => permit.end(true),
        None | Some((Blame::Request, _)) => permit.end(false),
        Some((Blame::Gateway, _) | (Blame::Service, true)) => drop(permit),
    }
}
