//! Links as a healthy run uses them.

use chaos_model::Link;
use std::collections::BTreeMap;

/// The use of a link in a healthy run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkUse {
    /// Connections.
    pub(crate) connections: u64,
    /// Messages of each kind.
    pub(crate) messages: BTreeMap<String, u64>,
    /// Kinds that came before the first request alone.
    pub(crate) only_at_the_start: Vec<String>,
}

/// Links, each with the kinds of messages that came on it, as a healthy run showed.
pub(crate) type Uses = BTreeMap<Link, LinkUse>;
