//! Limits that fit the memory which the gateway may use, where the settings leave them to it.

use super::Settings;

/// Limits where nothing limits memory.
const MOST_CONNECTIONS: usize = 16_384;
const MOST_REQUESTS: usize = 2048;
const MOST_CACHE_BYTES: usize = 32 << 20;

/// Bytes that an idle connection costs: 17 to 21 KB of ours (measured), and what the kernel counts for its socket.
const CONNECTION: u64 = 32 << 10;
/// Bytes that a request under way costs: a large profile in parts and as a whole, and those of its calls.
const REQUEST: u64 = 128 << 10;

/// A limit in a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// As the memory allows.
    Auto,
    /// This one, whatever the memory is.
    Of(usize),
}

/// The limits that hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Connections of clients; 0: any number.
    pub(crate) connections: usize,
    /// Requests under way; 0: any number.
    pub(crate) requests: usize,
    /// Weight of the tier in memory.
    pub(crate) cache_bytes: usize,
}

impl Limits {
    /// For a gateway that may use so many bytes; none: any number.
    // A half for connections, a quarter for requests, an eighth for the cache; the last eighth is for the program itself.
    pub(crate) fn new(settings: &Settings, memory: Option<u64>) -> Self {
        let fitting = |limit: Limit, share: u64, each: u64, most: usize| match (limit, memory) {
            (Limit::Of(told), _) => told,
            (Limit::Auto, None) => most,
            (Limit::Auto, Some(memory)) => usize::try_from(memory / share / each).unwrap_or(most).clamp(1, most),
        };
        Self {
            connections: fitting(settings.edge.max_connections, 2, CONNECTION, MOST_CONNECTIONS),
            requests: fitting(settings.edge.max_requests, 4, REQUEST, MOST_REQUESTS),
            cache_bytes: fitting(settings.cache_memory_bytes, 8, 1, MOST_CACHE_BYTES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(told: &[(&str, &str)], memory: Option<u64>) -> [usize; 3] {
        let settings = Settings::from_map(&told.iter().copied().collect()).unwrap();
        let Limits { connections, requests, cache_bytes } = Limits::new(&settings, memory);
        [connections, requests, cache_bytes]
    }

    #[test]
    fn limits_fit_the_memory() {
        let most = [16_384, 2048, 32 << 20];
        assert_eq!(limits(&[], None), most);
        assert_eq!(limits(&[], Some(1 << 30)), most);
        assert_eq!(limits(&[], Some(u64::MAX)), most);
        assert_eq!(limits(&[], Some(256 << 20)), [4096, 512, 32 << 20]);
        assert_eq!(limits(&[], Some(64 << 20)), [1024, 128, 8 << 20]);
        assert_eq!(limits(&[], Some(0)), [1, 1, 1]);
    }

    #[test]
    fn what_was_told_holds() {
        let told =
            [("GATEWAY_MAX_CONNECTIONS", "0"), ("GATEWAY_MAX_REQUESTS", "7"), ("GATEWAY_CACHE_MEMORY_BYTES", "64MiB")];
        assert_eq!(limits(&told, Some(64 << 20)), [0, 7, 64 << 20]);
        assert_eq!(limits(&[("GATEWAY_MAX_CONNECTIONS", "auto")], Some(64 << 20))[0], 1024);
    }

    #[test]
    fn anything_else_is_refused() {
        for (variable, bad) in
            [("GATEWAY_MAX_CONNECTIONS", "many"), ("GATEWAY_MAX_REQUESTS", "-1"), ("GATEWAY_CACHE_MEMORY_BYTES", "1")]
        {
            let error = Settings::from_map(&[(variable, bad)].into_iter().collect()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{variable} can't be `{bad}`: ")) && error.contains("auto"), "{error}");
        }
    }
}
