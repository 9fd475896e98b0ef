//! RESP, the protocol of Redis ([`codec`]), and a Redis to run where none is installed ([`server`]).
//!
//! The codec serves proxies as well, so it knows nothing of the server.

pub mod codec;
pub mod server;

mod commands;

pub use server::{BadRule, Config, Error, NoSuchPolicy, Policy, Users, run, serve};
