//! Spans of requests, of lookups, of aggregations and of calls to services, for whoever records them: `main`, with the
//! feature `otlp`. Else they are off, and cost next to nothing.
//!
//! Names and attributes are those of OpenTelemetry's semantic conventions where there are any. No user's id is in them.
//! Health, metrics and pages have no spans: they come every few seconds and say little.

use crate::labels::{Code, Label as _, Method, Outcome, Route, Service, Tier};
use tracing::{Span, field::Empty, trace, trace_span};

/// The target that spans are filtered by: no log filter that names levels alone asks for them.
pub(crate) const TARGET: &str = "gateway::spans";

/// Ids of a recorded span.
pub(crate) struct Ids {
    /// 32 hex digits.
    pub(crate) trace: String,
    /// Two hex digits.
    pub(crate) flags: String,
}

/// A request.
pub(crate) fn request(method: Method, route: Route) -> Span {
    if !matches!(route, Route::Profile | Route::Unmatched) {
        return Span::none();
    }
    let (method, route) = (method.label(), route.label());
    trace_span!(
        target: TARGET,
        parent: None,
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        trace_id = Empty,
        flight = Empty,
    )
}

/// The request belongs to this trace: for whoever follows spans without recording them, which ties them to traces
/// itself.
pub(crate) fn traced(span: &Span, trace: &str) {
    span.record("trace_id", trace);
}

/// The request of the current span waits for what another one has begun to gather, which is the span `flight`.
pub(crate) fn joins(flight: &Span) {
    Span::current().follows_from(flight);
}

/// The request of the current span is answered by what another one had begun to gather.
pub(crate) fn shared() {
    Span::current().record("flight", "shared");
}

/// A request was answered.
pub(crate) fn responded(span: &Span, status: u16) {
    // As OpenTelemetry has it: an unsigned number would become a text.
    span.record("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// A tier of the cache is asked.
pub(crate) fn lookup(tier: Tier) -> Span {
    let operation = matches!(tier, Tier::Redis).then_some("GET");
    let tier = tier.label();
    trace_span!(
        target: TARGET,
        "lookup",
        otel.name = %format_args!("lookup {tier}"),
        cache.tier = tier,
        db.operation.name = operation,
        cache.result = Empty,
    )
}

/// Redis is to carry out this command soon. An event, since the current span does not wait for it.
pub(crate) fn ordered(operation: &'static str) {
    trace!(target: TARGET, { cache.tier = Tier::Redis.label(), db.operation.name = operation }, "ordered");
}

/// A call to this service is not made, for this reason. An event: there is no call that could be a span.
pub(crate) fn refused(service: Service, code: Code) {
    trace!(target: TARGET, { peer.service = service.label(), "error.type" = code.label() }, "not called");
}

/// The tier gave something, as fresh as `result` says, or nothing for the reason that it names.
pub(crate) fn looked_up(span: &Span, result: &'static str) {
    span.record("cache.result", result);
}

/// A profile is gathered.
pub(crate) fn aggregation() -> Span {
    trace_span!(target: TARGET, "aggregation", outcome = Empty)
}

/// The profile of the current span was gathered, or wasn't.
pub(crate) fn aggregated(outcome: Outcome) {
    Span::current().record("outcome", outcome.label());
}

/// A service is called, for the `attempt`th time (from 1 on) for the same thing.
pub(crate) fn call(service: Service, method: &http::Method, attempt: u32) -> Span {
    let service = service.label();
    trace_span!(
        target: TARGET,
        "call",
        otel.name = %format_args!("{method} {service}"),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = %method,
        http.request.resend_count = i64::from(attempt) - 1,
        peer.service = service,
        "error.type" = Empty,
    )
}

/// A service whose circuit has been open is called to find out whether it is well again. It outlasts the request that it
/// is made in, so it has no parent of its own ([`begin`]).
pub(crate) fn probe(service: Service, method: &http::Method) -> Span {
    let service = service.label();
    trace_span!(
        target: TARGET,
        parent: None,
        "probe",
        otel.name = %format_args!("probe {method} {service}"),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = %method,
        peer.service = service,
        "error.type" = Empty,
    )
}

/// The call ended, and failed with `code`.
pub(crate) fn called(span: &Span, code: Option<Code>) {
    if let Some(code) = code {
        span.record("error.type", code.label());
        span.record("otel.status_code", "ERROR");
    }
}

#[cfg(not(feature = "otlp"))]
mod record {
    use super::Ids;
    use tracing::Span;

    /// Nothing is recorded.
    pub(crate) fn begin(_: &Span, _: Option<(&str, &str, &str)>) -> Option<Ids> {
        None
    }

    /// Nothing is recorded.
    pub(crate) fn current() -> Option<u64> {
        None
    }
}

#[cfg(feature = "otlp")]
mod record {
    use super::Ids;
    use opentelemetry::{
        Context,
        trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
    };
    use tracing::Span;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    /// Begins to record `span`, in the trace of `client` (trace, span and flags, all valid) or in one of its own.
    pub(crate) fn begin(span: &Span, client: Option<(&str, &str, &str)>) -> Option<Ids> {
        if let Some((trace, parent, flags)) = client {
            let (trace, parent) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(parent).ok()?);
            let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
            let context = SpanContext::new(trace, parent, flags, true, TraceState::NONE);
            // It fails where nothing records: then the span has no context either.
            let _ = span.set_parent(Context::new().with_remote_span_context(context));
        }
        let context = of(span)?;
        Some(Ids { trace: context.trace_id().to_string(), flags: format!("{:02x}", context.trace_flags()) })
    }

    /// The id of the current span, where it is recorded.
    pub(crate) fn current() -> Option<u64> {
        of(&Span::current()).map(|context| u64::from_be_bytes(context.span_id().to_bytes()))
    }

    fn of(span: &Span) -> Option<SpanContext> {
        Some(span.context().span().span_context().clone()).filter(SpanContext::is_valid)
    }
}

pub(crate) use record::{begin, current};
