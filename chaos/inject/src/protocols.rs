//! The protocols that `chaos` brings: one folder each, with its filter, its matchers and its plan.

mod http;
mod redis;
mod steps;

use crate::protocol::{Filter, NewFilter};
use chaos_model::Protocol;

/// The filters of the rows of `chaos_model::Protocol`.
const FILTERS: [(Protocol, NewFilter); 2] = [
    (Protocol::HTTP, || Box::new(http::HttpFilter::new())),
    (Protocol::REDIS, || Box::new(redis::RedisFilter::default())),
];

/// The filter of a protocol for a new connection; none where it has none, as TCP. One that is handed in brings its own.
pub(crate) fn filter_of(protocol: Protocol) -> Option<Box<dyn Filter>> {
    let built_in = FILTERS.iter().find(|(other, _)| *other == protocol).map(|(_, new)| new);
    let own = || protocol.filter.and_then(|own| own.downcast_ref::<NewFilter>());
    built_in.or_else(own).map(|new| new())
}
