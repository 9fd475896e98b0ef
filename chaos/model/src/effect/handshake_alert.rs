//! `handshake-alert`: a server that refuses a handshake, and says why.

use super::{
    Action, Alert, EffectKind, Explored, Facts, Handshake, Keys, Level, TlsAction, Written, key,
    tls_keys::{NOT_EXPLORED, of_new_connections},
};
use crate::language::{findings::Wrong, nearest::advise};
use serde::{Deserialize, Serialize};

/// Clients that connect are told an alert in place of the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandshakeAlert {
    /// The alert.
    pub alert: Alert,
}

impl EffectKind for HandshakeAlert {
    const FACTS: Facts = Facts {
        name: "handshake-alert",
        level: Level::Tls,
        about: "the TLS handshake of clients that connect is refused with an alert",
        keys: &[key("alert", "by its name in RFC 8446, 6: `handshake_failure`, `unrecognized_name`, `internal_error`, …")],
        example: "effect = \"handshake-alert\"\nalert = \"handshake_failure\"",
        explored: Explored::Not(NOT_EXPLORED),
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let alert = keys.needed("alert", "alert = \"handshake_failure\"", |text| {
            let none = || Wrong::new(format!("`{text}` is no alert by which a server refuses a handshake"));
            Alert::of(text).ok_or_else(|| none().advice(advise(text, Alert::names(), "it is one of")))
        });
        Some(Self { alert: alert? })
    }

    fn written(&self) -> Written {
        vec![("alert", self.alert.name().to_owned())]
    }

    fn words(&self) -> String {
        format!("handshake-alert {}", self.alert)
    }

    fn action(&self) -> Action {
        of_new_connections(TlsAction { handshake: Some(Handshake::Alert(self.alert)), ..TlsAction::default() })
    }
}
