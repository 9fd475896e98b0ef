use super::{BadRule, Policy, Users, serve};
use host::Host;
use std::io;

/// The setting of the server: what it may use, and who may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Keys and values may take this many bytes: their lengths and 128 bytes a key. 0 is no limit.
    pub max_memory_bytes: u64,
    /// Policy of eviction, for when the memory is full.
    pub policy: Policy,
    /// The password of the user `default`, if it has one.
    pub password: Option<String>,
    /// Users beside `default`, and what each may do.
    pub users: Users,
    /// Connections that may be open; more are told so and closed.
    pub max_clients: usize,
}

impl Default for Config {
    /// 64 MiB and no eviction, no password, 10,000 connections (the default of Redis).
    fn default() -> Self {
        let (max_memory_bytes, policy) = (64 * 1024 * 1024, Policy::Noeviction);
        Self { max_memory_bytes, policy, password: None, users: Users::default(), max_clients: 10_000 }
    }
}

/// Reason for which the server couldn't start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting has a value that can't be used.
    #[error("{name} is `{value}`, expected {expected}")]
    BadSetting {
        /// The setting.
        name: &'static str,
        /// Value of the setting.
        value: String,
        /// Values that it may have.
        expected: &'static str,
    },
    /// A rule of a user can't be used.
    #[error("REDIS_USERS has the rule `{rule}`: {why}")]
    BadRule {
        /// The rule.
        rule: String,
        /// Fault of the rule.
        why: BadRule,
    },
    /// The port can't be had.
    #[error("can't listen on port {port}: {source}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// Error of the machine.
        source: io::Error,
    },
}

/// Serves as the host's settings say, until its shutdown signal:
///
/// | setting | what it is | unless given |
/// |---|---|---|
/// | `PORT` | the port | 6379 |
/// | `REDIS_MAXMEMORY` | what keys and values may take, in bytes; 0 is no limit | 64 MiB |
/// | `REDIS_MAXMEMORY_POLICY` | which keys make room, as in Redis (`allkeys-lru`, …) | `noeviction` |
/// | `REDIS_MAXCLIENTS` | connections that may be open | 10000 |
/// | `REDIS_PASSWORD` | the password of the user `default` | none |
/// | `REDIS_USERS` | further users ([`Users::parse`]) | none |
///
/// # Errors
/// Where a setting can't be used, or the port is taken.
pub async fn run(host: Host) -> Result<(), Error> {
    let port = setting(&host, "PORT", "a port from 0 to 65535")?.unwrap_or(6379);
    let config = config(&host)?;
    let listener = host.listen(port).map_err(|source| Error::Listen { port, source })?;
    tracing::info!(
        port = listener.port(),
        max_memory_bytes = config.max_memory_bytes,
        policy = %config.policy,
        "listening"
    );
    serve(host, listener, config).await;
    Ok(())
}

fn config(host: &Host) -> Result<Config, Error> {
    let defaults = Config::default();
    let users = host.settings().get("REDIS_USERS").unwrap_or_default();
    let max_clients = setting(host, "REDIS_MAXCLIENTS", "a number of connections")?;
    let policy = setting(host, "REDIS_MAXMEMORY_POLICY", "a policy of Redis (`allkeys-lru`, `noeviction`, …)")?;
    Ok(Config {
        max_memory_bytes: setting(host, "REDIS_MAXMEMORY", "a number of bytes")?.unwrap_or(defaults.max_memory_bytes),
        policy: policy.unwrap_or(defaults.policy),
        password: host.settings().get("REDIS_PASSWORD").map(str::to_owned),
        users: Users::parse(users).map_err(|(rule, why)| Error::BadRule { rule, why })?,
        max_clients: max_clients.unwrap_or(defaults.max_clients),
    })
}

fn setting<T: std::str::FromStr>(host: &Host, name: &'static str, expected: &'static str) -> Result<Option<T>, Error> {
    let parse = |value: &str| value.parse().map_err(|_| Error::BadSetting { name, value: value.to_owned(), expected });
    host.settings().get(name).map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::{Settings, memory::MemoryNetwork};

    async fn refusal(name: &str, value: &str) -> String {
        let (host, _) = MemoryNetwork::new(0).node("redis", Settings::from_iter([(name, value)]));
        run(host).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn settings_that_cannot_be_used_are_refused() {
        for (name, value, expected) in [
            ("PORT", "70000", "PORT is `70000`, expected a port from 0 to 65535"),
            ("REDIS_MAXMEMORY", "1mb", "REDIS_MAXMEMORY is `1mb`, expected a number of bytes"),
            ("REDIS_MAXCLIENTS", "-1", "REDIS_MAXCLIENTS is `-1`, expected a number of connections"),
            (
                "REDIS_MAXMEMORY_POLICY",
                "lru",
                "REDIS_MAXMEMORY_POLICY is `lru`, expected a policy of Redis (`allkeys-lru`, `noeviction`, …)",
            ),
            ("REDIS_USERS", "bob on what", "REDIS_USERS has the rule `what`: Syntax error"),
        ] {
            assert_eq!(refusal(name, value).await, expected);
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let host = MemoryNetwork::new(0).host("redis");
        let _taken = host.listen(6379).unwrap();
        let error = run(host).await.unwrap_err();
        assert!(error.to_string().starts_with("can't listen on port 6379: "), "{error}");
    }
}
