//! `chaos explore FILE`: faults that nobody wrote down, tried in a simulation, and a scenario for each that breaks something.

use super::read;
use crate::{
    args::{Explore, ExploreBudget, WorldName},
    exit::Exit,
    machine::Machine,
    paths, text_file,
};
use chaos_explore::{Budget, Error, Exploration, Options, Subject};
use chaos_model::{Diagnostics, Scenario, Verdict, language};
use chaos_report::Outcome;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

pub(crate) fn explore(machine: &Machine, args: &Explore) -> Exit {
    if args.world != WorldName::Sim {
        let why = "an exploration runs some thousand cases, which only a simulation has the time for: `--world sim`";
        return super::refuse("explore", why);
    }
    let text = match text_file::read(&args.file) {
        Ok(text) => text,
        Err(error) => return super::refuse("explore", &format!("can't read {}: {error}", args.file.display())),
    };
    let text = match scenario(args, &text) {
        // Mistakes in a file are shown at their place in it.
        Ok(None) if read::load(machine, &args.file, &read::sets(&args.sets)).is_none() => return Exit::Invalid,
        Ok(None) => text,
        Ok(Some(made)) => made,
        Err(why) => return super::refuse("explore", &why),
    };
    let subject = match Subject::read(&text, &args.sets) {
        Ok(subject) => subject,
        Err(why) => return super::refuse("explore", &format!("{}: {why}", args.file.display())),
    };
    match args.known.as_ref().map_or_else(|| Ok(BTreeSet::new()), |folder| names(folder)) {
        Ok(known) => match Files::open(args) {
            Ok(files) => run(machine, args, &subject, &known, files),
            Err(why) => super::refuse("explore", &why),
        },
        Err(why) => super::refuse("explore", &why),
    }
}

/// Files that the command line names, opened before anything is tried: that one can't be is a mistake in the command line.
#[derive(Default)]
struct Files {
    json: Option<Named>,
    html: Option<Named>,
}

/// A file, and its path for people.
struct Named(PathBuf, File);

impl Files {
    fn open(args: &Explore) -> Result<Self, String> {
        let open = |option: &str, path: &Option<PathBuf>| {
            let Some(path) = path.as_ref().filter(|path| path.as_path() != Path::new("-")) else { return Ok(None) };
            let no_place = |error| format!("{option}: can't write {}: {error}", path.display());
            File::create(path).map(|file| Some(Named(path.clone(), file))).map_err(no_place)
        };
        let is_stdout = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
        if is_stdout(&args.json) && is_stdout(&args.html) {
            return Err("--json and --html can't both be standard output".to_owned());
        }
        Ok(Self { json: open("--json", &args.json)?, html: open("--html", &args.html)? })
    }
}

impl Named {
    fn write(mut self, text: &str) -> Result<(), String> {
        self.1.write_all(text.as_bytes()).map_err(|error| format!("can't write {}: {error}", self.0.display()))
    }
}

/// The names of the scenarios in a folder, without their ending.
fn names(folder: &Path) -> Result<BTreeSet<String>, String> {
    let files = std::fs::read_dir(folder).map_err(|error| format!("can't read {}: {error}", folder.display()))?;
    let name = |file: io::Result<std::fs::DirEntry>| {
        let path = file.ok()?.path();
        let is_scenario = path.extension().is_some_and(|ending| ending == "toml");
        is_scenario.then(|| path.file_stem().map(|name| name.to_string_lossy().into_owned()))?
    };
    Ok(files.filter_map(name).collect())
}

fn run(machine: &Machine, args: &Explore, subject: &Subject, known: &BTreeSet<String>, files: Files) -> Exit {
    let began = Instant::now();
    let explored = read::with_known(machine, |known| {
        // Cases are read as if they lay beside the file, whose system is read once.
        let case = args.file.with_file_name("a case of chaos explore.toml");
        let texts = Mutex::new(BTreeMap::<PathBuf, String>::new());
        let read = |text: &str| -> Result<Scenario, Diagnostics> {
            let read = |path: &Path| -> io::Result<String> {
                if path == case {
                    return Ok(text.to_owned());
                }
                let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(text) = texts.get(path) {
                    return Ok(text.clone());
                }
                let text = text_file::read(path)?;
                texts.insert(path.to_owned(), text.clone());
                Ok(text)
            };
            let scenario = language::load_with(&case, &[], known, &read)?;
            WorldName::Sim.offer().check(&scenario)?;
            Ok(scenario)
        };
        let is_over = || match args.budget {
            ExploreBudget::Time(time) => began.elapsed() >= time,
            ExploreBudget::Cases(_) => false,
        };
        let cases = match args.budget {
            ExploreBudget::Cases(cases) => cases,
            ExploreBudget::Time(_) => u64::MAX,
        };
        let budget = Budget { cases, is_over: &is_over };
        let options = Options { seed: args.seed, rate: args.rate, on: &args.on, pairs: args.pairs, budget };
        chaos_explore::explore(subject, &read, machine.bundle.simulated(), &options, &mut |what: &str| {
            eprintln!("{what} …")
        })
    });
    match explored {
        Ok(mut exploration) => {
            exploration.mark_known(known);
            eprintln!("{}", speed(&exploration, began.elapsed()));
            shown(args, subject, &exploration, files)
        }
        Err(Error::Invalid(wrong)) => {
            eprint!("{}", wrong.render(machine.colour_errors, machine.width));
            Exit::Invalid
        }
        Err(Error::Subject(why)) => super::refuse("explore", &why),
        Err(Error::Unwell(why)) => {
            super::complain("explore", &format!("the system is not well without any fault: {why}"));
            Exit::Runs(Outcome::Verdict(Verdict::Inconclusive))
        }
    }
}

/// The scenario that a system's file and the requests of the command line make; none where the file is a scenario itself.
fn scenario(args: &Explore, text: &str) -> Result<Option<String>, String> {
    let name = args.file.file_name().unwrap_or_default().to_string_lossy();
    if !Subject::is_system(text) {
        let given = !args.requests.is_empty() || !args.vars.is_empty();
        let why = format!(
            "--request and --var are for a system's file, and {} is a scenario, which has a load",
            args.file.display()
        );
        return if given { Err(why) } else { Ok(None) };
    }
    if args.requests.is_empty() {
        return Err(format!(
            "{} is a system's file, which does not say what clients ask for: name a scenario, or add \
             --request 'GET /items/{{item}}' --var 'item=uniform 1..80'",
            args.file.display()
        ));
    }
    let mut made = format!("title = \"an exploration\"\nsystem = {}\n\n[load]\n", quoted(&name));
    for (name, values) in &args.vars {
        let _ = writeln!(made, "vars.{name} = {}", quoted(values));
    }
    for request in &args.requests {
        let _ = write!(made, "\n[[load.request]]\nrequest = {}\n", quoted(request));
    }
    Ok(Some(made))
}

/// A basic string of TOML, which JSON's strings are as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The report, and what was asked for in files.
fn shown(args: &Explore, subject: &Subject, exploration: &Exploration, files: Files) -> Exit {
    if let Some(folder) = &args.out
        && let Err(why) = write_all(folder, args, subject, exploration)
    {
        super::complain("explore", &why);
        return Exit::Machine;
    }
    let Ok(json) = serde_json::to_string_pretty(exploration) else { return Exit::Machine };
    let name = args.file.display().to_string();
    let page = || chaos_explore::html(exploration, &name);
    let written =
        [files.json.map(|file| file.write(&(json.clone() + "\n"))), files.html.map(|file| file.write(&page()))];
    if let Some(why) = written.into_iter().flatten().find_map(Result::err) {
        super::complain("explore", &why);
        return Exit::Machine;
    }
    let printed = match args.json.as_deref() {
        Some(path) if path == Path::new("-") => super::print("explore", (json + "\n").as_bytes()),
        _ if args.html.as_deref() == Some(Path::new("-")) => super::print("explore", page().as_bytes()),
        _ => super::print("explore", exploration.to_string().as_bytes()),
    };
    if printed != Exit::Pass {
        return printed;
    }
    let verdict = if exploration.has_news() { Verdict::Fail } else { Verdict::Pass };
    Exit::Runs(Outcome::Verdict(verdict))
}

/// Writes a scenario for each finding.
fn write_all(folder: &Path, args: &Explore, subject: &Subject, exploration: &Exploration) -> Result<(), String> {
    let no_place = |path: &Path, error: &dyn std::fmt::Display| format!("can't write {}: {error}", path.display());
    std::fs::create_dir_all(folder).map_err(|error| no_place(folder, &error))?;
    let system = system(subject, &args.file, folder).map_err(|error| no_place(folder, &error))?;
    for finding in &exploration.findings {
        let path = folder.join(format!("{}.toml", finding.name));
        if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
            return Err(no_place(&path, &"there is something that is no plain file"));
        }
        std::fs::write(&path, finding.text(subject, system.as_deref())).map_err(|error| no_place(&path, &error))?;
    }
    Ok(())
}

/// The system's file of a subject as a path from this folder; none where the services stand in the scenario.
fn system(subject: &Subject, file: &Path, folder: &Path) -> io::Result<Option<String>> {
    let Some(name) = subject.system_file() else { return Ok(None) };
    let system = std::fs::canonicalize(file.with_file_name(name))?;
    Ok(Some(paths::relative(&std::fs::canonicalize(folder)?, &system).display().to_string()))
}

/// The speed of an exploration, for whoever watches.
fn speed(exploration: &Exploration, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    // More runs than an `u32` counts are more than a machine makes in a year.
    let runs = f64::from(u32::try_from(exploration.runs).unwrap_or(u32::MAX));
    format!(
        "{} cases, {} runs in all, in {seconds:.1} s: {:.0} runs a second",
        exploration.cases,
        exploration.runs,
        runs / seconds.max(0.001)
    )
}
