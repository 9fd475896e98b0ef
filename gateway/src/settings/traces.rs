//! Settings of traces.

use super::values;
use crate::base_url::BaseUrl;

/// The destination of spans, and the share of requests that has some.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TraceSettings {
    /// Collector that gets the spans of requests (OTLP over HTTP, as http://127.0.0.1:4318), where the gateway was
    /// built with the feature `otlp`
    #[arg(long, value_name = "URL", value_parser = values::base_url, help_heading = "Traces")]
    pub(crate) otlp_endpoint: Option<BaseUrl>,
    /// Share of the traces started here that is recorded; for those that a client started, the client says
    #[arg(long, value_name = "PERCENT", default_value = "100%", value_parser = values::percent, help_heading = "Traces")]
    pub(crate) otlp_sample: u8,
}
