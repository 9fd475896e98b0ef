//! RESP, the protocol of Redis ([`codec`]), its commands ([`table`]), and a Redis to run where none is installed
//! ([`server`]).
//!
//! The codec and the table serve proxies as well, so they know nothing of the server.

pub mod codec;
pub mod server;
pub mod table;

mod commands;

pub use server::{BadRule, Config, Error, NoSuchPolicy, Policy, Users, run, serve};
