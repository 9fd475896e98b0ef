//! Settings of the cache beyond its tiers and times: each protection can be taken away.

use super::values;
use std::time::Duration;

/// Behaviour of the cache for requests that it can't simply answer.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CacheSettings {
    /// Requests that miss the same profile at once share one aggregation
    #[arg(long = "cache-coalesce", id = "cache_coalesce", value_name = "on|off", default_value = "on", value_parser = values::switch, action = clap::ArgAction::Set, help_heading = "Cache")]
    pub(crate) coalesce: bool,
    /// Where a part can't be had, an old one may be shown for this long after it was fresh; 0s: never
    #[arg(long = "cache-stale", id = "cache_stale", value_name = "TIME", default_value = "300s", value_parser = values::duration_or_zero, help_heading = "Cache")]
    pub(crate) stale: Duration,
    /// Redis keeps old profiles too, for gateways that start during an outage of the services
    #[arg(long = "cache-redis-stale", id = "cache_redis_stale", value_name = "on|off", default_value = "off", value_parser = values::switch, action = clap::ArgAction::Set, help_heading = "Cache")]
    pub(crate) redis_stale: bool,
    /// After so many failures in a row Redis is asked no more, until a fresh connection has proven itself
    #[arg(long = "cache-failures", id = "cache_failures", value_name = "FAILURES", default_value = "3", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Cache")]
    pub(crate) failures: u32,
    /// When Redis is back, lookups return to it over this time, from a tenth of them to all; 0s: all at once
    #[arg(long = "cache-warming", id = "cache_warming", value_name = "TIME", default_value = "2s", value_parser = values::duration_or_zero, help_heading = "Cache")]
    pub(crate) warming: Duration,
    /// Each profile is fresh for a time that is shorter by up to this share, so that not all end at once; 0%: none is
    #[arg(long = "cache-ttl-jitter", id = "cache_ttl_jitter", value_name = "SHARE", default_value = "10%", value_parser = values::share, help_heading = "Cache")]
    pub(crate) ttl_jitter: f64,
    /// That there is no such user is believed for this long, at most 5s; 0s: it is asked each time
    #[arg(long = "cache-negative", id = "cache_negative", value_name = "TIME", default_value = "5s", value_parser = values::duration_or_zero, help_heading = "Cache")]
    pub(crate) negative: Duration,
}
