//! Addresses: `redis:6379`, `[::1]:6379`, `0.0.0.0:8000`, `http://127.0.0.1:8400`; and links outside of any system.

use super::{findings::Wrong, names};
use crate::{Endpoint, Link, attach::HostPort, system::CLIENT};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A name or an IP address with a port.
pub(crate) fn host_port(text: &str) -> Result<HostPort, Wrong> {
    let wrong = || Wrong::new(format!("`{text}` is no address")).advice("write it as `redis:6379` or `127.0.0.1:6379`");
    let (host, digits) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port(digits)?;
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let host = inner.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?.to_string();
        return Ok(HostPort { host, port });
    }
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let fits = !host.is_empty() && host.bytes().all(of_name);
    if fits { Ok(HostPort { host: host.to_owned(), port }) } else { Err(wrong()) }
}

fn port(digits: &str) -> Result<u16, Wrong> {
    match digits.parse() {
        Ok(0) | Err(_) => Err(Wrong::new(format!("`{digits}` is no port")).advice("ports are 1 to 65535")),
        Ok(port) => Ok(port),
    }
}

/// An address to listen at: an IP address of this machine with a port, or a port alone, on loopback.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, Wrong> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port(text)?));
    }
    let wrong = || {
        let advice = "an IP address of this machine, as in `127.0.0.1:8400` (`0.0.0.0:8400` for all of them)";
        Wrong::new(format!("`{text}` is no place to listen")).advice(advice)
    };
    let address: SocketAddr = text.parse().map_err(|_| wrong())?;
    port(&address.port().to_string())?;
    Ok(address)
}

/// The address in `http://HOST:PORT`.
pub(crate) fn control_url(text: &str) -> Result<HostPort, Wrong> {
    let advice = "write it as `http://127.0.0.1:8400`";
    if text.starts_with("https://") {
        return Err(Wrong::new("the control API speaks plain HTTP: keep it on loopback, or in a tunnel").advice(advice));
    }
    let rest = text.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let rest = rest.filter(|rest| !rest.contains(['/', '?', '#', '@']));
    host_port(rest.ok_or_else(|| Wrong::new(format!("`{text}` is no URL of a control API")).advice(advice))?)
}

/// The name or the id of a container, as engines allow them.
pub(crate) fn container(text: &str) -> Result<String, Wrong> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let fits = text.len() > 1 && text.bytes().all(inner) && text.as_bytes()[0].is_ascii_alphanumeric();
    let advice = "write it as `docker ps` shows it, in the column NAMES or CONTAINER ID";
    if fits { Ok(text.to_owned()) } else { Err(Wrong::new(format!("`{text}` is no container")).advice(advice)) }
}

/// A link as scenarios write it, of a system that is not known here.
pub(crate) fn link(text: &str) -> Result<Link, Wrong> {
    let Some((from, to)) = text.split_once("->") else {
        return Err(Wrong::new(format!("`{text}` is no link")).advice("write it as `gateway -> redis`"));
    };
    let (from, to) = (from.trim(), to.trim());
    let (to, label) = match to.split_once('#') {
        Some((to, label)) => (to.trim(), Some(label.trim())),
        None => (to, None),
    };
    names::instance(to)?;
    // A port is the label of a Compose file's link that is not to the main one.
    if let Some(label) = label.filter(|label| label.parse::<u16>().is_err()) {
        names::check(label, "a link's label")?;
    }
    let from = if from == CLIENT {
        Endpoint::Client
    } else {
        names::instance(from)?;
        Endpoint::Service(from.to_owned())
    };
    Ok(Link { from, to: to.to_owned(), label: label.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_and_shows_them_alike() {
        for text in ["redis:6379", "127.0.0.1:1", "[::1]:65535", "cache.example.com:6379", "a_b-c:80"] {
            assert_eq!(host_port(text).unwrap().to_string(), text);
        }
        for text in ["redis", "redis:", ":6379", "redis:0", "redis:65536", "re dis:1", "[::g]:1", "::1:80", "a/b:1", ""]
        {
            host_port(text).unwrap_err();
        }
    }

    #[test]
    fn listens_on_loopback_unless_told() {
        assert_eq!(listen("8400").unwrap().to_string(), "127.0.0.1:8400");
        assert_eq!(listen("0.0.0.0:8400").unwrap().to_string(), "0.0.0.0:8400");
        assert_eq!(listen("[::]:8400").unwrap().to_string(), "[::]:8400");
        for text in ["0", "65536", "localhost:80", "127.0.0.1", "127.0.0.1:0", ""] {
            listen(text).unwrap_err();
        }
    }

    #[test]
    fn reads_urls_of_control_apis() {
        for text in ["http://127.0.0.1:8400", "http://127.0.0.1:8400/"] {
            assert_eq!(control_url(text).unwrap().to_string(), "127.0.0.1:8400");
        }
        for text in ["https://a:1", "127.0.0.1:8400", "http://a", "http://a:1/v1", "http://u@a:1", "ftp://a:1"] {
            control_url(text).unwrap_err();
        }
    }

    #[test]
    fn reads_names_and_ids_of_containers() {
        for text in ["chaos-redis", "chaos_redis_1", "4f5a6b7c8d9e", "a.b"] {
            assert_eq!(container(text).unwrap(), text);
        }
        for text in ["", "a", "/chaos-redis", "-a", "_a", "a b", "a:b", "ä1"] {
            container(text).unwrap_err();
        }
    }

    #[test]
    fn reads_links_of_any_system() {
        for text in ["client -> gateway", "gateway -> redis#sessions", "a_b -> c", "a -> b#9090"] {
            assert_eq!(link(text).unwrap().to_string(), text);
        }
        for text in ["gateway", "gateway -> client", "a -> b#65536", " -> c", "a -> b#", "a -> b -> c"] {
            link(text).unwrap_err();
        }
    }
}
