//! Parts that effects on TLS have in common.

use super::{Action, TlsAction, action::StreamAction};

/// The reason for which no exploration tries them.
pub(super) const NOT_EXPLORED: &str = "simulations have no TLS, in which explorations are";

/// An action on connections that begin while it is there: hands are shaken once.
pub(super) fn of_new_connections(tls: TlsAction) -> Action {
    Action::of_stream(StreamAction { tls, spares_open: true, ..StreamAction::default() })
}
