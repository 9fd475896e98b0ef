//! Settings of the edge: what clients may do before they are turned away.

use super::values;
use std::time::Duration;

/// Limits of connections, heads and requests.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct EdgeSettings {
    /// A request's head has to be there within this time, and a connection may idle for so long
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration, help_heading = "Clients")]
    pub(crate) header_timeout: Duration,
    /// A request's line and headers may be this long in all; longer ones get 431
    #[arg(long, value_name = "BYTES", default_value = "16KiB", value_parser = values::bytes, help_heading = "Clients")]
    pub(crate) head_limit: usize,
    /// Connections of clients that may be open at once, further ones are reset; 0: any number
    #[arg(long, value_name = "CONNECTIONS", default_value = "8192", help_heading = "Clients")]
    pub(crate) max_connections: usize,
    /// Requests that may be under way at once, further ones get 503 (health and metrics don't count); 0: any number
    #[arg(long, value_name = "REQUESTS", default_value = "2048", help_heading = "Clients")]
    pub(crate) max_requests: usize,
}
