//! The control server: steers a set of proxies over HTTP, with the same messages as in process. A fault has the keys of a
//! scenario's there, and is read and refused as such.
//!
//! Whoever steers takes a lease and renews it; faults live as long as it does. A runner that dies, or whose machine is
//! cut off, renews nothing: its lease lapses, and every fault is taken back at once. So what is left of a lost runner
//! is a system as it was.
//!
//! Where the proxies lead is decided by whoever starts them, and nothing here changes it. Under [`PREFIX`], `openapi.json`
//! describes the interface; it is checked in as `chaos/inject/openapi.json`.

mod lease;
mod openapi;
mod problem;
mod reading;
mod responses;
mod routes;
mod schema;
mod server;
mod steered;
mod strict;
mod token;
mod wire;

pub use problem::{Problem, ProblemType};
pub use server::{ServeConfig, serve};
pub use token::Token;
pub use wire::{Granted, Held, LeaseState, LinkState, LinkStates, Send, Standing, Wanted, WireMessage};

use std::time::Duration;

/// Beginning of the paths of all routes: the version of the interface. What was said to an earlier one is refused, since it meant
/// something else there.
pub const PREFIX: &str = "/v2";

/// Times to live that a lease may be asked for: long enough to be renewed over a network, short enough to heal.
pub const TIMES_TO_LIVE: std::ops::RangeInclusive<Duration> = Duration::from_millis(200)..=Duration::from_secs(60);
