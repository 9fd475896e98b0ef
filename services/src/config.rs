//! The settings that the three services share, read and checked in one place.

use crate::{
    Error,
    data::{DEFAULT_SEED, Shop, USERS},
};
use host::Settings;

/// Settings of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// `PORT`: where it listens; 0 takes a free port.
    pub port: u16,
    /// `DATA_SEED`: which shop it serves. The services of one system must agree on it.
    pub data_seed: u64,
    /// `DATA_USERS`: how many users there are. The services of one system must agree on it.
    pub data_users: u64,
    /// `DATA_ABOUT_BYTES`: how long a text each user has about themselves, in bytes; 0: none.
    pub data_about_bytes: usize,
}

impl Config {
    /// Reads `PORT`, `DATA_SEED`, `DATA_USERS` and `DATA_ABOUT_BYTES`; an absent port is `default_port`.
    ///
    /// # Errors
    /// Where a value can't be read; the error names the setting.
    pub fn read(settings: &Settings, default_port: u16) -> Result<Self, Error> {
        Ok(Self {
            port: number(settings, "PORT", "a whole number from 0 to 65535")?.unwrap_or(default_port),
            data_seed: number(settings, "DATA_SEED", "a whole number from 0 to 18446744073709551615")?
                .unwrap_or(DEFAULT_SEED),
            data_users: number(settings, "DATA_USERS", "a whole number")?.unwrap_or(USERS),
            data_about_bytes: number(settings, "DATA_ABOUT_BYTES", "a whole number")?.unwrap_or(0),
        })
    }

    /// The shop that it speaks of.
    pub(crate) fn shop(self) -> Shop {
        Shop::new(self.data_seed).with_users(self.data_users).with_about(self.data_about_bytes)
    }
}

fn number<T: std::str::FromStr>(
    settings: &Settings,
    name: &'static str,
    expected: &'static str,
) -> Result<Option<T>, Error> {
    let bad = |value: &str| Error::Setting { name, value: value.to_owned(), expected };
    settings.get(name).map(|value| value.parse().map_err(|_| bad(value))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
        Config::read(&pairs.iter().copied().collect(), 8001).map_err(|error| error.to_string())
    }

    #[test]
    fn absent_and_empty_settings_have_defaults() {
        let defaults = Config { port: 8001, data_seed: DEFAULT_SEED, data_users: 1000, data_about_bytes: 0 };
        assert_eq!(read(&[]), Ok(defaults));
        assert_eq!(read(&[("PORT", ""), ("DATA_SEED", "")]), Ok(defaults));
    }

    #[test]
    fn given_settings_are_taken() {
        let given = read(&[
            ("PORT", "0"),
            ("DATA_SEED", "18446744073709551615"),
            ("DATA_USERS", "10000"),
            ("DATA_ABOUT_BYTES", "7"),
        ]);
        let wanted = Config { port: 0, data_seed: u64::MAX, data_users: 10_000, data_about_bytes: 7 };
        assert_eq!(given, Ok(wanted));
    }

    #[test]
    fn errors_name_the_setting_the_value_and_what_would_be_right() {
        let port = read(&[("PORT", "80o1")]).unwrap_err();
        assert_eq!(port, "PORT is `80o1`, but must be a whole number from 0 to 65535");
        assert!(read(&[("PORT", "65536")]).unwrap_err().starts_with("PORT is `65536`"));
        assert!(read(&[("DATA_SEED", "-1")]).unwrap_err().starts_with("DATA_SEED is `-1`"));
    }
}
