//! The interpreter of faults, and the proxy that puts it on a link.
//!
//! - [`Message`] and [`Reply`] steer a proxy: in process, over a pipe and over HTTP alike.
//! - The interpreter decides, as pure code without clock or socket: faults and a connection in, a plan out; a chunk in, a
//!   verdict out; a message in, the faults that take it out.
//! - Filters, pure too, read along where a link speaks their protocol ([`protocol::Filter`]): bytes in, steps out.
//! - [`Proxy`] stands before a service, waits and writes, and keeps a ledger of what each fault did.
//! - [`WIRE`] tells whoever listens what passes on links.
//! - [`Links`] are the proxies of a process; [`control`] steers them over HTTP, for as long as a lease is renewed, and
//!   [`toxiproxy`] as Toxiproxy's clients do.
//!
//! What is deliberately absent: when a fault begins and ends (whoever runs the timeline says so), and effects on
//! services.

mod active;
mod attribution;
pub mod control;
mod counts;
mod draw;
mod ending;
mod events;
mod generated_body;
mod interpreter;
mod layer;
mod ledger;
mod link_tally;
mod links;
mod message;
mod noise;
mod openings;
pub mod protocol;
mod protocols;
mod proxy;
mod recognition;
mod seldom;
mod tally;
pub mod toxiproxy;
mod wire;

pub use events::WIRE;
pub use layer::{Layer, LayeredConnection};
pub use links::{Controlled, Ground, Links, NoSite, Site};
pub use message::{Message, Reply};
pub use protocols::{SEEN, filter_of, has_filter};
pub use proxy::{ByteCounts, Proxy, ProxyConfig};
