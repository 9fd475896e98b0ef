//! `handshake-hang`: a server that takes connections, and no longer speaks on them.

use super::{
    Action, EffectKind, Explored, Facts, Handshake, Keys, Level, TlsAction,
    tls_keys::{NOT_EXPLORED, of_new_connections},
};
use serde::{Deserialize, Serialize};

/// The handshake of new connections is begun and does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandshakeHang {}

impl EffectKind for HandshakeHang {
    const FACTS: Facts = Facts {
        name: "handshake-hang",
        level: Level::Tls,
        about: "the TLS handshake of clients that connect does not go on until the fault is over",
        keys: &[],
        example: "effect = \"handshake-hang\"",
        explored: Explored::Not(NOT_EXPLORED),
        others: &[],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        of_new_connections(TlsAction { handshake: Some(Handshake::Hang), ..TlsAction::default() })
    }
}
