//! The control server from outside: over HTTP, in memory on the paused clock and over TCP.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod documented;
mod leases;
mod refusals;
mod steering;
mod strangers;
mod support;
mod tcp;
