//! Logs as JSON lines, dated by the host's clock.

mod queue;

pub use queue::{Queue, Rest};

use crate::{Host, rfc3339};
use serde::{Serializer as _, ser::SerializeMap as _};
use std::fmt;
use tracing::{Dispatch, Event, Subscriber};
use tracing_serde::{AsSerde as _, SerdeMapVisitor};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{
        FmtContext, FormatEvent, FormatFields, MakeWriter,
        format::{Writer, debug_fn},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
};

/// A dispatcher that writes one JSON line an event to `writer`. `filter` has the syntax of `RUST_LOG` (`info`,
/// `gateway=debug,hyper=warn`); `main` makes it the default, tests and simulations hand it to tasks.
///
/// # Errors
/// Where `filter` can't be read.
pub fn json<W>(host: &Host, filter: &str, writer: W) -> Result<Dispatch, BadFilter>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = parse(filter)?;
    Ok(Dispatch::new(Registry::default().with(filter).with(lines(host, writer))))
}

/// Log lines as [`json`] writes them, with a layer of its own filter beside them, as for spans that go elsewhere.
///
/// # Errors
/// Where `filter` can't be read.
pub fn json_and<W, L>(host: &Host, filter: &str, writer: W, layer: L) -> Result<Dispatch, BadFilter>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
    L: Layer<Registry> + Send + Sync,
{
    let filter = parse(filter)?;
    Ok(Dispatch::new(Registry::default().with(layer).with(lines(host, writer).with_filter(filter))))
}

fn parse(filter: &str) -> Result<EnvFilter, BadFilter> {
    EnvFilter::try_new(filter).map_err(|source| BadFilter { filter: filter.to_owned(), source })
}

fn lines<S, W>(host: &Host, writer: W) -> impl Layer<S> + Send + Sync + use<S, W>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .event_format(Line(host.clone()))
        // Lines show no spans.
        .fmt_fields(debug_fn(|_, _, _| Ok(())))
        // A full disk must cost log lines and not the program: the notice would panic where standard error is full, too.
        .log_internal_errors(false)
        .with_writer(writer)
}

/// A log filter that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the log filter `{filter}` can't be read: {source}")]
pub struct BadFilter {
    filter: String,
    source: tracing_subscriber::filter::ParseError,
}

/// An event as an object on a line: when, its level, its fields, its target.
///
/// As tracing-subscriber's own format writes it, which takes three times as long: it checks and hands on each piece of
/// the JSON by itself, some of them single characters, and a line has two hundred.
struct Line(Host);

/// Bytes that most lines have room in.
const ROOM: usize = 512;

impl Line {
    fn json(&self, event: &Event<'_>) -> serde_json::Result<Vec<u8>> {
        let mut line = Vec::with_capacity(ROOM);
        let mut json = serde_json::Serializer::new(&mut line);
        let mut object = json.serialize_map(None)?;
        object.serialize_entry("timestamp", &rfc3339(self.0.unix_now()))?;
        object.serialize_entry("level", &event.metadata().level().as_serde())?;
        let mut fields = SerdeMapVisitor::new(object);
        event.record(&mut fields);
        let mut object = fields.take_serializer()?;
        object.serialize_entry("target", event.metadata().target())?;
        object.end()?;
        line.push(b'\n');
        Ok(line)
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    // In one piece, and not by tracing-subscriber's own JSON, which hands on each piece by itself and took a tenth of a
    // simulation. A test holds both to the same lines.
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let line = self.json(event).map_err(|_| fmt::Error)?;
        writer.write_str(str::from_utf8(&line).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryNetwork;
    use std::{
        io,
        sync::{Arc, Mutex},
    };
    use tracing_subscriber::fmt::time::FormatTime;

    #[derive(Clone, Default)]
    struct Text(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Text {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Text {
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }
    }

    struct HostTime(Host);

    impl FormatTime for HostTime {
        fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
            writer.write_str(&rfc3339(self.0.unix_now()))
        }
    }

    fn events() {
        let absent: Option<&str> = None;
        let error: &(dyn std::error::Error + 'static) = &fmt::Error;
        tracing::info!("nothing but words");
        tracing::warn!(status = 200_u16, took_ms = 1.0, part_ms = Some(0.25), absent, "a \"request\"\n");
        tracing::error!(target: "elsewhere", error, user = %7, debug = ?["a\u{1}"], partial = true, left = -3_i64);
        tracing::info!(none = f64::NAN, big = u64::MAX, chaos.request = "1 é \\", name = 'x'.to_string());
        let _inside = tracing::info_span!("a span", of = "no interest").entered();
        tracing::info!("within");
        tracing::info!(level = 1, timestamp = "then", target = "here", wide = i128::MIN, wider = u128::MAX);
        tracing::trace!("of no interest");
    }

    #[tokio::test(start_paused = true)]
    async fn lines_are_those_of_tracing_subscriber() {
        let host = MemoryNetwork::new(1).host("gateway");
        let (own, peer) = (Text::default(), Text::default());
        let (to_own, to_peer) = (own.clone(), peer.clone());
        tracing::dispatcher::with_default(&json(&host, "info", move || to_own.clone()).unwrap(), events);
        let layer = tracing_subscriber::fmt::layer().json().flatten_event(true);
        let layer = layer.with_current_span(false).with_span_list(false).with_timer(HostTime(host));
        let layer = layer.with_writer(move || to_peer.clone()).with_filter(EnvFilter::new("info"));
        tracing::dispatcher::with_default(&Dispatch::new(Registry::default().with(layer)), events);
        let lines = own.take();
        assert_eq!(lines.lines().count(), 6, "{lines}");
        assert_eq!(lines, peer.take());
    }
}
