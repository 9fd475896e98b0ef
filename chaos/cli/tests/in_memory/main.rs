//! The bundled system as a whole, in one process: the gateway, its services and the built-in Redis over the network in
//! memory, on a paused clock. What these tests say about times is exact, and none of them waits for any.
//!
//! They know the programs only by what goes over the network: requests, responses and metrics. What a single program
//! does in detail is tested beside it.

#![expect(clippy::unwrap_used, reason = "the lint knows tests by their attribute, and not what they share")]

mod cache;
mod leftovers;
mod profiles;
mod proxies;
mod redis_failures;
mod repeat;
mod service_failures;
mod stopping;
mod support;
