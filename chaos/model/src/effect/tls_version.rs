//! `tls-version`: a server that is older than its clients, or newer.

use super::{
    Action, EffectKind, Explored, Facts, Keys, Level, TlsAction, ProtocolVersion, Written, key,
    tls_keys::{NOT_EXPLORED, of_new_connections},
};
use serde::{Deserialize, Serialize};

/// With clients that connect, one version alone is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsVersion {
    /// The version.
    pub version: ProtocolVersion,
}

impl EffectKind for TlsVersion {
    const FACTS: Facts = Facts {
        name: "tls-version",
        level: Level::Tls,
        about: "with clients that connect, this version of TLS alone is spoken",
        keys: &[key("version", "`1.2` or `1.3`")],
        example: "effect = \"tls-version\"\nversion = \"1.2\"",
        explored: Explored::Not(NOT_EXPLORED),
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let version = keys.needed_one_of("version", "version = \"1.2\"", "the version", &ProtocolVersion::ALL);
        Some(Self { version: version? })
    }

    fn written(&self) -> Written {
        vec![("version", self.version.name().to_owned())]
    }

    fn words(&self) -> String {
        format!("tls-version {}", self.version.name())
    }

    fn action(&self) -> Action {
        of_new_connections(TlsAction { version: Some(self.version), ..TlsAction::default() })
    }
}
