//! Responses of the health routes, as the document tells of them.

use super::{Health, Ready, Unhealthy};
use crate::{
    described::{self, Responses, headers},
    problem::{self, Problem},
};
use utoipa::IntoResponses;

/// Responses of `/health`.
pub(super) struct HealthResponses;
/// Responses of `/health/live`.
pub(super) struct LiveResponses;
/// Responses of `/health/ready`.
pub(super) struct ReadyResponses;

impl IntoResponses for HealthResponses {
    fn responses() -> Responses {
        let good = described::response("All is well, or less than it could be", &[headers::REQUEST_ID]);
        let mut responses = described::operation(good.content("application/json", described::of::<Health>()));
        described::put(
            &mut responses,
            "503",
            described::unavailable(Problem::Unhealthy, described::of::<Unhealthy<'_>>()),
        );
        responses
    }
}

impl IntoResponses for LiveResponses {
    fn responses() -> Responses {
        described::operation(
            described::response("It runs", &[headers::REQUEST_ID])
                .content("application/json", described::of::<Ready>()),
        )
    }
}

impl IntoResponses for ReadyResponses {
    fn responses() -> Responses {
        let good = described::response("Requests are welcome", &[headers::REQUEST_ID]);
        let mut responses = described::operation(good.content("application/json", described::of::<Ready>()));
        described::put(
            &mut responses,
            "503",
            described::unavailable(Problem::NotReady, described::of::<problem::Body<'_>>()),
        );
        responses
    }
}
