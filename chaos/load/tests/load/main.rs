//! The load generator against servers in memory on a paused clock, and once over TCP.

#![expect(clippy::unwrap_used, reason = "tests")]

mod arrivals;
mod bench;
mod failures;
mod heads;
mod journeys;
mod requests;
mod responses;
mod retries;
mod tcp;
