//! `no-close-notify`: an end of which nobody can tell whether all has come (RFC 8446, 6.1).

use super::{
    Action, Directions, EffectKind, Explored, Facts, Keys, Level, TlsAction, Written,
    action::{Cut, StreamAction},
    key,
    tls_keys::NOT_EXPLORED,
};
use crate::quantity::show_bytes;
use serde::{Deserialize, Serialize};

/// Connections are closed once some bytes have come down, and the client is not told by TLS that they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoCloseNotify {
    /// After how many, since the fault met the connection.
    pub bytes: u64,
}

impl EffectKind for NoCloseNotify {
    const FACTS: Facts = Facts {
        name: "no-close-notify",
        level: Level::Tls,
        about: "connections, open ones too, are closed once some bytes have come down, and TLS does not say that they end",
        keys: &[key("bytes", "how many, as `100B`")],
        example: "effect = \"no-close-notify\"\nbytes = \"100B\"",
        explored: Explored::Not(NOT_EXPLORED),
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self { bytes: keys.size("bytes", "100B")? })
    }

    fn written(&self) -> Written {
        vec![("bytes", show_bytes(self.bytes))]
    }

    fn words(&self) -> String {
        format!("no-close-notify after {}", show_bytes(self.bytes))
    }

    fn action(&self) -> Action {
        let cut = Some(Cut::CloseAfterBytes(self.bytes, Directions::Downstream));
        let tls = TlsAction { ends_unannounced: true, ..TlsAction::default() };
        Action::of_stream(StreamAction { cut, tls, ..StreamAction::default() })
    }
}
