//! Settings that are fine one by one and can't work together.

use super::{Invalid, Settings};
use std::time::Duration;

/// A user who comes into being is found after this at the latest.
const LONGEST_NEGATIVE: Duration = Duration::from_secs(5);

pub(super) fn check(settings: &Settings) -> Result<(), Invalid> {
    let timeouts = [
        ("GATEWAY_USER_TIMEOUT", settings.user_timeout),
        ("GATEWAY_ORDER_TIMEOUT", settings.order_timeout),
        ("GATEWAY_PRODUCT_TIMEOUT", settings.product_timeout),
    ];
    for (variable, timeout) in timeouts {
        if timeout > settings.deadline {
            return Err(Invalid::Together {
                problem: format!(
                    "{variable} is {timeout:?}, which never ends before GATEWAY_DEADLINE ({:?})",
                    settings.deadline
                ),
                advice: format!("raise GATEWAY_DEADLINE or lower {variable}"),
            });
        }
    }
    settings.upstream.check()?;
    if settings.traces.otlp_endpoint.is_some() && cfg!(not(feature = "otlp")) {
        return Err(Invalid::Together {
            problem: "GATEWAY_OTLP_ENDPOINT is set, and this gateway was built without the feature `otlp`".to_owned(),
            advice: "build it with `--features otlp`, or leave the variable out".to_owned(),
        });
    }
    settings.auth.key()?;
    if settings.cache && !settings.cache_redis && !settings.cache_memory {
        return Err(Invalid::Together {
            problem: "GATEWAY_CACHE is on while GATEWAY_CACHE_REDIS and GATEWAY_CACHE_MEMORY are both off".to_owned(),
            advice: "set GATEWAY_CACHE=off to have no cache".to_owned(),
        });
    }
    let negative = settings.caching.negative;
    if negative > LONGEST_NEGATIVE {
        return Err(Invalid::Together {
            problem: format!("GATEWAY_CACHE_NEGATIVE is {negative:?}: new users would stay unknown for that long"),
            advice: format!("make it {LONGEST_NEGATIVE:?} at most"),
        });
    }
    Ok(())
}
