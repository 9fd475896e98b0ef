//! Logs as JSON lines, dated by the host's clock.

use crate::{Host, rfc3339};
use std::fmt;
use tracing::Dispatch;
use tracing_subscriber::{
    EnvFilter,
    fmt::{MakeWriter, format::Writer, time::FormatTime},
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
    let filter = EnvFilter::try_new(filter).map_err(|source| BadFilter { filter: filter.to_owned(), source })?;
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        // A full disk must cost log lines and not the program: the notice would panic where standard error is full, too.
        .log_internal_errors(false)
        .with_current_span(false)
        .with_span_list(false)
        .with_timer(HostTime(host.clone()))
        .with_env_filter(filter)
        .with_writer(writer)
        .finish();
    Ok(Dispatch::new(subscriber))
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
