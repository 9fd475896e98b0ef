//! State that handlers of requests have at hand.

use super::proxies::Proxies;
use host::Host;
use std::sync::Arc;

/// The proxies, and the host on whose tasks they are changed.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) host: Host,
    pub(super) proxies: Arc<Proxies>,
}
