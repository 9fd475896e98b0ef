//! `tls` and `trust` of a service.

use super::{
    document::{Entry, Kind},
    findings::{Findings, Wrong},
    reader::{Reader, wrong_type},
};
use crate::{Diagnostic, Link, Readiness, ServiceTls, System};

/// The words that it is written with.
const FORMS: &str = "`tls = true` says that it speaks TLS, `tls = \"pass\"` leaves that as it is, `tls.ca = \"cert.pem\"` names \
                     certificates to believe, and `tls.insecure = true` believes any";

/// TLS to the service, where its file says something of it; true where the service trusts the run's authority.
pub(crate) fn read(reader: &mut Reader<'_>, findings: &Findings) -> (Option<ServiceTls>, bool) {
    let tls = reader.entry("tls").map(|entry| of_entry(entry, findings));
    (tls, reader.parse("trust", trust).is_some())
}

/// Notes which services speak TLS on their own ports, and has them asked that way: those whose files say so do by now.
pub(super) fn spread(system: &mut System) {
    for service in system.services.values_mut() {
        let is_asked_for = |link: &Link| link.to == service.name && link.label.is_none();
        service.speaks_tls |= system.encrypted.keys().any(is_asked_for);
        let ready = if let Some(Readiness::Http(probe)) = &mut service.ready { Some(probe) } else { None };
        for probe in ready.into_iter().chain(&mut service.metrics) {
            probe.is_tls |= service.speaks_tls && probe.port.is_none();
        }
    }
}

/// Warnings of services whose certificates nobody checks, and of those of which it is said in vain how that is done.
pub(super) fn warnings(system: &System) -> impl Iterator<Item = Diagnostic> {
    system.services.values().filter_map(|service| {
        let is_used = system.encrypted.keys().any(|link| link.to == service.name);
        let (message, advice) = match service.tls {
            ServiceTls::Ended => return None,
            _ if !is_used => {
                let name = &service.name;
                let message = format!(
                    "`tls` of `{name}` says nothing of links: settings ask for another scheme than that of TLS"
                );
                (message, format!("a setting asks for TLS by its URL: `https://{{{name}}}`"))
            }
            ServiceTls::EndedInsecurely => {
                let message = format!(
                    "nobody checks the certificate of `{}`: clients which would refuse it do not",
                    service.name
                );
                (message, "name it, or its authority, by `tls.ca = \"cert.pem\"`".to_owned())
            }
            ServiceTls::EndedBelieving(_) | ServiceTls::Passed => return None,
        };
        Some(Diagnostic::warning(service.span.clone(), message).advice(advice))
    })
}

fn of_entry(entry: &Entry, findings: &Findings) -> ServiceTls {
    let table = match &entry.value.kind {
        Kind::Table(table) => table,
        _ if entry.value.text() == Some("pass") => return ServiceTls::Passed,
        _ if entry.value.raw() == Some("true") => return ServiceTls::Ended,
        _ => {
            findings.add(wrong_type(entry, "`true`, `\"pass\"` or a table", FORMS.to_owned()));
            return ServiceTls::default();
        }
    };
    let mut reader = Reader::new(table, "`tls`", findings);
    let ca = reader.parse("ca", |text| match text.trim() {
        "" => Err(Wrong::new("a file has a name").advice(FORMS)),
        path => Ok(path.to_owned()),
    });
    let is_insecure = reader.flag("insecure") == Some(true);
    reader.finish();
    match (ca, is_insecure) {
        (Some(_), true) => {
            let message = "where any certificate is believed, none need be named";
            let advice = "take `ca` or `insecure` away";
            findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
            ServiceTls::default()
        }
        (Some(path), false) => ServiceTls::EndedBelieving(path),
        (None, true) => ServiceTls::EndedInsecurely,
        (None, false) => ServiceTls::Ended,
    }
}

fn trust(text: &str) -> Result<(), Wrong> {
    match text {
        "env" => Ok(()),
        _ => Err(Wrong::new(format!("`{text}` is no way to be told whom to trust")).advice(
            "`trust = \"env\"` sets SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE; \
             others take the path `{run.ca}`",
        )),
    }
}
