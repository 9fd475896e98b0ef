//! Settings of calls to services: circuit breaker, bulkhead, retries.

use super::{Invalid, values};
use std::time::Duration;

/// The settings of all upstreams; each has its own breaker and bulkhead.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct UpstreamSettings {
    /// Leave a service that keeps failing alone, until one call at a time shows that it is well again
    #[arg(long, value_name = "on|off", default_value = "on", value_parser = values::switch, action = clap::ArgAction::Set, help_heading = "Services")]
    pub(crate) breaker: bool,
    /// The breaker judges a service by this many of the last calls
    #[arg(long, value_name = "CALLS", default_value = "100", help_heading = "Services")]
    pub(crate) breaker_calls: usize,
    /// The breaker doesn't look at calls that ended longer ago
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::duration, help_heading = "Services")]
    pub(crate) breaker_age: Duration,
    /// The breaker judges nothing by fewer calls
    #[arg(long, value_name = "CALLS", default_value = "10", help_heading = "Services")]
    pub(crate) breaker_minimum: usize,
    /// The breaker opens where so many calls failed
    #[arg(long, value_name = "PERCENT", default_value = "50%", value_parser = values::percent, help_heading = "Services")]
    pub(crate) breaker_failures: u8,
    /// The breaker opens where so many calls were slow
    #[arg(long, value_name = "PERCENT", default_value = "80%", value_parser = values::percent, help_heading = "Services")]
    pub(crate) breaker_slow_calls: u8,
    /// A call is slow that takes this share of the service's timeout
    #[arg(long, value_name = "PERCENT", default_value = "80%", value_parser = values::percent, help_heading = "Services")]
    pub(crate) breaker_slow_after: u8,
    /// The breaker stays open for about this long before it lets a call through, and up to three times as long while
    /// such calls fail
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = values::duration, help_heading = "Services")]
    pub(crate) breaker_open: Duration,
    /// Calls to one service that may be under way at once; 0: any number
    #[arg(long, value_name = "CALLS", default_value = "512", help_heading = "Services")]
    pub(crate) bulkhead: usize,
    /// Make a call that failed once more, within its timeout and where that can do no harm
    #[arg(long, value_name = "on|off", default_value = "on", value_parser = values::switch, action = clap::ArgAction::Set, help_heading = "Services")]
    pub(crate) retries: bool,
    /// So many of a hundred calls may be made once more, and one in a second
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = values::percent, help_heading = "Services")]
    pub(crate) retry_budget: u8,
}

impl UpstreamSettings {
    /// Refuses combinations that can't work.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let together = |problem: String, advice: &str| Err(Invalid::Together { problem, advice: advice.to_owned() });
        if !(1..=10_000).contains(&self.breaker_calls) {
            return together(
                format!("GATEWAY_BREAKER_CALLS is {}, which is not from 1 to 10000", self.breaker_calls),
                "set GATEWAY_BREAKER=off to have no breaker",
            );
        }
        if !(1..=self.breaker_calls).contains(&self.breaker_minimum) {
            return together(
                format!(
                    "GATEWAY_BREAKER_MINIMUM is {}, which is not from 1 to GATEWAY_BREAKER_CALLS ({})",
                    self.breaker_minimum, self.breaker_calls
                ),
                "lower GATEWAY_BREAKER_MINIMUM or raise GATEWAY_BREAKER_CALLS",
            );
        }
        let shares = [
            ("GATEWAY_BREAKER_FAILURES", self.breaker_failures),
            ("GATEWAY_BREAKER_SLOW_CALLS", self.breaker_slow_calls),
            ("GATEWAY_BREAKER_SLOW_AFTER", self.breaker_slow_after),
        ];
        if let Some((variable, _)) = shares.iter().find(|(_, percent)| *percent == 0) {
            return together(
                format!("{variable} is 0%, with which the breaker would open without a reason"),
                "set it to 1% or more, or GATEWAY_BREAKER=off to have no breaker",
            );
        }
        Ok(())
    }
}
