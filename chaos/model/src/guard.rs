//! Guards: the proof that an expectation would notice.

use crate::{Set, Span};

/// A setting that takes a protection away, and the expectations that must then break: these, and of the others only those that may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The protection that is taken away, in words.
    pub without: String,
    /// The settings that take it away.
    pub set: Vec<Set>,
    /// The expectations (their `that`) which must fail then.
    pub breaks: Vec<String>,
    /// The expectations that may break too, or be beyond judgement: whether they do proves nothing.
    pub may_break: Vec<String>,
    /// The place in the file.
    pub span: Span,
}
