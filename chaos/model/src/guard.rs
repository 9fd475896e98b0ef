//! Guards: the proof that an expectation would notice.

use crate::{Set, Span};

/// A setting that takes a protection away, and the expectations that must then break: exactly these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The protection that is taken away, in words.
    pub without: String,
    /// How it is taken away.
    pub set: Vec<Set>,
    /// The expectations (their `that`) which must fail then.
    pub breaks: Vec<String>,
    /// Where it stands.
    pub span: Span,
}
