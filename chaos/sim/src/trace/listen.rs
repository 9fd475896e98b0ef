//! Listens, and keeps everything.

use super::{Fields, Observation, Tracer, What};
use std::{
    fmt::{self, Write as _},
    sync::Arc,
};
use tokio::time::Instant;
use tracing::{
    Event, Id, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// The number of a span, kept with it.
struct Number(u64);

pub(super) struct Listener {
    tracer: Tracer,
    service: Option<Arc<str>>,
}

impl Listener {
    pub(super) fn new(tracer: Tracer, service: Option<Arc<str>>) -> Self {
        Self { tracer, service }
    }

    fn keep(&self, what: What) {
        self.tracer.lock().push(Observation { at: Instant::now(), service: self.service.clone(), what });
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Listener {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let number = |span: &tracing_subscriber::registry::SpanRef<'_, S>| {
            span.extensions().get::<Number>().map(|Number(number)| *number)
        };
        let parent = span.parent().as_ref().and_then(number);
        let mut fields = Reading::default();
        attributes.record(&mut fields);
        let mut seen = self.tracer.lock();
        // How many things were told before it: no other span has that.
        let number = seen.len() as u64;
        let what = What::Opened { span: number, parent, name: attributes.metadata().name(), fields: fields.0 };
        seen.push(Observation { at: Instant::now(), service: self.service.clone(), what });
        drop(seen);
        span.extensions_mut().insert(Number(number));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Reading::default();
        values.record(&mut fields);
        if let Some(span) = number_of(id, &context) {
            self.keep(What::Recorded { span, fields: fields.0 });
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        if let (Some(span), Some(other)) = (number_of(id, &context), number_of(follows, &context)) {
            self.keep(What::Follows { span, other });
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let Some(span) = number_of(&id, &context) {
            self.keep(What::Closed { span });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Reading::default();
        event.record(&mut fields);
        let span = context.event_span(event).and_then(|span| span.extensions().get::<Number>().map(|number| number.0));
        self.keep(What::Event { target: event.metadata().target(), span, fields: fields.0 });
    }
}

fn number_of<S: Subscriber + for<'s> LookupSpan<'s>>(id: &Id, context: &Context<'_, S>) -> Option<u64> {
    let span = context.span(id)?;
    let extensions = span.extensions();
    extensions.get::<Number>().map(|Number(number)| *number)
}

#[derive(Default)]
struct Reading(Fields);

impl Visit for Reading {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // A string takes everything.
        let _ = write!(text, "{value:?}");
        self.0.push((field.name(), text));
    }
}
