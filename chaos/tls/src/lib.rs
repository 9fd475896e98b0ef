//! TLS on links: ended before the proxy and begun anew behind it, so that faults meet what is spoken inside.
//!
//! - [`Authority`]: the certificate authority of one run. Its key is in memory alone, and gone with it.
//! - [`Authority::layer`]: the layer of a link's proxy ([`chaos_inject::Layer`]): clients are shown certificates of the
//!   authority for the name that they ask for; services are verified ([`Trust`]) for that name.
//! - [`Authority::secured`]: a machine whose connections speak TLS, for whoever asks a service past its proxies, and for a load.
//!
//! One provider of cryptography (ring), which has its randomness from the machine: no simulation has TLS. The clock is the
//! host's.

mod authority;
mod clock;
mod configs;
mod dialogue;
mod layer;
mod secured;
mod servers;
mod stream;
mod verifier;

pub use authority::{Authority, Failed, Issued};
pub use verifier::{BadCertificates, Trust};

use rustls::crypto::CryptoProvider;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The value in a mutex. Nothing that holds one of this crate's can panic halfway through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
