//! `replicas` of a service: several instances, each of which is a service of its own, `app.1`, `app.2` and so on.

use super::{
    braces,
    document::{Entry, Table},
    findings::{Findings, Wrong},
    reader::{Reader, wrong_type},
};
use crate::{Diagnostic, Service, Start, system::Errands};
use std::collections::BTreeMap;

/// The most replicas of one service: each is a process, and each use of each has a proxy.
const MOST: usize = 32;

/// Numbers of replicas, of the services that have several.
pub(crate) fn counts(tables: &[Entry]) -> BTreeMap<&str, usize> {
    let count = |entry: &Entry| number(entry.value.table()?.get("replicas")?).filter(|count| *count > 1);
    tables.iter().filter_map(|entry| Some((entry.key.as_str(), count(entry)?))).collect()
}

/// The number, where it is one; that of a setting from outside is a text.
fn number(entry: &Entry) -> Option<usize> {
    let text = entry.value.raw().or_else(|| entry.value.text().filter(|_| entry.value.loose))?;
    text.trim().parse().ok().filter(|count| (1..=MOST).contains(count))
}

/// Reads `replicas` of a service that starts so; 1 where it has none.
pub(crate) fn read(reader: &mut Reader<'_>, start: &Start, findings: &Findings) -> usize {
    let Some(entry) = reader.entry("replicas") else { return 1 };
    if let Start::Address(_) = start {
        let message = "`replicas` belongs to what is started, and this runs already, at its `address`";
        let advice = "take it away; a service for each address has a link of its own";
        findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
        return 1;
    }
    number(entry).unwrap_or_else(|| {
        let wanted = format!("a whole number from 1 to {MOST}");
        findings.add(wrong_type_or_size(entry, &wanted));
        1
    })
}

fn wrong_type_or_size(entry: &Entry, wanted: &str) -> Diagnostic {
    let advice = "write it as `replicas = 2`".to_owned();
    match entry.value.raw() {
        Some(raw) => Diagnostic::new(entry.value.span.clone(), format!("`{raw}` is no number of replicas"))
            .advice(format!("{wanted}: {advice}")),
        None => wrong_type(entry, wanted, advice),
    }
}

/// Refuses ports that several replicas would listen on at once: each container has a machine of its own, processes have not.
pub(crate) fn fixed_ports(service: &Service, count: usize, table: &Table, findings: &Findings) {
    let own_machines = matches!(service.start, Start::Image(_));
    if count < 2 || own_machines {
        return;
    }
    let ports = table.get("ports").and_then(|entry| entry.value.table());
    for entry in ports.map(|table| table.entries.as_slice()).unwrap_or_default() {
        let name = &entry.key;
        if !service.takes_port(name) {
            let message = format!("{count} replicas can't all listen at `ports.{name}` of one machine");
            let advice = format!("give each its own: `{{self.port.{name}}}` in `env` or in `command`");
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
        }
    }
}

/// The refusal of an entry that is several.
pub(crate) fn no_entry(name: &str, count: usize) -> Wrong {
    let wrong = Wrong::new(format!("clients use one address, and `{name}` has {count} replicas"));
    wrong.advice(format!("put what spreads load before them, and make that the entry; or name one: `{name}.1`"))
}

/// The replicas of a service; itself, where it has one. Its setup is run once, with the first, and so is its teardown.
pub(crate) fn of(service: Service, count: usize) -> Vec<Service> {
    if count < 2 {
        return vec![service];
    }
    let one = |number| Service {
        name: braces::replica(&service.name, number),
        replica_of: Some(service.name.clone()),
        errands: if number == 1 { service.errands.clone() } else { Errands::default() },
        ..service.clone()
    };
    (1..=count).map(one).collect()
}
