//! Reasons why parts of a profile are missing, as clients are told them: beside the parts that could be had, or in a problem
//! where none could.

use crate::{
    labels::{Code, Label as _, PartState, Pointer, Service},
    upstream::CallError,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Entries of `missing_ids`.
const MISSING_IDS_SHOWN: usize = 50;

/// The reason why a part is missing or has holes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PartError {
    pub(crate) service: Service,
    pointer: Pointer,
    pub(crate) code: Code,
    /// True where the same request may succeed a moment later.
    retryable: bool,
    /// The ids that the part has holes for, at most 50; left out where it has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    missing_ids: Vec<String>,
    /// The calls of the service for it; 0 where it was spared the call.
    attempts: u32,
    /// For people.
    detail: String,
}

impl PartError {
    /// Tells if the part in question is there all the same, though old: `states` of user, orders and products.
    pub(crate) fn is_healed(&self, states: [PartState; 3]) -> bool {
        let part = Pointer::ALL.iter().position(|pointer| *pointer == self.pointer);
        part.is_some_and(|part| states[part] == PartState::Stale)
    }

    /// The ids of a list that are missing.
    #[cfg(test)]
    pub(crate) fn missing_ids(&self) -> &[String] {
        &self.missing_ids
    }

    /// A failed call.
    pub(crate) fn new(error: &CallError, pointer: Pointer, missing_ids: Vec<String>) -> Self {
        let mut this = Self::of_holes(error.service, error.code, pointer, missing_ids);
        this.attempts = error.attempts;
        this.detail = error.to_string();
        this
    }

    /// A response that doesn't speak of everything that was asked for.
    pub(crate) fn of_holes(service: Service, code: Code, pointer: Pointer, mut missing_ids: Vec<String>) -> Self {
        missing_ids.truncate(MISSING_IDS_SHOWN);
        let detail = "the response left some out".to_owned();
        Self { service, pointer, code, retryable: code.is_retryable(), missing_ids, attempts: 1, detail }
    }
}
