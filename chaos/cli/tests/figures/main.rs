//! The figures that the gateway is held to, on real processes and real sockets. They take about two minutes, want a
//! machine that is not busy, and say nothing of a debug build; so they are not run with the other tests, but by
//!
//! ```sh
//! cargo test --release -p chaos-cli --test figures -- --ignored --nocapture --test-threads=1
//! ```

#![expect(clippy::unwrap_used, reason = "the lint knows tests by their attribute, and not what they share")]

mod load;
mod many;
mod redis_frozen;
mod service_down;
mod system;
