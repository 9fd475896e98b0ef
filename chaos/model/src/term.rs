//! Words of other tools, for the tables of checks and effects: who comes from another tool finds what is meant here.

/// A word of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The tool: `k6`.
    pub tool: &'static str,
    /// Its word: `http_req_failed`.
    pub word: &'static str,
}

/// A word of another tool.
#[must_use]
pub const fn term(tool: &'static str, word: &'static str) -> Term {
    Term { tool, word }
}

/// The word as it is compared: tools write `reset_peer`, `reset-peer` and `Reset peer` for one thing.
pub(crate) fn plain(word: &str) -> String {
    word.to_lowercase().replace(['_', ' '], "-")
}
