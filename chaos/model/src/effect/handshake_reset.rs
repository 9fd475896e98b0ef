//! `handshake-reset`: a balancer that drops who speaks TLS.

use super::{
    Action, EffectKind, Explored, Facts, Handshake, Keys, Level, TlsAction,
    tls_keys::{NOT_EXPLORED, of_new_connections},
};
use serde::{Deserialize, Serialize};

/// New connections are reset once their client has begun the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandshakeReset {}

impl EffectKind for HandshakeReset {
    const FACTS: Facts = Facts {
        name: "handshake-reset",
        level: Level::Tls,
        about: "clients that connect are reset once they have begun the TLS handshake",
        keys: &[],
        example: "effect = \"handshake-reset\"",
        explored: Explored::Not(NOT_EXPLORED),
        others: &[],
    };

    fn read(_: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self {})
    }

    fn action(&self) -> Action {
        of_new_connections(TlsAction { handshake: Some(Handshake::Reset), ..TlsAction::default() })
    }
}
