//! Mistakes, and what each is to be found as.

use chaos_explore::Kind;

/// A mistake of the gateway.
pub(crate) struct Planted {
    /// The value of `GATEWAY_PLANTED`.
    pub(crate) name: &'static str,
    /// Links on which faults bring it about.
    pub(crate) on: &'static [&'static str],
    /// Kinds of findings that it is.
    pub(crate) kinds: &'static [Kind],
    /// Two faults at once are needed.
    pub(crate) pairs: bool,
}

const USERS: &str = "gateway -> user-service";
const ORDERS: &str = "gateway -> order-service";
const PRODUCTS: &str = "gateway -> product-service";
const REDIS: &str = "gateway -> redis";

const fn alone(name: &'static str, on: &'static [&'static str], kinds: &'static [Kind]) -> Planted {
    Planted { name, on, kinds, pairs: false }
}

/// All of them.
pub(crate) const MISTAKES: &[Planted] = &[
    alone("lock-across-call", &[ORDERS], &[Kind::InTime, Kind::Available]),
    alone("ttl-restarts", &[REDIS], &[Kind::Own]),
    alone("endless-fallback", &[PRODUCTS], &[Kind::Recovers]),
    alone("key-without-user", &[USERS], &[Kind::Right]),
    alone("retries-without-budget", &[USERS], &[Kind::Amplification]),
    alone("partial-stored", &[USERS], &[Kind::Complete]),
    alone("breaker-never-closes", &[USERS], &[Kind::Recovers]),
    alone("failure-as-absence", &[USERS], &[Kind::Denied]),
    alone("deadline-not-passed-on", &[PRODUCTS], &[Kind::InTime, Kind::Available]),
    alone("flight-leaks", &[USERS], &[Kind::Recovers]),
    alone("endless-stale", &[USERS], &[Kind::Own]),
    alone("swallowed-error", &[USERS], &[Kind::Complete]),
    alone("untimed-cache-read", &[REDIS], &[Kind::InTime, Kind::Available]),
    alone("slot-leaks", &[USERS], &[Kind::Recovers]),
    Planted { name: "partial-kept-in-need", on: &[REDIS, USERS], kinds: &[Kind::Complete], pairs: true },
];
