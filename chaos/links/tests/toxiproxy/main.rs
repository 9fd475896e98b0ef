//! Toxiproxy's API over real sockets, as its clients use it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod beyond;
mod bounds;
mod load;
mod proxies;
mod support;
mod toxics;
