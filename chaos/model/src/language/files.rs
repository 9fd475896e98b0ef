//! From paths to documents: the scenario, its system, and what is set over them.

use super::{
    Known, compose,
    document::{self, Entry, Table},
    findings::Findings,
    outside::DataFiles,
    overlay::{self, Override},
    scenario::Documents,
};
use crate::{Diagnostic, Set, Source, Sources, Span};
use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// The system of a folder's scenarios, unless they say otherwise.
const DEFAULT_SYSTEM: &str = "system.toml";

/// Keys of a system file, or of a scenario that brings its own services.
const SYSTEM_KEYS: [&str; 4] = ["compose", "entry", "service", "responses"];

/// A scenario's documents as they stand in the files, and with the settings laid over them.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) raw: Documents,
    pub(crate) laid: Documents,
    /// Settings of the system, over what its own file says.
    pub(crate) settings: Vec<Set>,
}

/// Reads the scenario in `file` and its system. Sources are in the order scenario, settings, system.
pub(crate) fn read(
    file: &Path,
    sets: &[Set],
    read: &dyn Fn(&Path) -> io::Result<String>,
    known: &Known<'_>,
    findings: &Findings,
) -> (Option<Read>, Sources) {
    let mut sources = Sources::default();
    let raw = text(file, read, None, &mut sources, findings).and_then(|text| document::parse(&text, 0, findings));
    let overrides: Vec<Override> = sets.iter().filter_map(|set| locate(set, &mut sources)).collect();
    let Some(raw) = raw else { return (None, sources) };
    if let Some(entry) = system_alone(&raw) {
        findings.add(no_scenario(file, entry));
        return (None, sources);
    }
    let mut laid = raw.clone();
    let inline = raw.get("entry").is_some() || raw.get("service").is_some();
    lay_all(&mut laid, overrides.iter().filter(|set| inline || !set.of_system()), findings);
    if inline {
        both_systems(&laid, findings);
        if let Some(set) = raw.get("set") {
            let message = "`[set]` changes a system in a file of its own, and the services are here";
            findings.add(Diagnostic::new(set.key_span.clone(), message).advice("write it at the service"));
        }
        let settings = overrides.iter().filter(|set| set.of_system()).map(setting).collect();
        let files = DataFiles::read(&laid, file, read);
        let alone = |scenario| Documents { scenario, system: None, compose: None, files: files.clone() };
        let (raw, laid) = (alone(raw), alone(laid));
        return (Some(Read { raw, laid, settings }), sources);
    }
    let Some((mut system, folder)) = system(file, &laid, read, &mut sources, findings) else { return (None, sources) };
    let Some(compose) = compose::read(&mut system, &folder, known, findings) else { return (None, sources) };
    let own = own_settings(&raw, findings);
    lay_all(&mut system, own.iter(), findings);
    let settings = own.iter().chain(overrides.iter().filter(|set| set.of_system())).map(setting).collect();
    let mut laid_system = system.clone();
    lay_all(&mut laid_system, overrides.iter().filter(|set| set.of_system()), findings);
    let files = DataFiles::read(&laid, file, read);
    let raw = Documents { scenario: raw, system: Some(system), compose: compose.clone(), files: files.clone() };
    let laid = Documents { scenario: laid, system: Some(laid_system), compose, files };
    (Some(Read { raw, laid, settings }), sources)
}

/// True where the system of the scenario in `file` is a Compose file. What is wrong with it is told by whoever loads it.
pub(crate) fn is_of_compose(file: &Path, read: &dyn Fn(&Path) -> io::Result<String>) -> bool {
    let (findings, mut sources) = (Findings::default(), Sources::default());
    let raw = text(file, read, None, &mut sources, &findings).and_then(|text| document::parse(&text, 0, &findings));
    let Some(raw) = raw.filter(|raw| raw.get("entry").is_none() && raw.get("service").is_none()) else { return false };
    let system = system(file, &raw, read, &mut sources, &findings);
    system.is_some_and(|(system, _)| system.get("compose").is_some())
}

fn setting(set: &Override) -> Set {
    Set { path: set.path.clone(), value: set.value.clone(), span: Some(set.path_span.clone()) }
}

/// The first of a system's keys, where a document has no other.
fn system_alone(document: &Table) -> Option<&Entry> {
    let of_system = |entry: &Entry| SYSTEM_KEYS.contains(&entry.key.as_str());
    document.entries.first().filter(|_| document.entries.iter().all(of_system))
}

fn no_scenario(file: &Path, first: &Entry) -> Diagnostic {
    let message = format!("`{}` is a system file, not a scenario", file.display());
    let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let advice = if name == DEFAULT_SYSTEM {
        "the scenarios in its folder use it: name one of them, or the folder".to_owned()
    } else {
        format!("scenarios in its folder use it by `system = \"{name}\"`: name one of them")
    };
    Diagnostic::new(first.key_span.clone(), message).advice(advice)
}

/// Gives a setting its place: the one that it has in the file, or a text of its own.
fn locate(set: &Set, sources: &mut Sources) -> Option<Override> {
    let (path, value) = (set.path.trim().to_owned(), set.value.clone());
    let in_file = set
        .span
        .clone()
        .filter(|span| sources.0.get(span.source).is_some_and(|source| source.text.get(span.range.clone()).is_some()));
    if let Some(span) = in_file {
        return Some(Override { path, path_span: span.clone(), value, value_span: span });
    }
    let source = sources.0.len();
    let text = format!("{path}={value}");
    let (path_span, value_span) =
        (Span { source, range: 0..path.len() }, Span { source, range: path.len() + 1..text.len() });
    sources.0.push(Source { name: "--set".to_owned(), text: text.into() });
    Some(Override { path, path_span, value, value_span })
}

fn lay_all<'a>(document: &mut Table, sets: impl Iterator<Item = &'a Override>, findings: &Findings) {
    for set in sets {
        if let Err(wrong) = overlay::lay(document, set) {
            findings.add(wrong.diagnostic(set.path_span.clone()));
        }
    }
}

/// Settings of the scenario for its system: of its own keys, none.
fn own_settings(scenario: &Table, findings: &Findings) -> Vec<Override> {
    let mut all = Vec::new();
    if let Some(entry) = scenario.get("set") {
        overlay::read(entry, "", &mut all, findings);
    }
    let (of_system, others): (Vec<_>, Vec<_>) = all.into_iter().partition(Override::of_system);
    for set in others {
        let message = format!("`{}` is not a setting of the system", set.path);
        let advice = "`[set]` changes services, as `\"service.gateway.env.NAME\" = \"2s\"`; all else is written where it belongs";
        findings.add(Diagnostic::new(set.path_span, message).advice(advice));
    }
    of_system
}

fn both_systems(scenario: &Table, findings: &Findings) {
    let inline = scenario.get("service").or_else(|| scenario.get("entry"));
    if let (Some(named), Some(inline)) = (scenario.get("system"), inline) {
        let message = "the system is either in a file of its own or here";
        let diagnostic =
            Diagnostic::new(named.key_span.clone(), message).also(inline.key_span.clone(), "services are here");
        findings.add(diagnostic.advice("take `system` away, or the services"));
    }
}

/// The document of the system, and the folder that paths in it count from.
fn system(
    file: &Path,
    scenario: &Table,
    read: &dyn Fn(&Path) -> io::Result<String>,
    sources: &mut Sources,
    findings: &Findings,
) -> Option<(Table, PathBuf)> {
    let named = scenario.get("system");
    let (name, place) = match named.map(|entry| (entry.value.text(), entry.value.span.clone())) {
        // Another type is refused by whoever reads the scenario.
        Some((name, span)) => (name.unwrap_or(DEFAULT_SYSTEM), Some(span)),
        None => (DEFAULT_SYSTEM, None),
    };
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    if let Some(span) = place.as_ref().filter(|_| compose::is_file(name)) {
        return Some((compose::alone(name, span), folder.to_owned()));
    }
    let path = folder.join(name);
    let text = text(&path, read, Some(place), sources, findings)?;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    Some((document::parse(&text, sources.0.len() - 1, findings)?, folder))
}

/// Reads a text and adds it to the sources. `named` is given for a system, with the place that names it, if any does.
fn text(
    path: &Path,
    read: &dyn Fn(&Path) -> io::Result<String>,
    named: Option<Option<Span>>,
    sources: &mut Sources,
    findings: &Findings,
) -> Option<String> {
    let absent = match &named {
        Some(None) => {
            "a scenario's system is `system.toml` beside it; name another by `system = \"FILE\"`, or add services here"
        }
        Some(Some(_)) => "the path is taken from the scenario's folder",
        None => "check the path; a scenario is a TOML file",
    };
    other(path, read, absent, named.flatten(), sources, findings)
}

/// Reads a text and adds it to the sources. `absent` is the advice where there is no such file, `place` what names it.
pub(crate) fn other(
    path: &Path,
    read: &dyn Fn(&Path) -> io::Result<String>,
    absent: &str,
    place: Option<Span>,
    sources: &mut Sources,
    findings: &Findings,
) -> Option<String> {
    let name = path.display().to_string();
    let source = sources.0.len();
    let result = read(path);
    let text = result.as_deref().unwrap_or_default();
    sources.0.push(Source { name: name.clone(), text: text.into() });
    let error = match result {
        Ok(text) => return Some(text),
        Err(error) => error,
    };
    let message = match error.kind() {
        ErrorKind::NotFound => format!("there is no file `{name}`"),
        ErrorKind::IsADirectory => format!("`{name}` is a folder"),
        ErrorKind::PermissionDenied => format!("`{name}` may not be read"),
        ErrorKind::InvalidData => format!("`{name}` is not UTF-8 text"),
        _ => format!("`{name}` can't be read: {error}"),
    };
    let advice = match error.kind() {
        ErrorKind::NotFound => absent,
        ErrorKind::InvalidData => "save it as UTF-8",
        _ => "name a file that can be read",
    };
    let span = place.unwrap_or(Span { source, range: 0..0 });
    findings.add(Diagnostic::new(span, message).advice(advice));
    None
}
