//! `chaos init SOURCE…`: looks at a system, and writes its file and first scenarios.

mod files;
mod lab;
mod source;

use crate::{
    args::{Init, Place, WorldName},
    exit::Exit,
    machine::Machine,
};
use chaos_init::{
    Draft, EXAMPLE, Heard, LoadDraft, Runs, Seen, ServiceDraft, Table, procfile,
    scenario::{self, LinkDraft, Normal},
};
use chaos_model::Verdict;
use chaos_report::Outcome;
use files::Folder;
use lab::{Lab, Unseen};
use source::{Sources, System};
use std::path::{Path, PathBuf};

/// The length of a first look and of a baseline, in seconds.
const LOOK: u32 = 2;
const BASELINE: u32 = 5;

/// Baselines that are looked at, each without the requests that were not served in the one before.
const MOST_BASELINES: usize = 3;

/// Reasons to end before there are files.
enum Ended {
    /// The command line, or what it names, is not valid: in words.
    Refused(String),
    /// The machine refuses: in words.
    Machine(String),
    /// The system is not well without any fault: in words.
    Unwell(String),
    /// A run showed nothing.
    Unseen(Unseen),
}

impl From<Unseen> for Ended {
    fn from(unseen: Unseen) -> Self {
        Self::Unseen(unseen)
    }
}

pub(crate) fn init(machine: &Machine, args: &Init) -> Exit {
    match prepared(machine, args) {
        Ok((draft, sources, _folder)) => super::in_runtime("init", async move || {
            Ok(match Box::pin(learn(machine, args, draft, sources)).await {
                Ok(()) => Exit::Pass,
                Err(ended) => exit(ended),
            })
        }),
        Err(ended) => exit(ended),
    }
}

fn exit(ended: Ended) -> Exit {
    match ended {
        Ended::Refused(why) => super::refuse("init", &why),
        Ended::Machine(why) => {
            super::complain("init", &why);
            Exit::Machine
        }
        Ended::Unwell(why) => {
            super::complain(
                "init",
                &format!("the system is not well without any fault: {why}; no scenario was written"),
            );
            Exit::Runs(Outcome::Verdict(Verdict::Inconclusive))
        }
        Ended::Unseen(Unseen::Invalid) => Exit::Invalid,
        Ended::Unseen(Unseen::Failed) => {
            let advice = "the system could not be run, so that no scenario was written. A service has to listen at the port that it is \
                          told: by the variable PORT, or where `{self.port}` stands in its command";
            super::complain("init", advice);
            Exit::Machine
        }
        Ended::Unseen(Unseen::Interrupted) => Exit::Runs(Outcome::Interrupted),
    }
}

/// All that is known before anything runs: the draft of the system, its sources and its folder.
fn prepared<'a>(machine: &Machine, args: &'a Init) -> Result<(Draft, Sources, Folder<'a>), Ended> {
    if args.requests.is_empty() && !args.vars.is_empty() {
        return Err(Ended::Refused("--var is for the requests of --request".to_owned()));
    }
    let sources = source::sources(machine, args).map_err(Ended::Refused)?;
    files::are_free([args.out.join("system.toml").as_path()]).map_err(Ended::Refused)?;
    let folder = Folder::make(&args.out).map_err(Ended::Machine)?;
    let draft = draft(machine, args, &sources.system, &folder)?;
    Ok((draft, sources, folder))
}

fn draft(machine: &Machine, args: &Init, system: &System, folder: &Folder<'_>) -> Result<Draft, Ended> {
    let refused = |wrong: chaos_init::CommandError| Ended::Refused(wrong.to_string());
    match system {
        System::Commands(commands) => {
            let draft = chaos_init::draft(commands, args.entry.as_deref()).map_err(refused)?;
            let here = folder.path_to(Path::new(".")).map_err(Ended::Machine)?;
            Ok(Draft { working_dir: Some(here), ..draft })
        }
        System::Address(address) => {
            let name = args.entry.clone().unwrap_or_else(|| "app".to_owned());
            let service = ServiceDraft::new(name.clone(), Runs::Already(address.clone()));
            Ok(Draft { services: vec![service], ..Draft::new(name) })
        }
        System::Compose(file) => of_compose(machine, args, file, folder),
        System::Example => {
            let files: Vec<(PathBuf, String)> =
                EXAMPLE.iter().map(|(name, text)| (PathBuf::from(name), (*text).to_owned())).collect();
            files::write(&files).map_err(Ended::Refused)?;
            println!("there is no system here: wrote an example ({})", names(files.iter().map(|(path, _)| path)));
            let text = EXAMPLE.iter().find(|(name, _)| *name == "Procfile").map_or("", |(_, text)| text);
            let commands = procfile(text).map_err(refused)?;
            draft(machine, args, &System::Commands(commands), folder)
        }
    }
}

#[cfg(not(feature = "docker"))]
fn of_compose(_: &Machine, _: &Init, _: &Path, _: &Folder<'_>) -> Result<Draft, Ended> {
    Err(Ended::Refused("this build of `chaos` comes without the world `docker`, which runs Compose files".to_owned()))
}

/// The services of a Compose file, as this machine's Compose reads it.
#[cfg(feature = "docker")]
fn of_compose(machine: &Machine, args: &Init, file: &Path, folder: &Folder<'_>) -> Result<Draft, Ended> {
    let profiles = machine.env.get("COMPOSE_PROFILES").map_or("", String::as_str);
    let read = machine.normalised_compose(file);
    let read = read.and_then(|document| chaos_model::Compose::read(file.to_owned(), document, profiles));
    let compose = read.map_err(|why| Ended::Refused(format!("Compose does not take {}: {why}", file.display())))?;
    let entry = match &args.entry {
        Some(entry) if compose.services.contains_key(entry) => entry.clone(),
        Some(entry) => return Err(Ended::Refused(format!("{} has no service `{entry}`", file.display()))),
        None => compose.entry().map(str::to_owned).map_err(|several| {
            let why = match several.as_slice() {
                [] => "no service publishes a port".to_owned(),
                several => format!("several services publish ports ({})", several.join(", ")),
            };
            Ended::Refused(format!("{}: {why}: say which one clients use by --entry NAME", file.display()))
        })?,
    };
    let services = compose.services.iter().filter(|(_, service)| !service.is_task);
    let services = services.map(|(name, _)| ServiceDraft::new(name.clone(), Runs::Compose)).collect();
    let compose = Some(folder.path_to(file).map_err(Ended::Machine)?);
    Ok(Draft { services, compose, ..Draft::new(entry) })
}

/// The world that a system runs in.
fn world(draft: &Draft) -> WorldName {
    #[cfg(feature = "docker")]
    if draft.compose.is_some() {
        return WorldName::Docker;
    }
    // Without that world, no such system is drafted.
    let _ = draft;
    WorldName::Local
}

async fn learn(machine: &Machine, args: &Init, mut draft: Draft, sources: Sources) -> Result<(), Ended> {
    let place = Place {
        allow_remote_targets: args.allow_remote_targets,
        #[cfg(feature = "docker")]
        images: args.images.clone(),
        ..Place::default()
    };
    let lab = Lab::new(machine, world(&draft), &place, &args.out).map_err(Ended::Machine)?;
    let reads_alone = matches!(sources.system, System::Address(_));
    let (mut load, heard) = first_look(&lab, args, &mut draft, &sources, reads_alone).await?;
    if let Some(ready) = heard.ready() {
        let entry = draft.entry.clone();
        // A Compose file has its own health checks.
        let of_entry = draft.services.iter_mut().filter(|one| one.name == entry && one.runs != Runs::Compose);
        of_entry.for_each(|one| one.ready = Some(ready.to_owned()));
    }
    let (seen, normal) = baseline(&lab, args.rate, &mut draft, &mut load).await?;
    let links = links(&draft, &seen);
    let written = write(args, &draft, &load, &links, normal)?;
    run_each(&lab, &links, &written).await
}

/// Looks whether it can be run, what is spoken, and what clients can ask for.
async fn first_look(
    lab: &Lab<'_>,
    args: &Init,
    draft: &mut Draft,
    sources: &Sources,
    reads_alone: bool,
) -> Result<(LoadDraft, Heard), Ended> {
    let services: Vec<&str> = draft.services.iter().map(|service| service.name.as_str()).collect();
    println!("looking at {} …", services.join(", "));
    let look = scenario::healthy("a first look", &LoadDraft::look(), 40, LOOK);
    let (seen, heard) = Box::pin(lab.look(&look, &draft.text())).await?;
    if !heard.is_something() {
        let why = format!("{} gave no response of HTTP to any request, and a load is requests of HTTP", draft.entry);
        return Err(Ended::Unwell(why));
    }
    draft.hear(&seen);
    let load = if !args.requests.is_empty() {
        LoadDraft::of(&args.requests, &args.vars, "")
    } else if let Some((file, document)) = &sources.document {
        let load = chaos_init::openapi(document, &format!("the operations of {}", file.display()), reads_alone);
        load.map_err(|why| Ended::Refused(format!("{}: {why}", file.display())))?
    } else {
        let found = heard.document();
        let found = found.and_then(|(path, document)| {
            chaos_init::openapi(document, &format!("the operations of {path}, as {} has it", draft.entry), reads_alone)
                .ok()
        });
        found.map_or_else(|| without_document(&heard, &draft.entry), Ok)?
    };
    Ok((load, heard))
}

/// The load of a system of which nobody says what clients ask for.
fn without_document(heard: &Heard, entry: &str) -> Result<LoadDraft, Ended> {
    let path = heard.path().ok_or_else(|| {
        let why = format!("nothing says what clients ask {entry} for: say it by --request 'GET /items/{{item}}' --var 'item=uniform 1..80'");
        Ended::Refused(why)
    })?;
    let from = "a guess, since there is no OpenAPI document; put those of your clients in its place";
    Ok(LoadDraft::of(&[format!("GET {path}")], &[], from))
}

/// Looks at what is normal, with the requests that are served alone.
async fn baseline(lab: &Lab<'_>, rate: u32, draft: &mut Draft, load: &mut LoadDraft) -> Result<(Seen, Normal), Ended> {
    for _ in 0..MOST_BASELINES {
        println!("what is normal: {} for {BASELINE}s, at {rate} a second …", count(load.requests.len(), "request"));
        let text = scenario::healthy("a baseline", load, rate, BASELINE);
        let (seen, heard) = Box::pin(lab.look(&text, &draft.text())).await?;
        draft.hear(&seen);
        let before = load.left_out.len();
        if load.leave_out_unserved(&heard) {
            for (line, why) in &load.left_out[before..] {
                println!("  left out: {line} ({why})");
            }
            if load.requests.is_empty() {
                return Err(Ended::Unwell("no request is served".to_owned()));
            }
            continue;
        }
        let normal = seen.run.as_ref().and_then(Normal::of).filter(|normal| !normal.is_poor());
        let figures =
            || seen.run.as_ref().map_or(String::new(), |run| format!("{} responses were good", run.availability()));
        let normal = normal.ok_or_else(|| Ended::Unwell(figures()))?;
        draft.serves_below_400 = heard.serves_below_400();
        println!("  {}", normal.words());
        let spoken = draft.spoken_words();
        if !spoken.is_empty() {
            println!("  {spoken}");
        }
        return Ok((seen, normal));
    }
    Err(Ended::Unwell("other requests are not served each time".to_owned()))
}

/// The links that are to be broken: those that were used between services; without any, that of the clients.
fn links(draft: &Draft, seen: &Seen) -> Vec<LinkDraft> {
    let protocol = |link: &str| {
        let to = link.split_once(" -> ").map_or(link, |(_, to)| to);
        let to = to.split_once('#').map_or(to, |(to, _)| to);
        let to = to.split_once('.').map_or(to, |(to, _)| to);
        let service = draft.services.iter().find(|service| service.name == to);
        service.and_then(|service| service.spoken.as_ref()).map_or("tcp", chaos_init::Spoken::protocol).to_owned()
    };
    let link = |link: &str| LinkDraft { link: link.to_owned(), protocol: protocol(link) };
    let used: Vec<LinkDraft> = seen.used().map(link).collect();
    if !used.is_empty() {
        println!("  used: {}", used.iter().map(|link| link.link.as_str()).collect::<Vec<_>>().join(", "));
        return used;
    }
    println!("  no service was seen to use another, so that the way of the clients is broken");
    vec![link(&format!("client -> {}", draft.entry))]
}

/// Writes the files; gives those of the scenarios.
fn write(
    args: &Init,
    draft: &Draft,
    load: &LoadDraft,
    links: &[LinkDraft],
    normal: Normal,
) -> Result<Vec<PathBuf>, Ended> {
    let system = (args.out.join("system.toml"), draft.text());
    let scenario = |link: &LinkDraft| {
        (args.out.join(format!("{}.toml", link.stem())), scenario::text(link, load, args.rate, normal))
    };
    let scenarios: Vec<(PathBuf, String)> = links.iter().map(scenario).collect();
    let paths = scenarios.iter().map(|(path, _)| path.clone()).collect();
    let all: Vec<(PathBuf, String)> = std::iter::once(system).chain(scenarios).collect();
    files::write(&all).map_err(Ended::Refused)?;
    println!("wrote {}", names(all.iter().map(|(path, _)| path)));
    Ok(paths)
}

/// Runs each scenario once, and says what came of it.
async fn run_each(lab: &Lab<'_>, links: &[LinkDraft], files: &[PathBuf]) -> Result<(), Ended> {
    let mut table = Table::default();
    for (link, file) in links.iter().zip(files) {
        println!("running {}, for {}s …", file.display(), scenario::lasts());
        let seen = Box::pin(lab.run_file(file)).await?;
        table.add(&link.link, &file.display().to_string(), seen);
    }
    let folder = files.first().and_then(|file| file.parent()).unwrap_or(Path::new("chaos"));
    let named = if folder == Path::new("chaos") { String::new() } else { format!(" {}", folder.display()) };
    println!("\n{table}");
    match table.findings() {
        0 if table.is_sure() => println!("Nothing was found: all that was expected held."),
        0 => println!("Nothing was found, but not all could be told: what could not stands above."),
        findings => println!(
            "{}. What is expected is yours to say: change the files where they ask for too much.",
            count(findings, "finding")
        ),
    }
    println!(
        "\nfrom here:\n  chaos run{named}\n  chaos run{named} --json run.jsonl; chaos report run.jsonl --html report.html"
    );
    Ok(())
}

fn names<'p>(paths: impl Iterator<Item = &'p PathBuf>) -> String {
    paths.map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
