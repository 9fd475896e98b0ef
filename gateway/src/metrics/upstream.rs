//! Metrics of what protects the services from the gateway, and the gateway from the services.

use super::{Maker, zero};
use crate::labels::{Circuit, Label as _, Service};
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts};

/// The metrics of all upstreams.
pub(crate) struct UpstreamMetrics {
    active: IntGaugeVec,
    circuit: IntGaugeVec,
    transitions: IntCounterVec,
}

impl UpstreamMetrics {
    pub(super) fn register(make: &Maker<'_>) -> prometheus::Result<Self> {
        let gauges =
            |name: &str, help: &str, labels: &[&str]| make.add(IntGaugeVec::new(Opts::new(name, help), labels)?);
        let metrics = Self {
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
            let _ = self.active.with_label_values(&[service]);
            zero(Circuit::ALL, |word| drop(self.circuit.with_label_values(&[service, word])));
            zero(Circuit::ALL, |word| drop(self.transitions.with_label_values(&[service, word])));
        }
    }

    /// The circuit of `service` is in this state.
    pub(crate) fn circuit_is(&self, service: Service, now: Circuit) {
        for state in Circuit::ALL {
            self.circuit.with_label_values(&[service.label(), state.label()]).set(i64::from(*state == now));
        }
    }

    /// The circuit of `service` changes.
    pub(crate) fn circuit_becomes(&self, service: Service, now: Circuit) {
        self.circuit_is(service, now);
        self.transitions.with_label_values(&[service.label(), now.label()]).inc();
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
