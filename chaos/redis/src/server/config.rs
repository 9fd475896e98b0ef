use super::serve;
use host::Host;
use std::io;

/// What the server may use, and who may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Keys and values may take this many bytes, bookkeeping included; then writes are refused with `OOM`. 0 is no limit.
    pub max_memory_bytes: u64,
    /// The password of the user `default`, if it has one.
    pub password: Option<String>,
    /// As many connections may be open; more are told so and closed.
    pub max_clients: usize,
}

impl Default for Config {
    /// 64 MiB, no password, 10,000 connections (the default of Redis).
    fn default() -> Self {
        Self { max_memory_bytes: 64 * 1024 * 1024, password: None, max_clients: 10_000 }
    }
}

/// Why the server couldn't start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting has a value that can't be used.
    #[error("{name} is `{value}`, expected {expected}")]
    BadSetting {
        /// The setting.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it should say.
        expected: &'static str,
    },
    /// The port can't be had.
    #[error("can't listen on port {port}: {source}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the machine said.
        source: io::Error,
    },
}

/// Serves as the host's settings say, until its shutdown signal: `PORT` (6379 unless given), `REDIS_MAXMEMORY` in bytes
/// (64 MiB unless given, 0 is no limit) and `REDIS_PASSWORD` (none unless given).
///
/// # Errors
/// Where a setting can't be used, or the port is taken.
pub async fn run(host: Host) -> Result<(), Error> {
    let port = setting(&host, "PORT", "a port from 0 to 65535")?.unwrap_or(6379);
    let mut config = Config::default();
    if let Some(bytes) = setting(&host, "REDIS_MAXMEMORY", "a number of bytes")? {
        config.max_memory_bytes = bytes;
    }
    config.password = host.settings().get("REDIS_PASSWORD").map(str::to_owned);
    let listener = host.listen(port).map_err(|source| Error::Listen { port, source })?;
    tracing::info!(port = listener.port(), max_memory_bytes = config.max_memory_bytes, "listening");
    serve(host, listener, config).await;
    Ok(())
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
        assert_eq!(refusal("PORT", "70000").await, "PORT is `70000`, expected a port from 0 to 65535");
        assert_eq!(refusal("REDIS_MAXMEMORY", "1mb").await, "REDIS_MAXMEMORY is `1mb`, expected a number of bytes");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let host = MemoryNetwork::new(0).host("redis");
        let _taken = host.listen(6379).unwrap();
        let error = run(host).await.unwrap_err();
        assert!(error.to_string().starts_with("can't listen on port 6379: "), "{error}");
    }
}
