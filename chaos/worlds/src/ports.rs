//! Ports for services and proxies: from below the kernel's ephemeral range, since a port inside it can be taken by any
//! outgoing connection, or even dial itself. Runs take turns, so nobody of ours competes.

use host::{Host, Listener};
use std::io;

/// The first port that is tried.
const FIRST: u16 = 20_000;
/// First port of the ephemeral range if the kernel doesn't say (ip(7)).
const EPHEMERAL: u16 = 32_768;

/// Gives each port once.
pub(crate) struct Ports {
    next: u16,
    end: u16,
}

impl Ports {
    pub(crate) fn new() -> Self {
        let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
        let low: u16 = range.split_whitespace().next().and_then(|low| low.parse().ok()).unwrap_or(EPHEMERAL);
        // A machine that gives nearly all ports away leaves little room; what there is lies right below.
        let first = if low > FIRST + 1000 { FIRST } else { low.saturating_sub(2000).max(1024) };
        Self { next: first, end: low.max(first + 1) }
    }

    /// Listens on a free port, for whoever keeps the listener.
    pub(crate) fn listen(&mut self, host: &Host) -> io::Result<Listener> {
        while self.next < self.end {
            let port = self.next;
            self.next += 1;
            match host.listen(port) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                result => return result,
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no port is free below the ephemeral range"))
    }

    /// A port that was free a moment ago, for a program that listens by itself.
    pub(crate) fn free(&mut self, host: &Host) -> io::Result<u16> {
        self.listen(host).map(|listener| listener.port())
    }
}
