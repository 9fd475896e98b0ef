//! TLS on links as clients, services and faults meet it, in memory and over TCP.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[macro_use]
mod support;

mod faults;
mod handshakes;
mod streams;
mod trust;
