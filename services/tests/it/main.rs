//! The services as their clients see them: over the network in memory on a paused clock, and the programs on real
//! sockets.

#![expect(clippy::unwrap_used, reason = "the helpers are tests too: what fails there fails the test")]

mod common;
mod connections;
mod data;
mod logs;
mod metrics;
mod orders;
mod product_batch;
mod products;
mod program;
mod routes;
mod users;
