//! Common parts of the tests: the system, and a client of it.

mod client;
mod links;
mod redis;
mod shop;
mod system;

pub(crate) use client::Response;
pub(crate) use links::{BLACKHOLE, HANG, REFUSE, jittery, latency};
pub(crate) use redis::ask_redis;
pub(crate) use shop::{Expected, shop, user_where};
pub(crate) use system::{GATEWAY, ORDER, PRODUCT, REDIS, SERVICES, System, USER};

use std::time::Duration;

pub(crate) const MS: Duration = Duration::from_millis(1);

/// Enough for whatever happens at this moment to have happened, and no more of the clock than it can show.
pub(crate) async fn settle() {
    tokio::time::sleep(MS).await;
}
