//! The user, order and product services behind the gateway.
//!
//! Each is one function of a [`Host`](host::Host): [`user::run`], [`order::run`], [`product::run`]. It reads its
//! settings ([`Config`]), listens, answers until the host's shutdown signal and returns. What they serve is the
//! [`data`] of a made-up shop, a pure function of a seed, so that they need no store and agree with each other in every
//! process and world.
//!
//! The services never answer 500 by design: what a client can get wrong has a [`problem`] of its own. They do no
//! caching, no authentication and no rate limiting: the gateway stands in front of them.

pub mod data;
pub mod id;
pub mod order;
pub mod problem;
pub mod product;
pub mod program;
pub mod user;

mod body;
mod config;
mod context;
mod metrics;
mod observe;
mod server;

pub use config::Config;

use std::io;

/// Reasons why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting has a value that can't be used.
    #[error("{name} is `{value}`, but must be {expected}")]
    Setting {
        /// The setting's name.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// The values that would be right, in words.
        expected: &'static str,
    },
    /// The port can't be listened on.
    #[error("{}", listen_message(*port, source))]
    Listen {
        /// The port.
        port: u16,
        /// The machine's error.
        source: io::Error,
    },
    /// The host's registry has metrics of these names already: two services on one host.
    #[error("can't register the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

fn listen_message(port: u16, source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            format!("port {port} is taken: stop what listens there, or set PORT to another (0 takes a free one)")
        }
        _ => format!("can't listen on port {port}: {source}"),
    }
}
