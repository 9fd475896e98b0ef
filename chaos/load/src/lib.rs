//! Open-loop load over HTTP/1.1: requests come when they are due, whether or not earlier ones were answered, as those of
//! independent clients do.
//!
//! - Due times are computed from the start, so they can't drift; latency counts from the due time (the intended start)
//!   to the last byte of the response, so a stalled target can't hide its delay by holding the generator back.
//! - Each request says in its baggage which arrival of which run it is.
//! - Everything that arrival n does (its gap, request, variables, trace id) derives from (seed, n) alone, and what its later
//!   steps add (think time, trace id) from (seed, n, step): it does the same in every world, whatever happened before it. Variables
//!   are drawn once for a journey: who logs in is who orders.
//! - A journey is begun when it is due, too. Each later step of it is due when the one before has ended and its think time is
//!   over, and its latency counts from then. A step that fails ends its journey; who looks at responses says what fails.
//! - An arrival that the generator could not make is reported as such, never dropped.
//!
//! A kept connection is driven by the task that uses it, so that a request needs no hand-over between tasks but the
//! first; hyper-util's pooling client needs several, and tells neither a dial from an exchange nor an unsent request
//! from a lost one.
//!
//! - A request of an idempotent method (RFC 9110, 9.2.2) whose reused connection closes before the first byte of a response is
//!   made once more, on a new one, where it looks as if the server closed what idled just as the request went out: the
//!   connection had idled for half a second at least, and ended at once. Not while [`Disruptions`] say that it was ended on
//!   purpose. Such arrivals are counted apart. All else that ends without a response has failed: user agents try more
//!   again, and that would hide servers that take requests and drop them.
//!
//! - Cookies that a response sets go along with the later steps of its journey. A request by itself has none but its own.
//!
//! Other retries, redirects and a verdict are deliberately absent.

mod arrivals;
mod connection;
mod cookies;
mod dispatch;
mod disruption;
mod draw;
mod error;
mod job;
mod outcome;
mod shared;
mod template;
#[cfg(test)]
mod testing;
mod worker;

pub use arrivals::Schedule;
pub use connection::BODY_LIMIT;
pub use dispatch::run;
pub use disruption::{Disruption, Disruptions};
pub use draw::{Draw, trace_id};
pub use error::Error;
pub use job::REQUESTS;
pub use outcome::{Arrival, CheckResponse, Marks, Outcome, Response, Rest, Summary};

use chaos_model::Nonce;

/// A load, and where it goes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The load: requests, rate, duration.
    pub load: chaos_model::Load,
    /// The name or address of the entry; an IPv6 address with or without its brackets.
    pub host: String,
    /// The port of the entry.
    pub port: u16,
    /// The seed of every draw.
    pub seed: u64,
    /// The nonce by which requests are known as this run's.
    pub nonce: Nonce,
    /// Arrivals under way at once, which bounds connections and memory. One that is due beyond it is not made.
    pub max_in_flight: usize,
    /// Disruptions of the entry, told by whoever makes them.
    pub disruptions: Disruptions,
}
