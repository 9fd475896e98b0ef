//! The filters of protocols.

use crate::{filter::Filter, http::HttpFilter, redis::RedisFilter};
use chaos_model::Protocol;

/// The filter of a protocol for a new connection; none where it has none.
pub(crate) fn filter_of(protocol: Protocol) -> Option<Box<dyn Filter>> {
    match protocol {
        _ if protocol == Protocol::HTTP => Some(Box::new(HttpFilter::new())),
        _ if protocol == Protocol::REDIS => Some(Box::new(RedisFilter::default())),
        _ => None,
    }
}
