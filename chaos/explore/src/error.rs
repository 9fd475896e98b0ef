//! Reasons that there is nothing to explore.

use chaos_model::Diagnostics;

/// The reason that there is nothing to explore.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text has no subject in it; in words.
    #[error("{0}")]
    Subject(String),
    /// The scenario that was made of it is not valid: what is wrong, with its place.
    #[error("the scenario is not valid")]
    Invalid(Box<Diagnostics>),
    /// The system isn't well without any fault; in words.
    #[error("{0}")]
    Unwell(String),
}
