//! Settings of the edge: what clients may do before they are turned away.

use super::{Limit, values};
use std::time::Duration;

/// Limits of connections, heads, requests and rates.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct EdgeSettings {
    /// A request's head has to be there within this time, and a connection may idle for so long
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration, help_heading = "Clients")]
    pub(crate) header_timeout: Duration,
    /// A client that takes nothing of its response for so long is let go: its connection is reset
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::duration, help_heading = "Clients")]
    pub(crate) write_timeout: Duration,
    /// A request's line and headers may be this long in all; longer ones get 431
    #[arg(long, value_name = "BYTES", default_value = "16KiB", value_parser = values::bytes, help_heading = "Clients")]
    pub(crate) head_limit: usize,
    /// Connections of clients that may be open at once, further ones are reset; 0: any number; auto: as many as half of
    /// the memory that the gateway may use has room for, at most 16384
    #[arg(long, value_name = "CONNECTIONS", default_value = "auto", value_parser = values::number_or_auto, help_heading = "Clients")]
    pub(crate) max_connections: Limit,
    /// Requests that may be under way at once, further ones get 503 (health and metrics don't count); 0: any number;
    /// auto: as many as a quarter of the memory that the gateway may use has room for, at most 2048
    #[arg(long, value_name = "REQUESTS", default_value = "auto", value_parser = values::number_or_auto, help_heading = "Clients")]
    pub(crate) max_requests: Limit,
    /// Requests a second that each client (by the address of its connection) may make, further ones get 429; 0: any
    /// number
    #[arg(long, value_name = "REQUESTS", default_value = "0", help_heading = "Clients")]
    pub(crate) client_rate: u32,
    /// Requests that a client who rested may make at once, where --client-rate is set
    #[arg(long, value_name = "REQUESTS", default_value = "100", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Clients")]
    pub(crate) client_burst: u32,
    /// Clients whose rates are remembered; beyond it, those who have been quiet are forgotten
    #[arg(long, value_name = "CLIENTS", default_value = "10000", value_parser = clap::value_parser!(u32).range(2..), help_heading = "Clients")]
    pub(crate) clients_remembered: u32,
    /// Compress responses for clients that ask for it, with brotli or gzip
    #[arg(long, value_name = "on|off", default_value = "on", value_parser = values::switch, action = clap::ArgAction::Set, help_heading = "Clients")]
    pub(crate) compress: bool,
    /// Shorter responses are not compressed: it would save little, and cost more than all the rest of a cached response
    #[arg(long, value_name = "BYTES", default_value = "4KiB", value_parser = values::bytes, help_heading = "Clients")]
    pub(crate) compress_above: usize,
}
