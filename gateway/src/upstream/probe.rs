//! The probe of a service whose circuit has been open for long enough: a call that nobody waits for.
//!
//! Who comes first while the circuit is half-open lends it the question, and is answered as if the circuit were open: a
//! service that still hangs would keep that client waiting for all of a call's time. So the probe is a task of its own,
//! which outlives the request and its deadline. What it brings is thrown away; what counts is that the service made
//! sense.

use super::{CallRequest, Understand, Upstream, breaker::Permit, wire::Until};
use crate::{planted::Mistake, spans};
use std::sync::Arc;
use tokio::time::Instant;

impl Upstream {
    /// Starts a probe that asks what `request` does. Where the bulkhead has no slot for it, whoever comes next starts
    /// one.
    pub(super) fn start_probe<T: Send, U: Understand<T>>(
        self: &Arc<Self>,
        permit: Permit,
        request: &CallRequest<'_, U>,
    ) {
        let span = spans::probe(self.service, &request.call.method);
        request.context.trace.continue_in(&span);
        let (this, context) = (Arc::clone(self), request.context.clone());
        let (call, understand) = (request.call.clone(), request.understand.clone());
        drop(self.host.spawn(async move {
            let Some(_place) = this.bulkhead.enter() else { return };
            let permit = if this.planted.has(Mistake::BreakerNeverCloses) {
                permit.end(true);
                None
            } else {
                Some(permit)
            };
            let end = Instant::now() + this.timeout;
            let until = Until { own: end, deadline: end };
            let request = CallRequest { call, context: &context, until, understand };
            if let Err(failed) = this.exchange(&request, None, permit, span).await {
                this.metrics.service_error(this.service, failed.code);
            }
        }));
    }
}
