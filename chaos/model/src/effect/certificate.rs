//! `certificate`: a certificate that careful clients refuse.

use super::{
    Action, CertificateFlaw, EffectKind, Explored, Facts, Keys, Level, TlsAction, Written,
    key, term,
    tls_keys::{NOT_EXPLORED, of_new_connections},
};
use serde::{Deserialize, Serialize};

/// Clients that connect are shown a certificate with a flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The flaw.
    pub certificate: CertificateFlaw,
}

impl EffectKind for Certificate {
    const FACTS: Facts = Facts {
        name: "certificate",
        level: Level::Tls,
        about: "clients that connect are shown another certificate, which careful ones refuse",
        keys: &[key(
            "certificate",
            "`expired`, `not-yet-valid`, `wrong-name`, `unknown-authority`, `self-signed`; or `renewed`, a good one with another key",
        )],
        example: "effect = \"certificate\"\ncertificate = \"expired\"",
        explored: Explored::Not(NOT_EXPLORED),
        others: &[term("Gremlin", "certificate expiry")],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let all = CertificateFlaw::ALL;
        let flaw = keys.needed_one_of("certificate", "certificate = \"expired\"", "the certificate", &all);
        Some(Self { certificate: flaw? })
    }

    fn written(&self) -> Written {
        vec![("certificate", self.certificate.name().to_owned())]
    }

    fn words(&self) -> String {
        format!("certificate {}", self.certificate.name())
    }

    fn action(&self) -> Action {
        of_new_connections(TlsAction { certificate: Some(self.certificate), ..TlsAction::default() })
    }
}
