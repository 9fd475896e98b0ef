//! Tests of the proxy as its users meet it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod conformance;
mod latency;
mod raw;
mod support;
mod transparency;
