//! Settings of the gateway. Each is declared once, and is a flag, a variable and a line of a settings file of
//! the same meaning, explained in `--help` and in [`table`]. The gateway itself takes them from
//! [`Host::settings`](host::Host::settings) and never from the process: only `main` reads file, environment and
//! arguments ([`from_process`]).

mod auth;
mod cache;
mod check;
mod cors;
mod edge;
mod file;
mod limits;
mod process;
mod source;
mod table;
mod traces;
mod upstream;
mod values;

pub(crate) use auth::AuthSettings;
pub(crate) use cache::CacheSettings;
pub(crate) use cors::{CorsSettings, Origins};
pub(crate) use edge::EdgeSettings;
pub use file::BadFile;
pub(crate) use limits::{Limit, Limits};
pub use process::{ProcessSettings, Refused, from_process};
pub use source::Invalid;
pub use table::table;
pub(crate) use upstream::UpstreamSettings;
pub(crate) use values::RedisUrl;

use crate::base_url::BaseUrl;
use std::{net::IpAddr, time::Duration};

/// The gateway's settings, checked.
///
/// The off-switches and the timeouts are what operators turn, and what an experiment takes away to see that a protection
/// was worth having.
#[derive(Clone, Debug, clap::Parser)]
#[command(
    name = "gateway",
    version,
    about = "Aggregates users, orders and products into profiles, and answers in time whatever fails behind it",
    after_help = "Every flag is also an environment variable and a line of the settings file; a flag wins over its \
                  variable, and that over the file. Durations have a unit (200ms, 2s), sizes may have one (64KiB, 32MiB)."
)]
pub struct Settings {
    /// Port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value = "8000", help_heading = "Network")]
    pub(crate) port: u16,
    /// Address to listen on; 0.0.0.0 for all
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", help_heading = "Network")]
    pub(crate) bind: IpAddr,
    /// User service
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8001", value_parser = values::base_url, help_heading = "Network")]
    pub(crate) user_service_url: BaseUrl,
    /// Order service
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8002", value_parser = values::base_url, help_heading = "Network")]
    pub(crate) order_service_url: BaseUrl,
    /// Product service
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8003", value_parser = values::base_url, help_heading = "Network")]
    pub(crate) product_service_url: BaseUrl,
    /// Redis
    #[arg(long, value_name = "URL", default_value = "redis://127.0.0.1:6379", value_parser = values::redis_url, help_heading = "Network")]
    pub(crate) redis_url: RedisUrl,
    /// File that has the URL of Redis, in place of --redis-url, since that may have a password
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(crate) redis_url_file: Option<String>,

    /// A profile is answered within this time, with whatever has come by then
    #[arg(long, value_name = "TIME", default_value = "1500ms", value_parser = values::duration, help_heading = "Time")]
    pub(crate) deadline: Duration,
    /// A call to the user service may take this long
    #[arg(long, value_name = "TIME", default_value = "400ms", value_parser = values::duration, help_heading = "Time")]
    pub(crate) user_timeout: Duration,
    /// A call to the order service may take this long
    #[arg(long, value_name = "TIME", default_value = "400ms", value_parser = values::duration, help_heading = "Time")]
    pub(crate) order_timeout: Duration,
    /// A call to the product service may take this long
    #[arg(long, value_name = "TIME", default_value = "400ms", value_parser = values::duration, help_heading = "Time")]
    pub(crate) product_timeout: Duration,
    /// After the signal to stop, /health/ready says so for this long before the port is closed: what a load balancer
    /// needs to notice; 0s: it is closed at once
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = values::duration_or_zero, help_heading = "Time")]
    pub(crate) drain_delay: Duration,
    /// Once the port is closed, requests under way may take this long
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::duration, help_heading = "Time")]
    pub(crate) drain: Duration,
    /// Time between probes of the components shown by /health
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = values::duration, help_heading = "Time")]
    pub(crate) probe_interval: Duration,

    /// Cache complete profiles
    #[arg(long, value_name = "on|off", default_value = "on", value_parser = values::switch, action = clap::ArgAction::Set, help_heading = "Cache")]
    pub(crate) cache: bool,
    /// The tier in Redis, shared by all gateways
    #[arg(long, value_name = "on|off", default_value = "on", value_parser = values::switch, action = clap::ArgAction::Set, help_heading = "Cache")]
    pub(crate) cache_redis: bool,
    /// The tier in memory, which answers while Redis can't
    #[arg(long, value_name = "on|off", default_value = "on", value_parser = values::switch, action = clap::ArgAction::Set, help_heading = "Cache")]
    pub(crate) cache_memory: bool,
    /// Bytes that the tier in memory may hold; auto: an eighth of the memory that the gateway may use, at most 32MiB
    #[arg(long, value_name = "BYTES", default_value = "auto", value_parser = values::bytes_or_auto, help_heading = "Cache")]
    pub(crate) cache_memory_bytes: Limit,
    /// A cached profile is fresh for this long
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration, help_heading = "Cache")]
    pub(crate) cache_ttl: Duration,
    /// A request waits this long for Redis
    #[arg(long, value_name = "TIME", default_value = "25ms", value_parser = values::duration, help_heading = "Cache")]
    pub(crate) cache_get_timeout: Duration,
    /// A write to Redis, which no request waits for, may take this long
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = values::duration, help_heading = "Cache")]
    pub(crate) cache_set_timeout: Duration,
    /// Connecting to Redis, greeting included, may take this long
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = values::duration, help_heading = "Cache")]
    pub(crate) cache_connect_timeout: Duration,
    #[command(flatten)]
    pub(crate) caching: CacheSettings,

    /// Answer with the parts that could be had; off: one failed part fails the response
    #[arg(long, value_name = "on|off", default_value = "on", value_parser = values::switch, action = clap::ArgAction::Set, help_heading = "Responses")]
    pub(crate) partial: bool,
    /// A request's body may be this long (no endpoint takes any)
    #[arg(long, value_name = "BYTES", default_value = "16KiB", value_parser = values::bytes, help_heading = "Responses")]
    pub(crate) body_limit: usize,
    /// A service's response may be this long
    #[arg(long, value_name = "BYTES", default_value = "2MiB", value_parser = values::bytes, help_heading = "Responses")]
    pub(crate) upstream_body_limit: usize,

    /// Limits of clients
    #[command(flatten)]
    pub(crate) edge: EdgeSettings,

    /// Readers of profiles
    #[command(flatten)]
    pub(crate) auth: AuthSettings,

    /// Web pages that may read responses
    #[command(flatten)]
    pub(crate) cors: CorsSettings,

    /// Protection of the services from the gateway, and of the gateway from the services
    #[command(flatten)]
    pub(crate) upstream: UpstreamSettings,

    /// The mistake that is planted
    #[cfg(feature = "planted")]
    #[arg(long, value_name = "MISTAKE", default_value = "none", help_heading = "Mistakes")]
    pub(crate) planted: crate::planted::Mistake,

    /// Receiver of spans
    #[command(flatten)]
    pub(crate) traces: traces::TraceSettings,

    /// Lines that are logged, in the syntax of tracing's EnvFilter
    #[arg(long, value_name = "FILTER", default_value = "info", help_heading = "Logs")]
    pub(crate) log: String,
}

impl Settings {
    /// The settings in `map`, which reads like an environment; what isn't there has its default.
    ///
    /// # Errors
    /// Names the variable, and says what would be right.
    pub fn from_map(map: &host::Settings) -> Result<Self, Invalid> {
        let settings = source::parse(map)?;
        check::check(&settings)?;
        Ok(settings)
    }

    /// The address to listen on: `main` makes its host with it.
    #[must_use]
    pub fn bind(&self) -> IpAddr {
        self.bind
    }

    /// The filter of the log, in the syntax of tracing's `EnvFilter`.
    #[must_use]
    pub fn log(&self) -> &str {
        &self.log
    }
}
