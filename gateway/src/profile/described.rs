//! Responses with a profile, as the document tells of them.

use super::ProfileBody;
use crate::{
    described::{
        self, Responses,
        headers::{self, About},
    },
    problem::Problem,
};
use http::StatusCode;
use std::collections::BTreeMap;
use utoipa::IntoResponses;

/// Responses with a profile.
pub(super) struct ProfileResponses;

const PROFILE_HEADERS: [About; 7] = [
    headers::REQUEST_ID,
    headers::CACHE_STATUS,
    headers::SERVER_TIMING,
    headers::COMPLETE,
    headers::CACHE_CONTROL,
    headers::ETAG,
    headers::AGE,
];

impl IntoResponses for ProfileResponses {
    fn responses() -> Responses {
        let mut responses = Responses::new();
        let about = "The profile; `partial` where something of it is unknown";
        described::put(
            &mut responses,
            "200",
            described::response(about, &PROFILE_HEADERS).content("application/json", described::of::<ProfileBody>()),
        );
        described::put(
            &mut responses,
            "304",
            described::response("The client has it already (`If-None-Match`)", &PROFILE_HEADERS),
        );
        let mut problems: BTreeMap<StatusCode, Vec<Problem>> = BTreeMap::new();
        for problem in Problem::ALL.into_iter().filter(|problem| problem.is_of_profiles()) {
            problems.entry(problem.status()).or_default().push(problem);
        }
        for (status, problems) in problems {
            described::put(&mut responses, status.as_str(), described::refusal(status, &problems));
        }
        responses
    }
}
