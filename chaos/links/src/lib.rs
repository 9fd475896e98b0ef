//! Proxies on the links of a system. Worlds are made of these and a runtime.
//!
//! - [`InProcessLinks`]: a proxy a link, in this process.
//! - [`RemoteLinks`]: proxies of others, steered over their control servers under leases.
//! - [`StandingProxies`]: the other end of that, proxies that run by themselves (`chaos proxy`).
//! - [`ToxiproxyServer`]: proxies that Toxiproxy's clients make (`chaos proxy --toxiproxy`).
//! - [`reach`]: what proxies and runners may reach; [`calibrate`]: what a proxy adds on this machine.
//!
//! All of it is about proxies that stand on links, and needs neither processes nor containers, so that the simulation has its
//! proxies from here as well.

pub mod calibrate;
mod in_process;
pub mod reach;
mod remote;
mod standing;
mod toxiproxy;

pub use chaos_inject::{
    Layer,
    control::{PREFIX as CONTROL_PREFIX, Token},
    has_filter,
};
pub use in_process::{InProcessLinks, Layers, RESERVE};
pub use remote::{ControlEndpoint, RemoteConfig, RemoteLinks};
pub use standing::{NoPort, StandingProxies};
pub use toxiproxy::{Bounds, HostAt, ToxiproxyConfig, ToxiproxyServer};
