//! Metrics of what protects the services from the gateway, and the gateway from the services.
//!
//! Amplification is `service_calls_total / service_first_attempts_total`.

use super::{Maker, zero};
use crate::labels::{BreakerState, Code, Label as _, Refused, Service};
use prometheus::{GaugeVec, IntCounterVec, IntGauge, IntGaugeVec, Opts};

/// The metrics of all upstreams.
pub(crate) struct UpstreamMetrics {
    first_attempts: IntCounterVec,
    retries: IntCounterVec,
    retries_refused: IntCounterVec,
    retry_budget: GaugeVec,
    active: IntGaugeVec,
    circuit: IntGaugeVec,
    transitions: IntCounterVec,
}

impl UpstreamMetrics {
    pub(super) fn register(make: &Maker<'_>) -> prometheus::Result<Self> {
        let gauges =
            |name: &str, help: &str, labels: &[&str]| make.add(IntGaugeVec::new(Opts::new(name, help), labels)?);
        let metrics = Self {
            first_attempts: make.counters(
                "service_first_attempts_total",
                "Calls to services that were no retries",
                &["service"],
            )?,
            retries: make.counters(
                "service_retries_total",
                "Calls to services made again, by what the first one failed with",
                &["service", "code"],
            )?,
            retries_refused: make.counters(
                "service_retries_refused_total",
                "Failed calls that a retry might have saved, by why there was none",
                &["service", "reason"],
            )?,
            retry_budget: make.add(GaugeVec::new(
                Opts::new("service_retry_budget", "Retries that could be made, as of the last call"),
                &["service"],
            )?)?,
            active: gauges("service_calls_active", "Calls to services under way", &["service"])?,
            circuit: gauges("breaker_state", "1 for the state of the service's circuit", &["service", "state"])?,
            transitions: make.counters(
                "breaker_transitions_total",
                "Changes of the service's circuit, by its new state",
                &["service", "to"],
            )?,
        };
        metrics.start_at_zero();
        Ok(metrics)
    }

    fn start_at_zero(&self) {
        for service in Service::ALL.iter().map(|service| service.label()) {
            let _ = self.first_attempts.with_label_values(&[service]);
            let _ = self.retry_budget.with_label_values(&[service]);
            zero(Code::ALL, |word| drop(self.retries.with_label_values(&[service, word])));
            zero(Refused::ALL, |word| drop(self.retries_refused.with_label_values(&[service, word])));
            let _ = self.active.with_label_values(&[service]);
            zero(BreakerState::ALL, |word| drop(self.circuit.with_label_values(&[service, word])));
            zero(BreakerState::ALL, |word| drop(self.transitions.with_label_values(&[service, word])));
        }
    }

    /// The circuit of `service` is in this state.
    pub(crate) fn circuit_is(&self, service: Service, now: BreakerState) {
        for state in BreakerState::ALL {
            self.circuit.with_label_values(&[service.label(), state.label()]).set(i64::from(*state == now));
        }
    }

    /// The circuit of `service` changes.
    pub(crate) fn circuit_becomes(&self, service: Service, now: BreakerState) {
        self.circuit_is(service, now);
        self.transitions.with_label_values(&[service.label(), now.label()]).inc();
    }

    /// A call is made for the first time.
    pub(crate) fn first_attempt(&self, service: Service) {
        self.first_attempts.with_label_values(&[service.label()]).inc();
    }

    /// A call is made again, since the first attempt failed with `code`.
    pub(crate) fn retry(&self, service: Service, code: Code) {
        self.retries.with_label_values(&[service.label(), code.label()]).inc();
    }

    /// A failed call is not made again.
    pub(crate) fn retry_refused(&self, service: Service, reason: Refused) {
        self.retries_refused.with_label_values(&[service.label(), reason.label()]).inc();
    }

    /// So many retries could be made now.
    pub(crate) fn retry_budget(&self, service: Service, left: f64) {
        self.retry_budget.with_label_values(&[service.label()]).set(left);
    }

    /// Counts a call as under way for as long as the guard lives.
    pub(crate) fn active(&self, service: Service) -> CallActive {
        let gauge = self.active.with_label_values(&[service.label()]);
        gauge.inc();
        CallActive(gauge)
    }
}

/// A call under way.
#[must_use = "the call counts as under way for as long as this lives"]
pub(crate) struct CallActive(IntGauge);

impl Drop for CallActive {
    fn drop(&mut self) {
        self.0.dec();
    }
}
