//! The gateway as its clients and operators see it: over the network in memory on a paused clock, and once over TCP.

#![expect(clippy::unwrap_used, reason = "the lint knows tests by their attribute, and not what they share")]

mod admission;
mod auth;
mod cache;
mod compression;
mod conditional;
mod cors;
mod counts;
mod document;
mod edge;
mod flights;
mod hostile;
mod life;
mod logs;
mod owners;
mod redis;
mod redis_fails;
mod redis_modes;
mod responses;
mod retries;
mod small_memory;
mod stale;
mod support;
mod tcp;
mod upstream;
