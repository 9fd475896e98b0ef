//! The end of a connection.

/// The end that a filter or a fault gives to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In an orderly way.
    Close,
    /// With a reset.
    Reset,
}
