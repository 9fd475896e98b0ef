//! Bodies of the health routes.

use super::{Known, RedisJudged};
use crate::{
    labels::{CircuitState, Miss, Overall, Readiness, RedisMode, Status},
    problem,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The gateway and its components, as background tasks last saw them.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    pub(super) status: Overall,
    pub(super) components: Components,
}

/// No profile can be gathered: a problem that also has the components, as a [`Health`] that is better has them.
#[derive(Serialize, ToSchema)]
pub(crate) struct Unhealthy<'a> {
    #[serde(flatten)]
    pub(super) problem: problem::Body<'a>,
    pub(super) components: Components,
}

/// The components that the gateway is made of.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Components {
    pub(super) user_service: ServiceHealth,
    pub(super) order_service: ServiceHealth,
    pub(super) product_service: ServiceHealth,
    pub(super) redis: RedisHealth,
    pub(super) memory: ComponentHealth,
}

/// A component as it was last seen.
#[derive(Serialize, ToSchema)]
#[schema(as = Seen)]
pub(super) struct ComponentHealth {
    status: Status,
    /// Of the last success, in milliseconds.
    #[schema(required = true)]
    latency_ms: Option<f64>,
    #[schema(required = true, format = DateTime)]
    last_success: Option<String>,
}

/// A service.
#[derive(Serialize, ToSchema)]
pub(super) struct ServiceHealth {
    #[serde(flatten)]
    pub(super) seen: ComponentHealth,
    pub(super) circuit: CircuitState,
}

/// Redis, whose reads and writes are judged apart.
#[derive(Serialize, ToSchema)]
pub(super) struct RedisHealth {
    #[serde(flatten)]
    seen: ComponentHealth,
    reads: RedisMode,
    writes: RedisMode,
    /// The last failure, however long ago.
    #[schema(required = true)]
    last_reason: Option<Miss>,
}

/// The gateway runs, or wants requests.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    pub(super) status: Readiness,
}

impl From<Known> for ComponentHealth {
    fn from(known: Known) -> Self {
        Self {
            status: known.status,
            latency_ms: known.latency.map(|latency| latency.as_secs_f64() * 1e3),
            last_success: known.last_success.map(host::rfc3339),
        }
    }
}

impl RedisHealth {
    pub(super) fn new(known: Known, judged: RedisJudged) -> Self {
        let RedisJudged { reads, writes, reason } = judged;
        Self { seen: known.into(), reads, writes, last_reason: reason }
    }
}
