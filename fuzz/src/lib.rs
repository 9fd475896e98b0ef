//! Inputs that nobody meant, for whatever takes bytes from anywhere: filters and codecs of protocols, the language, pages of
//! metrics, recordings, the control API.
//!
//! The engine is proptest's, on the stable toolchain: an input is a good one (a seed) with some edits, and one that brings a
//! target down is made as small as it gets. What was found once stands in `fuzz/crashes`, and is tried again by the tests.
//!
//! What it doesn't do: look at which code an input reaches. Seeds and words have to be near the formats.

mod edit;
mod engine;
mod panics;
mod targets;

pub use engine::{Budget, Finding, Outcome, replay, run};
pub use targets::{Subject, TARGETS, Target};
