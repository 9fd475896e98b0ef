//! From paths to checked scenarios.

use super::attached;
use crate::{
    args::{Run, Running, WorldName},
    machine::Machine,
};
use chaos_model::{
    Diagnostics, Scenario, Set,
    language::{self, Known},
};
use chaos_report::results::Invalid;
use chaos_run::Options;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Columns of what reports tell.
const WIDTH: usize = 80;

/// Files of the system's, which lie beside the scenarios.
const SYSTEM: &str = "system.toml";

/// The usual name of the file that says where a system runs.
const ATTACH: &str = language::attach::DEFAULT;

/// The folder that is meant where no file is named: where `chaos init` writes.
const FOLDER: &str = "chaos";

/// The scenario files that are meant: files as given, folders by their `.toml` files, in the order of their names; without any
/// path, those of the folder `chaos`.
///
/// # Errors
/// In words, for people: what can't be read, or has no scenario in it.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let usual = [PathBuf::from(FOLDER)];
    let paths = if paths.is_empty() { &usual } else { paths };
    if paths == usual && !usual[0].is_dir() {
        return Err(format!(
            "name a scenario, or a folder of them: there is no folder `{FOLDER}` here, which is taken without a name \
             (`chaos init` writes one)"
        ));
    }
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut found = folder(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
        if found.is_empty() {
            return Err(format!("{} has no scenario in it (files that end in .toml)", path.display()));
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

fn folder(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_other = |other| name == other || name.ends_with(&format!(".{other}"));
        if name.ends_with(".toml") && ![SYSTEM, ATTACH].into_iter().any(is_other) && path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

/// The options of a run, with the world that its scenarios ask for where the command line names none.
///
/// # Errors
/// In words, for people: they ask for different ones.
pub(crate) fn in_their_world(running: &Running, files: &[PathBuf]) -> Result<Running, String> {
    if !running.worlds.is_empty() {
        return Ok(running.clone());
    }
    let of_compose: Vec<bool> =
        files.iter().map(|file| language::is_of_compose(file, &crate::text_file::read)).collect();
    let differ = of_compose.contains(&true) && of_compose.contains(&false);
    if differ {
        return Err(
            "some of these scenarios have a Compose file as their system, which `docker` runs, and others run in \
                    `local`: run them apart, or say which by --world"
                .to_owned(),
        );
    }
    #[cfg(feature = "docker")]
    if of_compose.contains(&true) {
        return Ok(Running { worlds: vec![WorldName::Docker], ..running.clone() });
    }
    Ok(Running { worlds: vec![WorldName::Local], ..running.clone() })
}

/// The settings of the command line.
pub(crate) fn sets(pairs: &[(String, String)]) -> Vec<Set> {
    let set = |(path, value): &(String, String)| Set { path: path.clone(), value: value.clone(), span: None };
    pairs.iter().map(set).collect()
}

/// The settings of the command line, each as it was given.
pub(crate) fn texts(pairs: &[(String, String)]) -> Vec<String> {
    pairs.iter().map(|(path, value)| format!("{path}={value}")).collect()
}

/// The options of a scenario's run, as the command line asks.
pub(super) fn options(file: &Path, args: &Run) -> Options {
    Options {
        file: file.display().to_string(),
        sets: texts(&args.reading.sets),
        only: args.expect.clone(),
        hold: args.keep,
        ..Options::default()
    }
}

/// Loads a scenario that is to be run; tells what is wrong with it, also in the world that it is to run in.
///
/// # Errors
/// The mistakes, for reports; people have been told.
pub(crate) fn load_to_run(
    machine: &Machine,
    file: &Path,
    sets: &[Set],
    running: &Running,
) -> Result<Scenario, Invalid> {
    load_from(machine, file, sets, running, &crate::text_file::read)
}

/// The same, where `texts` gives the text of a path.
///
/// # Errors
/// The mistakes, for reports; people have been told.
pub(super) fn load_from(
    machine: &Machine,
    file: &Path,
    sets: &[Set],
    running: &Running,
    texts: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Scenario, Invalid> {
    let attached = |scenario: &Scenario, world: &WorldName| match world {
        WorldName::Attach => attached::load(scenario, running).map(drop),
        _ => Ok(()),
    };
    let read = read(machine, file, sets, texts).and_then(|scenario| {
        let more = |world: &WorldName| attached(&scenario, world);
        unfit(&scenario, &running.worlds, more).map_or(Ok(()), Err)?;
        Ok(scenario)
    });
    read.map_err(|wrong| {
        tell(machine, &wrong);
        invalid(file, &wrong)
    })
}

/// The mistakes of a scenario, for reports.
fn invalid(file: &Path, wrong: &Diagnostics) -> Invalid {
    let place = wrong.list.first().map(|first| {
        let (file, line, _) = wrong.sources.position(&first.span);
        (file.to_owned(), line)
    });
    Invalid { file: file.display().to_string(), why: wrong.render(false, WIDTH), place }
}

/// Tells people what is wrong.
fn tell(machine: &Machine, wrong: &Diagnostics) {
    eprint!("{}", wrong.render(machine.colour_errors, machine.width));
}

/// Checks that these worlds can run a scenario, by what their types say and by `more`, without starting anything; tells on
/// standard error what they can't.
pub(crate) fn fits(
    machine: &Machine,
    scenario: &Scenario,
    worlds: &[WorldName],
    more: impl Fn(&WorldName) -> Result<(), Diagnostics>,
) -> bool {
    let wrong = unfit(scenario, worlds, more);
    wrong.iter().for_each(|wrong| tell(machine, wrong));
    wrong.is_none()
}

/// Mistakes of a scenario by the first of these worlds that can't run it.
fn unfit(
    scenario: &Scenario,
    worlds: &[WorldName],
    more: impl Fn(&WorldName) -> Result<(), Diagnostics>,
) -> Option<Diagnostics> {
    worlds.iter().find_map(|world| world.offer().check(scenario).and_then(|()| more(world)).err())
}

/// Loads a scenario; tells what is wrong with it on standard error.
pub(crate) fn load(machine: &Machine, file: &Path, sets: &[Set]) -> Option<Scenario> {
    read(machine, file, sets, &crate::text_file::read).map_err(|wrong| tell(machine, &wrong)).ok()
}

fn read(
    machine: &Machine,
    file: &Path,
    sets: &[Set],
    texts: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Scenario, Diagnostics> {
    with_known(machine, |known| language::load_with(file, sets, known, texts))
}

/// Gives `use_it` the words of this build: what its files may name.
pub(crate) fn with_known<T>(machine: &Machine, use_it: impl FnOnce(&Known<'_>) -> T) -> T {
    let bundle = &machine.bundle;
    let (programs, worlds) = (bundle.known_programs(), WorldName::known());
    let (protocols, checks) = (bundle.all_protocols(), bundle.all_checks());
    let variable = |name: &str| machine.env.get(name).cloned();
    let compose = |file: &Path| machine.normalised_compose(file);
    use_it(&Known {
        programs: &programs,
        protocols: &protocols,
        checks: &checks,
        worlds: Some(&worlds),
        variable: &variable,
        compose: &compose,
    })
}
