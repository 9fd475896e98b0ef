//! The language: TOML text to a checked [`Scenario`].
//!
//! A text becomes a tree with places (`document`), settings are laid over it (`overlay`), readers take it apart key by
//! key (`reader`, and a file for each part of a scenario). Whatever is wrong is collected, not thrown: a user sees all
//! mistakes at once. Guards are proven applicable by checking the scenario once more with each guard's settings.

mod address;
mod announced;
pub mod attach;
mod auth;
mod body;
pub(crate) mod bounds;
pub(crate) mod braces;
pub(crate) mod calls;
mod circles;
mod column;
mod compose;
pub(crate) mod document;
mod effect;
mod errands;
pub(crate) mod expect;
mod fault;
mod files;
pub(crate) mod findings;
mod guard;
mod image;
mod journey;
pub mod json;
mod known;
mod lifecycle;
mod load;
mod names;
pub(crate) mod nearest;
mod of;
mod only;
mod outside;
mod overlay;
mod probe;
mod proof;
pub(crate) mod protocol;
pub mod proxies;
pub(crate) mod quantity;
pub(crate) mod reader;
mod replicas;
pub(crate) mod request;
mod responses;
mod scenario;
pub mod schema;
pub(crate) mod selector;
mod stages;
mod start;
mod stops;
mod subject;
mod system;
mod target;
mod tls;
mod turns;
mod unheard;
mod unmet;
pub(crate) mod value_test;
mod when;
mod worlds;

pub use known::Known;

use crate::{Diagnostics, Scenario, Set, Sources, attach::HostPort};
use findings::{Findings, Wrong};
use std::{io, path::Path, time::Duration};

/// Reads a duration as files write it: `500ms`, `4s`.
///
/// # Errors
/// In words, with advice.
pub fn duration(text: &str) -> Result<Duration, String> {
    quantity::duration(text).map_err(in_words)
}

/// Reads `host:port`.
pub(crate) fn host_port(text: &str) -> Result<HostPort, String> {
    address::host_port(text).map_err(in_words)
}

fn in_words(Wrong { message, advice, .. }: Wrong) -> String {
    match advice {
        Some(advice) => format!("{message}: {advice}"),
        None => message,
    }
}

/// True where the system of the scenario in `file` is a Compose file, whatever else is right or wrong with it.
#[must_use]
pub fn is_of_compose(file: &Path, read: &dyn Fn(&Path) -> io::Result<String>) -> bool {
    files::is_of_compose(file, read)
}

/// Reads, parses and checks the scenario in `file`, with `sets` laid over it. `read` gives the text of a path: the
/// scenario's own and its system's.
///
/// # Errors
/// Everything that is wrong with it, together.
pub fn load(file: &Path, sets: &[Set], read: &dyn Fn(&Path) -> io::Result<String>) -> Result<Scenario, Diagnostics> {
    load_with(file, sets, &Known::BUILT_IN, read)
}

/// The same, where services can run other programs than those that `chaos` brings, or speak other protocols: these.
///
/// # Errors
/// Everything that is wrong with it, together.
pub fn load_with(
    file: &Path,
    sets: &[Set],
    known: &Known<'_>,
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Scenario, Diagnostics> {
    let findings = Findings::default();
    let (documents, sources) = files::read(file, sets, read, known, &findings);
    let checked = documents.as_ref().map(|documents| scenario::check(&documents.laid, known, &findings));
    if let (Some(documents), Some(checked)) = (&documents, &checked)
        && findings.is_empty()
        // A guard's settings are not laid over those of another.
        && sets.iter().all(|set| set.span.is_none())
    {
        proof::check(documents, &checked.guards, known, &findings);
    }
    match checked.and_then(|checked| checked.scenario) {
        Some(scenario) if findings.is_empty() => {
            let settings = documents.map(|documents| documents.settings).unwrap_or_default();
            Ok(Scenario { settings, ..placed(scenario, sources) })
        }
        _ => Err(Diagnostics { list: findings.into_sorted(), sources }),
    }
}

/// The scenario with the texts that it was read from, and each service in the folder of its file.
fn placed(mut scenario: Scenario, sources: Sources) -> Scenario {
    for service in scenario.system.services.values_mut() {
        let (file, ..) = sources.position(&service.span);
        service.folder = Path::new(file).parent().map(Path::to_owned).unwrap_or_default();
    }
    Scenario { sources, ..scenario }
}
