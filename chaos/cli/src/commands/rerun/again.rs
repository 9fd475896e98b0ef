//! One run once more: the scenario from the texts of its recording, with the secrets in it again.

use super::super::{read, run::choose};
use crate::{
    args::{Args, Command, Place, Running, WorldName},
    machine::Machine,
    text_file,
};
use chaos_model::{
    Scenario, Set, Source, Start,
    event::Begin,
    secret::{restored, secret_names},
};
use chaos_run::Options;
use clap::Parser as _;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// Names of the texts of `--set`.
const SET: &str = "--set";

/// A run that is to be made once more.
pub(super) struct Again {
    pub(super) world: WorldName,
    pub(super) scenario: Scenario,
    pub(super) options: Options,
}

impl Again {
    /// The run that began so, with these settings over its own.
    ///
    /// # Errors
    /// In words, for people: the recording does not hold all that it takes.
    pub(super) fn of(
        machine: &Machine,
        begin: &Begin,
        sets: &[(String, String)],
        running: &Running,
    ) -> Result<Self, String> {
        let file = Path::new(&begin.file);
        let texts = texts(machine, begin, sets)?;
        let sets = settings(machine, begin, sets)?;
        let world = world(begin)?;
        let running = Running { worlds: vec![world], ..running.clone() };
        // Data of the load are in no recording: they are taken as they are now.
        let beside = folder(begin);
        let text = |path: &Path| match texts.get(path) {
            Some(text) => Ok(text.clone()),
            None if path.extension().is_some_and(|end| end == "toml") => Err(io::ErrorKind::NotFound.into()),
            None => text_file::read(&beside.join(path)),
        };
        let load = |sets: &[Set]| {
            let wrong = |_| format!("{}: the recorded text is not valid for this version of chaos", begin.file);
            read::load_from(machine, file, sets, &running, &text).map_err(wrong)
        };
        let scenario = load(&read::sets(&sets))?;
        let scenario = match &begin.without {
            None => scenario,
            Some(without) => {
                let guard = scenario.guards.into_iter().find(|guard| guard.without == *without);
                let guard = guard.ok_or_else(|| format!("{}: its text has no guard `{without}`", begin.file))?;
                load(&read::sets(&sets).into_iter().chain(guard.set).collect::<Vec<_>>())?
            }
        };
        let mut scenario = choose(scenario, &begin.only).map_err(|why| format!("{}: {why}", begin.file))?;
        settle(&mut scenario, begin, world)?;
        let options = Options {
            command: begin.command.clone(),
            folder: begin.folder.clone(),
            file: begin.file.clone(),
            seed: begin.seed,
            without: begin.without.clone(),
            sets: read::texts(&sets),
            only: begin.only.clone(),
            control: begin.control,
            ..Options::default()
        };
        Ok(Self { world, scenario, options })
    }
}

/// The world of a recorded run.
///
/// # Errors
/// In words, for people: this build has no such world.
pub(super) fn world(begin: &Begin) -> Result<WorldName, String> {
    WorldName::named(&begin.world).ok_or_else(|| format!("{}: this build has no world `{}`", begin.file, begin.world))
}

/// The place of the system as the recorded command line gives it. What it allows is not in it: nobody's recording is to allow
/// anything here.
pub(super) fn place(begin: &Begin, world: WorldName) -> Place {
    let running = match Args::try_parse_from(&begin.command).map(|args| args.command) {
        Ok(Command::Run(run)) => Some(run.running.place),
        Ok(Command::Prove(prove)) => Some(prove.running.place),
        _ => None,
    };
    let given = running.unwrap_or_default();
    let folder = folder(begin);
    let mut place = Place::default();
    if world == WorldName::Attach {
        let beside = Path::new(&begin.file).with_file_name(chaos_model::language::attach::DEFAULT);
        place.attach = Some(folder.join(given.attach.unwrap_or(beside)));
    }
    #[cfg(feature = "docker")]
    if world == WorldName::Docker {
        place.images = given.images.map(|images| folder.join(images));
    }
    place
}

/// The folder that a recorded run's paths count from: the one that it was made in, where its scenario still lies there, and else
/// this one.
fn folder(begin: &Begin) -> PathBuf {
    let recorded = Path::new(&begin.folder);
    if recorded.join(&begin.file).is_file() { recorded.to_owned() } else { PathBuf::new() }
}

/// Puts services into the folders of their files, where commands need them.
fn settle(scenario: &mut Scenario, begin: &Begin, world: WorldName) -> Result<(), String> {
    if world == WorldName::Sim {
        return Ok(());
    }
    if scenario.system.compose.is_some() {
        let why = "its system is a Compose file, which no recording holds: `chaos run` runs it once more";
        return Err(format!("{}: {why}", begin.file));
    }
    let from = folder(begin);
    for service in scenario.system.services.values_mut() {
        service.folder = from.join(&service.folder);
        if matches!(service.start, Start::Command(_)) && !from.join(&begin.file).is_file() {
            let (file, name, folder) = (&begin.file, &service.name, &begin.folder);
            return Err(format!(
                "`{name}` is a command, and runs in the folder of its file: {file} is neither in {folder}, where the run was made, \
                 nor in this folder"
            ));
        }
    }
    Ok(())
}

/// The texts that the run was read from, by their names, with the secrets in them again.
///
/// # Errors
/// In words, for people: they are not in the recording, or secrets are missing.
fn texts(machine: &Machine, begin: &Begin, sets: &[(String, String)]) -> Result<BTreeMap<PathBuf, String>, String> {
    let sources = begin.plan.sources.0.iter().filter(|source| source.name != SET);
    let folder = folder(begin);
    let is_set =
        |place: &&String| place.split_once(": ").is_none_or(|(_, name)| sets.iter().all(|(path, _)| path != name));
    let masked: Vec<String> = begin.plan.masked.iter().filter(is_set).cloned().collect();
    let (mut texts, mut missing) = (BTreeMap::new(), Vec::new());
    for source in sources {
        let now = text_file::read(&folder.join(&source.name)).ok();
        match restored(source, &masked, now.as_deref(), &|name| machine.env.get(name).cloned()) {
            Ok(text) => drop(texts.insert(PathBuf::from(&source.name), text)),
            Err(places) => missing.extend(places),
        }
    }
    if texts.is_empty() && missing.is_empty() {
        return Err(format!("{}: the recording has no text of its scenario: an older chaos made it", begin.file));
    }
    if missing.is_empty() { Ok(texts) } else { Err(hidden(begin, &missing)) }
}

/// The settings of the run, with the secrets in them again, and with these over them.
///
/// # Errors
/// In words, for people: secrets are missing.
fn settings(machine: &Machine, begin: &Begin, sets: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
    let (mut all, mut missing) = (Vec::new(), Vec::new());
    for set in &begin.sets {
        let path = set.split_once('=').map_or(set.as_str(), |(path, _)| path).trim().to_owned();
        if let Some(anew) = sets.iter().rfind(|(other, _)| *other == path) {
            all.push(anew.clone());
            continue;
        }
        let source = Source { name: SET.to_owned(), text: set.as_str().into() };
        // All settings have one name: of this one are those places whose secrets it has.
        let places = secret_names(set).into_iter().map(|name| format!("{SET}:1: {name}"));
        let masked: Vec<String> = places.filter(|place| begin.plan.masked.contains(place)).collect();
        match restored(&source, &masked, None, &|name| machine.env.get(name).cloned()) {
            Ok(text) => all.extend(text.split_once('=').map(|(_, value)| (path, value.to_owned()))),
            Err(places) => missing.extend(places),
        }
    }
    if !missing.is_empty() {
        return Err(hidden(begin, &missing));
    }
    let own = |path: &String| all.iter().any(|(other, _)| other == path);
    let more: Vec<_> = sets.iter().filter(|(path, _)| !own(path)).cloned().collect();
    Ok(all.into_iter().chain(more).collect())
}

/// The refusal of a run whose recording holds something back.
fn hidden(begin: &Begin, missing: &[String]) -> String {
    let list = missing.iter().fold(String::new(), |list, place| format!("{list}\n  {place}"));
    let folder = folder(begin);
    let folder = if folder.as_os_str().is_empty() { "this folder".to_owned() } else { folder.display().to_string() };
    format!(
        "{}: a recording holds no secrets, and these are neither in the files (in {folder}) nor in the environment:{list}\n\
         put the files back, or give each by --set KEY=VALUE, or a service's by the variable of its name",
        begin.file
    )
}
