//! The protocols that `chaos` brings: one folder each, with its filter, its matchers and its plan.

mod http;
mod redis;
mod seen;
mod steps;

pub use seen::SEEN;

use crate::protocol::{Filter, NewFilter};
use chaos_model::Protocol;

/// The filters of the rows of `chaos_model::Protocol`.
const FILTERS: [(Protocol, NewFilter); 2] = [
    (Protocol::HTTP, || Box::new(http::HttpFilter::new())),
    (Protocol::REDIS, || Box::new(redis::RedisFilter::default())),
];

/// Tells whether messages of a protocol can be told apart: `chaos` has its filter, or its row brings one of the right type.
#[must_use]
pub fn has_filter(protocol: Protocol) -> bool {
    filter_of(protocol).is_some()
}

/// The filter of a protocol for a new connection; none where it has none, as TCP. One that is handed in brings its own.
#[must_use]
pub fn filter_of(protocol: Protocol) -> Option<Box<dyn Filter>> {
    let built_in = FILTERS.iter().find(|(other, _)| *other == protocol).map(|(_, new)| new);
    let own = || protocol.filter.and_then(|own| own.downcast_ref::<NewFilter>());
    built_in.or_else(own).map(|new| new())
}
