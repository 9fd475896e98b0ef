//! Rate limits of clients: a token bucket a client, kept as the one time at which it is full again (GCRA).
//!
//! What it keeps is bounded, whoever comes: two generations of clients, of which the older one is forgotten when the
//! younger one is full. Whoever is forgotten starts with a full bucket.

use std::{collections::BTreeMap, mem, sync::Arc, time::Duration};
use tokio::time::Instant;

/// A bucket for each client.
pub(super) struct Rates {
    /// Time in which one token comes.
    interval: Duration,
    /// Time in which an empty bucket gets all its tokens but one.
    tolerance: Duration,
    /// Clients in a generation.
    room: usize,
    young: BTreeMap<Arc<str>, Instant>,
    old: BTreeMap<Arc<str>, Instant>,
}

impl Rates {
    /// `rate` requests a second and `burst` at once; at most `clients` are remembered. None of these is 0.
    pub(super) fn new(rate: u32, burst: u32, clients: usize) -> Self {
        let interval = Duration::from_secs(1) / rate.max(1);
        let (young, old) = (BTreeMap::new(), BTreeMap::new());
        Self { interval, tolerance: interval * burst.saturating_sub(1), room: clients.div_ceil(2), young, old }
    }

    /// Takes a token of `client`, or tells how long until there is one.
    pub(super) fn take(&mut self, client: &Arc<str>, now: Instant) -> Result<(), Duration> {
        let full_at = self.young.get(client).or_else(|| self.old.get(client)).copied().unwrap_or(now).max(now);
        let ahead = full_at - now;
        let refused = ahead.checked_sub(self.tolerance).filter(|wait| !wait.is_zero());
        let full_at = if refused.is_some() { full_at } else { full_at + self.interval };
        // Who is refused is remembered too, else it would be forgotten for trying on.
        if self.young.len() >= self.room && !self.young.contains_key(client) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(Arc::clone(client), full_at);
        refused.map_or(Ok(()), Err)
    }
}

/// The client of a connection from `peer`, which is an address with its port: the address, and of IPv6 the network, of
/// which one client has a whole one.
pub(super) fn client(peer: &str) -> Arc<str> {
    match peer.parse::<std::net::SocketAddr>().map(|address| address.ip().to_canonical()) {
        Ok(std::net::IpAddr::V4(address)) => address.to_string().into(),
        Ok(std::net::IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64").into()
        }
        Err(_) => peer.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut rates = Rates::new(10, 3, 100);
        let (client, start) = (Arc::from("a"), Instant::now());
        for _ in 0..3 {
            assert_eq!(rates.take(&client, start), Ok(()));
        }
        assert_eq!(rates.take(&client, start), Err(Duration::from_millis(100)));
        assert_eq!(rates.take(&Arc::from("b"), start), Ok(()), "another client has a bucket of its own");
        // What is refused costs no token.
        let later = start + Duration::from_millis(100);
        assert_eq!(rates.take(&client, later), Ok(()));
        assert_eq!(rates.take(&client, later), Err(Duration::from_millis(100)));
        // A long rest fills the bucket and no more.
        let rested = start + Duration::from_secs(60);
        assert_eq!((0..10).filter(|_| rates.take(&client, rested).is_ok()).count(), 3);
    }

    #[test]
    fn what_is_kept_is_bounded_and_those_at_work_are_remembered() {
        let mut rates = Rates::new(1, 1, 100);
        let (busy, now) = (Arc::from("busy"), Instant::now());
        for n in 0..10_000 {
            let now = now + Duration::from_millis(4 * n);
            let allowed = rates.take(&busy, now).is_ok();
            assert_eq!(allowed, n % 250 == 0, "{n}");
            let _ = rates.take(&Arc::from(n.to_string()), now);
            assert!(rates.young.len() + rates.old.len() <= 100);
        }
    }

    #[test]
    fn a_client_is_an_address_or_a_network() {
        assert_eq!(&*client("10.0.0.1:4711"), "10.0.0.1");
        assert_eq!(&*client("[::ffff:10.0.0.1]:4711"), "10.0.0.1");
        assert_eq!(client("[2001:db8:1:2:3::4]:1"), client("[2001:db8:1:2:5::6]:2"));
        assert_ne!(client("[2001:db8:1:2::4]:1"), client("[2001:db8:1:3::4]:1"));
        assert_eq!(&*client("client"), "client");
    }
}
