//! HTTP/1.1 over the seam: a server loop and a client, both hyper on whatever streams the host gives.

// Here, since gateway, services, load and scrapes need the same loop and client, and none of them may depend on
// another.
mod client;
#[cfg(feature = "coding")]
pub mod coding;
mod server;
mod server_stream;
mod slots;
mod target;

pub use client::{Client, ClientConfig, Connector, Reuse, client};
pub use server::{Peer, ServerConfig, serve};
pub use slots::Trust;
