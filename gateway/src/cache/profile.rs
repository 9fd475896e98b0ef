//! A profile as both tiers keep it.

use crate::upstream::services::Json;
use serde::{Deserialize, Serialize};

/// A complete profile, as it is cached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) user: Json,
    pub(crate) orders: Json,
    pub(crate) products: Json,
    /// Products of the orders that are known to be gone.
    pub(crate) gone: Vec<String>,
}
