//! The API of Toxiproxy 2.12: proxies that its clients make, change and remove at run time, with toxics on them.
//!
//! It is a reader over [`Links`](crate::Links), as the control API is: a toxic is a fault, by an effect that the language has
//! too. Further types of toxics are all effects, by their names. What it answers is what Toxiproxy's clients read; where
//! the original does what nobody means (it draws anew which connections meet a toxic whenever a neighbour changes, forgets its
//! seed, and hangs where a toxic is taken from a busy connection), it does not.
//!
//! Whoever can reach its port makes proxies, without a token unless one is asked for, since no client sends one. So it is
//! bounded in other ways: [`Ground`](crate::Ground) says where proxies may listen and lead, pages of browsers are refused, and
//! no lease of a scenario holds here.

mod api;
mod body;
mod effects;
mod error;
mod lease;
mod metrics;
mod originals;
mod proxies;
mod record;
mod routes;
mod server;
mod shares;
mod toxic;

pub use server::{Config, serve};
