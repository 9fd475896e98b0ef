//! The sources that a system is learnt from: what the command line names, or what lies in this folder.

use crate::{
    args::{Init, SourceKind},
    machine::Machine,
    text_file,
};
use chaos_init::{Command, EXAMPLE, is_openapi, procfile};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Names of Compose files, in the order in which Compose looks for them.
const COMPOSE_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// The usual name of a list of commands.
const PROCFILE: &str = "Procfile";

/// A system to be learnt.
#[derive(Debug)]
pub(super) enum System {
    /// Commands.
    Commands(Vec<Command>),
    /// The address of what runs already.
    Address(String),
    /// A Compose file.
    Compose(PathBuf),
    /// Nothing is here: the example is to be written, and then its commands.
    Example,
}

/// All that was named.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) system: System,
    /// An OpenAPI document, and its file.
    pub(super) document: Option<(PathBuf, Value)>,
}

/// One source.
enum Source {
    System(System),
    Document(PathBuf, Value),
}

/// The sources that the command line names, or else those of this folder.
///
/// # Errors
/// In words, for people.
pub(super) fn sources(machine: &Machine, args: &Init) -> Result<Sources, String> {
    let mut systems = Vec::new();
    let mut document = None;
    for text in &args.sources {
        match source(text, args.from)? {
            Source::System(system) => systems.push(system),
            Source::Document(..) if document.is_some() => return Err(format!("{text} is a second OpenAPI document")),
            Source::Document(file, read) => document = Some((file, read)),
        }
    }
    if !args.commands.is_empty() {
        let commands: Result<Vec<Command>, _> = args.commands.iter().map(|text| Command::parse(text)).collect();
        systems.push(System::Commands(commands.map_err(|wrong| format!("--command: {wrong}"))?));
    }
    if systems.len() > 1 {
        return Err(
            "these are several systems: name one Compose file, one Procfile, one address, or commands".to_owned()
        );
    }
    let system = match systems.pop() {
        Some(system) => system,
        None => here(machine)?,
    };
    Ok(Sources { system, document })
}

/// The system of this folder, or the example.
fn here(machine: &Machine) -> Result<System, String> {
    let has_engine = cfg!(feature = "docker") && machine.find_program("docker").is_some();
    if let Some(file) = COMPOSE_FILES.iter().find(|file| has_engine && Path::new(file).is_file()) {
        return Ok(System::Compose(PathBuf::from(file)));
    }
    if Path::new(PROCFILE).is_file() {
        return commands(Path::new(PROCFILE));
    }
    if let Some((file, _)) = EXAMPLE.iter().find(|(file, _)| Path::new(file).exists()) {
        return Err(format!(
            "there is neither a Compose file nor a Procfile here, and {file} is in the place of the example: name a system, \
             as in `chaos init --command 'shop=PORT=8000 python3 {file}'`"
        ));
    }
    if machine.find_program("python3").is_none() {
        return Err("there is neither a Compose file nor a Procfile here, and no python3, which the example takes: name a system, \
                    as in `chaos init localhost:8000`"
            .to_owned());
    }
    Ok(System::Example)
}

fn commands(file: &Path) -> Result<System, String> {
    let commands = procfile(&read(file)?).map_err(|wrong| format!("{}: {wrong}", file.display()))?;
    Ok(System::Commands(commands))
}

fn read(file: &Path) -> Result<String, String> {
    text_file::read(file).map_err(|error| format!("can't read {}: {error}", file.display()))
}

fn source(text: &str, kind: Option<SourceKind>) -> Result<Source, String> {
    let file = Path::new(text);
    let kind = match kind {
        Some(kind) => kind,
        None if file.exists() => kind_of(file)?,
        None if address(text).is_some() => SourceKind::Address,
        None => return Err(format!("there is no file {text}, and it is no address as `localhost:8000`")),
    };
    Ok(match kind {
        SourceKind::Compose => Source::System(System::Compose(file.to_owned())),
        SourceKind::Commands => Source::System(commands(file)?),
        SourceKind::Address => {
            let address =
                address(text).ok_or_else(|| format!("`{text}` is no address: write it as `localhost:8000`"))?;
            Source::System(System::Address(address))
        }
        SourceKind::Openapi => Source::Document(file.to_owned(), document(file)?),
    })
}

/// The kind of a file, by its name and by what is in it.
fn kind_of(file: &Path) -> Result<SourceKind, String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if file.is_dir() {
        return Err(format!("{} is a folder: name a file in it", file.display()));
    }
    if name.starts_with("procfile") || name.ends_with(".procfile") {
        return Ok(SourceKind::Commands);
    }
    let text = read(file)?;
    if is_openapi(&serde_json::from_str(&text).unwrap_or_default()) {
        return Ok(SourceKind::Openapi);
    }
    if name.ends_with(".yml") || name.ends_with(".yaml") {
        let mut lines = text.lines();
        let is_document = lines.any(|line| line.starts_with("openapi:") || line.starts_with("swagger:"));
        return Ok(if is_document { SourceKind::Openapi } else { SourceKind::Compose });
    }
    let what = "is neither a Compose file (.yml) nor a Procfile nor an OpenAPI document";
    Err(format!("{} {what}: if it is one, say so by --from", file.display()))
}

fn document(file: &Path) -> Result<Value, String> {
    let text = read(file)?;
    let read = match serde_json::from_str(&text) {
        Ok(document) => document,
        Err(wrong) if text.trim_start().starts_with('{') => {
            return Err(format!("{} is no JSON: {wrong}", file.display()));
        }
        Err(_) => yaml(&text).map_err(|why| format!("{} {why}", file.display()))?,
    };
    if is_openapi(&read) { Ok(read) } else { Err(format!("{} is no OpenAPI document", file.display())) }
}

#[cfg(feature = "docker")]
fn yaml(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|wrong| format!("is neither JSON nor YAML: {wrong}"))
}

#[cfg(not(feature = "docker"))]
fn yaml(_: &str) -> Result<Value, String> {
    Err("is no JSON, and this build of `chaos`, without the world `docker`, reads no YAML".to_owned())
}

/// The `host:port` of an address or of a URL.
fn address(text: &str) -> Option<String> {
    let text = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    let (host, port) = text.rsplit_once(':')?;
    let is_host = !host.is_empty() && !host.contains(['/', '@', ' ', '=']);
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    // A name of IPv6 for it may lead elsewhere than the address at which most programs listen.
    let host = if host == "localhost" { "127.0.0.1" } else { host };
    (is_host && is_port).then(|| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_urls_are_known() {
        for (text, expected) in [
            ("localhost:8000", Some("127.0.0.1:8000")),
            ("http://shop.internal:80/", Some("shop.internal:80")),
            ("shop", None),
            ("shop:", None),
            ("http://localhost:8000/path", None),
            ("https://localhost:8000", None),
        ] {
            assert_eq!(address(text).as_deref(), expected, "{text}");
        }
    }
}
