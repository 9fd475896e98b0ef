//! Readers of settings' values: one function a kind of value, whose error says what would be right.

use super::Limit;
use crate::base_url::BaseUrl;
use std::time::Duration;

/// `on` or `off`.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err("it is `on` or `off`".to_owned()),
    }
}

/// A duration with a unit, from one millisecond to a day.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed =
        humantime::parse_duration(text).map_err(|_| "it is a duration with a unit, as `200ms` or `2s`".to_owned())?;
    if (Duration::from_millis(1)..=Duration::from_secs(86_400)).contains(&parsed) {
        Ok(parsed)
    } else {
        Err("it is from 1ms to 1day".to_owned())
    }
}

/// A duration, or none at all.
pub(super) fn duration_or_zero(text: &str) -> Result<Duration, String> {
    if text == "0s" { Ok(Duration::ZERO) } else { duration(text).map_err(|reason| format!("{reason}, or 0s")) }
}

/// A share in percent, up to a half.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    let share = number.map(|number| number / 100.0).filter(|share| (0.0..=0.5).contains(share));
    share.ok_or_else(|| "it is a share from `0%` to `50%`".to_owned())
}

/// A number of bytes, plain or with `KiB`, `MiB` or `GiB`; at least one KiB.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let units = [("KiB", 1_usize << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let unit = units.iter().find_map(|(name, factor)| Some((text.strip_suffix(name)?, *factor)));
    let (number, factor) = unit.unwrap_or((text, 1));
    let bytes = number.trim().parse::<usize>().ok().and_then(|number| number.checked_mul(factor));
    match bytes {
        Some(bytes @ 1024..) => Ok(bytes),
        Some(_) => Err("it is at least 1KiB".to_owned()),
        None => Err("it is a number of bytes, as `65536` or `64MiB`".to_owned()),
    }
}

/// A number of bytes, or what fits.
pub(super) fn bytes_or_auto(text: &str) -> Result<Limit, String> {
    if text == "auto" {
        Ok(Limit::Auto)
    } else {
        bytes(text).map(Limit::Of).map_err(|reason| format!("{reason}, or auto"))
    }
}

/// A number, or what fits.
pub(super) fn number_or_auto(text: &str) -> Result<Limit, String> {
    match text {
        "auto" => Ok(Limit::Auto),
        _ => text.parse().map(Limit::Of).map_err(|_| "it is a whole number, or auto".to_owned()),
    }
}

/// A share in whole percent.
pub(super) fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse().ok());
    number.filter(|percent| *percent <= 100).ok_or_else(|| "it is a share in whole percent, as `50%`".to_owned())
}

/// The base URL of a service.
pub(super) fn base_url(text: &str) -> Result<BaseUrl, String> {
    BaseUrl::parse(text).map_err(|error| error.to_string())
}

/// The address of Redis, and its greeting.
#[derive(Clone)]
pub(crate) struct RedisUrl {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) greeting: redis::RedisConnectionInfo,
}

/// Only the address: the rest is credentials.
impl std::fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "redis://{}:{}", self.host, self.port)
    }
}

/// `redis://[user:password@]host[:port][/database]`.
pub(super) fn redis_url(text: &str) -> Result<RedisUrl, String> {
    let shape = "it is `redis://[user:password@]host[:port][/database]`";
    let info = redis::IntoConnectionInfo::into_connection_info(text).map_err(|_| shape.to_owned())?;
    let greeting = info
        .redis_settings()
        .clone()
        .set_protocol(redis::ProtocolVersion::RESP3)
        .set_lib_name("gateway", env!("CARGO_PKG_VERSION"));
    match info.addr() {
        redis::ConnectionAddr::Tcp(host, port) => Ok(RedisUrl { host: host.clone(), port: *port, greeting }),
        _ => Err(format!("only plain TCP is built in: {shape}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_and_are_not_zero() {
        assert_eq!(duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        for bad in ["200", "0s", "-1s", "soon", "2days"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn some_durations_may_be_zero() {
        assert_eq!(duration_or_zero("0s"), Ok(Duration::ZERO));
        assert_eq!(duration_or_zero("3s"), Ok(Duration::from_secs(3)));
        assert!(duration_or_zero("0").unwrap_err().ends_with("or 0s"));
    }

    #[test]
    fn shares_are_in_percent() {
        assert_eq!((share("10%"), share("0%")), (Ok(0.1), Ok(0.0)));
        for bad in ["10", "-1%", "51%", "NaN%", "%"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bytes_take_binary_units() {
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("4096"), Ok(4096));
        for bad in ["64MB", "-1", "1", "99999999999GiB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn shares_are_whole_percent() {
        assert_eq!((percent("0%"), percent("100%")), (Ok(0), Ok(100)));
        for bad in ["50", "101%", "-1%", "0.5%", "%"] {
            assert!(percent(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redis_url_keeps_its_password_out_of_sight() {
        let url = redis_url("redis://:secret@cache:7000/2").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.greeting.db()), ("cache", 7000, 2));
        assert_eq!(format!("{url:?}"), "redis://cache:7000");
        assert!(redis_url("rediss://cache").is_err());
        assert!(redis_url("cache:6379").is_err());
    }
}
