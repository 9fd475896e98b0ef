//! Logs as JSON lines, dated by the host's clock.

use crate::{Host, rfc3339};
use std::fmt;
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{MakeWriter, format::Writer, time::FormatTime},
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

/// As [`json`], with a layer of its own filter beside the lines, as for spans that go elsewhere.
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
        .json()
        .flatten_event(true)
        // A full disk must cost log lines and not the program: the notice would panic where standard error is full, too.
        .log_internal_errors(false)
        .with_current_span(false)
        .with_span_list(false)
        .with_timer(HostTime(host.clone()))
        .with_writer(writer)
}

/// A log filter that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the log filter `{filter}` can't be read: {source}")]
pub struct BadFilter {
    filter: String,
    source: tracing_subscriber::filter::ParseError,
}

struct HostTime(Host);

impl FormatTime for HostTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.write_str(&rfc3339(self.0.unix_now()))
    }
}
