//! HTTP/1.1 over the seam: a server loop and a client, both hyper on whatever streams the host gives.

mod client;
mod server;

pub use client::{Client, ClientConfig, Connector, Reuse, client};
pub use server::{Peer, ServerConfig, serve};
