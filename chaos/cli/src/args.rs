//! The command line, as people write it.

mod explore;
#[cfg(feature = "init")]
mod init;
mod proxy;

use chaos_report::reports::{REPORTS, Row};
use chaos_run::{Offer, Runtime as _};
use chaos_sim::SimRuntime;
#[cfg(feature = "docker")]
use chaos_worlds::docker::DockerRuntime;
use chaos_worlds::{OFFERS, attach::AttachedRuntime, local::LocalRuntime};
use clap::{
    Args as Arguments, Parser, Subcommand, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser},
};
pub(crate) use explore::{Explore, ExploreBudget};
#[cfg(feature = "init")]
pub(crate) use init::{Init, SourceKind};
pub(crate) use proxy::Proxy;
use std::path::{Path, PathBuf};

const AFTER: &str = "\
Exit codes:
  0    every expectation held
  1    an expectation failed; with --control, a scenario shows nothing; with several worlds, verdicts differ
  2    a scenario or the command line is not valid; nothing was started
  3    the system could not be started or broken as asked
  4    inconclusive: a fault never fired, too few requests, the load was not reached
  130  interrupted
A folder exits by the worst of its scenarios, in the order 2, 3, 1, 4, 0.

A scenario can start programs of your machine (`command`): treat it as code.";

const HEAL: &str = "\
A run is alive while its runner or its supervisor is. Nothing of such runs is touched, nothing of other users, and no folder
but those in which a run has left its record.

Exit codes: 0 nothing was found, or all of it was removed; 3 something could not be removed.";

const DOCTOR: &str = "\
Nothing is started but containers' engine is asked, and nothing is kept.

Exit codes: 0 the worlds that were asked for are ready, or none was; 3 one is not.";

const REPORT: &str = "\
A recording that was cut off is reported as far as it goes.

Exit codes: those of the recorded scenarios, by the worst of them, where guards and controls count as `chaos prove` and `chaos run
--control` count them; 2 a file is no recording, or one of another version; 130 a run was interrupted, or its recording ends
before it does.";

const RERUN: &str = "\
What a recording masks, as it holds no secrets, comes from the files again where they are still there, from the environment
(NAME for `service.S.env.NAME`) or by --set; else nothing is started, and what is missing is named. What may be done to
others (--allow-remote-targets, --allow-unhealed) is allowed anew.

A recording says which programs of your machine are started (`command`): treat it as code.

Exit codes: those of `chaos run`; 0 too where --failed finds nothing to run.";

const EXPLORE: &str = "\
A healthy run shows links, kinds of messages and what responses have. Each fault is then judged by what holds whatever breaks: good
responses, in time, that lack nothing unmarked and are about what was asked for, as before soon after the end, and no more than
one and a half times the calls; and by the scenario's own expectations of `during = \"run\"`.

The same command prints the same, byte for byte, unless its budget is a time. What is being done, and how fast, is told on
standard error.

Exit codes: 0 nothing was found, or what is known (--known); 1 something was; 2 the scenario or the command line is not valid; 4 the system is not well
without any fault.";

#[cfg(feature = "init")]
const INIT: &str = "\
  chaos init docker-compose.yml
  chaos init Procfile                            # lines `name: command`
  chaos init --command 'stock=./stock --port 9001' \\
             --command 'shop=PORT=8000 STOCK_URL=http://localhost:9001 ./shop'
  chaos init localhost:8000 openapi.json         # what runs already; requests from a document
Without a SOURCE: the Compose file or the Procfile in this folder, or else an example, which is written beside what is found
with it.

Commands are run as they are, in this folder, but for their ports: where one is told of the port of another, that is a link, and
`chaos` puts a proxy on it. Addresses of this machine at which none of them listens are services that run already.

Nothing that exists is overwritten.

Exit codes: 0 the files were written, and their scenarios run, whatever came of these; 2 SOURCE or the command line is not valid,
or there are such files already; 3 the system could not be started; 4 it is not well without any fault; 130 interrupted.";

const PROXY: &str = "\
FILE says where the proxies stand, and nobody who steers them can change it:
  [control]
  listen     = \"127.0.0.1:8400\"      # as without it; 0.0.0.0 in a container
  token-file = \"token\"               # made anew at each start, mode 0600

  [[link]]
  name     = \"gateway -> redis\"      # as scenarios write it
  listen   = \"127.0.0.1:16379\"
  target   = \"redis:6379\"
  protocol = \"redis\"                 # http, redis or tcp (as without it)
  max-connections = 500              # further ones are reset, and counted; 10000 unless it says so

  [targets]
  allow = [\"cache.example.com:6379\"] # that are not local: with --allow-remote-targets alone

Local are loopback and private networks (RFC 1918, RFC 4193), by the address that a name has when it is dialled.

With --toxiproxy, clients of Toxiproxy make the proxies: chaos proxy --toxiproxy 127.0.0.1:8474. Of FILE, only [targets] is
read then. Docs: From Toxiproxy.

Exit codes: 0 ended by a signal, or well; 1 not well (--health); 2 FILE is not valid; 3 the machine refused.";

const COMPLETIONS: &str = "\
bash: chaos completions bash > ~/.local/share/bash-completion/completions/chaos
zsh:  chaos completions zsh > a folder of your $fpath/_chaos
fish: chaos completions fish > ~/.config/fish/completions/chaos.fish";

/// Breaks a system on purpose, watches what its users would see, and says whether that was acceptable.
#[derive(Debug, Parser)]
#[command(name = "chaos", version, after_help = AFTER, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Colours: by the terminal, always or never (NO_COLOR is heard too)
    #[arg(long = "color", global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) colour: Colour,
}

/// The use of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the system, put load on it, break it, judge what clients saw, heal it
    Run(Run),
    /// Take away each protection that a scenario names, and show that exactly the named expectations break
    Prove(Prove),
    /// Look at a system: run it, see which links it uses and what is normal, and write its file and first scenarios for these
    #[cfg(feature = "init")]
    #[command(after_help = INIT)]
    Init(Init),
    /// Try faults that nobody wrote down, one by one and two by two, in a simulation; shrink what breaks the system to scenarios
    #[command(after_help = EXPLORE)]
    Explore(Explore),
    /// Look for mistakes in scenarios; starts nothing
    Check(Check),
    /// Show what a scenario would do: services, links, timeline, expectations; starts nothing
    Explain(Explain),
    /// Report recorded runs once more: what they printed from the table of phases on, or another report
    #[command(after_help = REPORT)]
    Report(Report),
    /// Make recorded runs once more, from the recordings alone: the same texts, settings and seeds, in the same worlds
    #[command(after_help = RERUN)]
    Rerun(Rerun),
    /// Measure what this machine can do: what an idle proxy adds, how exact delays, rates and shares are, and whether
    /// delays throttle (some ten seconds)
    Calibrate(Calibrate),
    /// Tell what this machine can do: which worlds it is ready for, what is missing, how to get it, and what earlier runs left
    #[command(after_help = DOCTOR)]
    Doctor(Doctor),
    /// Find and remove what killed runs have left behind: their processes, containers, networks and volumes, and their folders
    /// in TMPDIR
    #[command(after_help = HEAL)]
    Cleanup(Cleanup),
    /// Run proxies on the links of a system that runs already, steered over a control API, in the foreground
    #[command(after_help = PROXY)]
    Proxy(Proxy),
    /// Run one of the programs that this build brings in the foreground
    Serve(Serve),
    /// Print a script by which a shell completes the command line
    #[command(after_help = COMPLETIONS)]
    Completions(Completions),
    /// Print a manual page, or write all of them
    Man(Man),
    /// Print the JSON Schema of a kind of file, by which editors complete and check it
    Schema(Schema),
    #[command(hide = true)]
    Supervisor,
    #[command(hide = true)]
    Service(Service),
}

/// Options of reading scenarios.
#[derive(Clone, Debug, Arguments)]
pub(crate) struct Reading {
    /// Scenario files, or folders of them; without any, the folder `chaos`
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Override a setting, as `load.rate=500/s` or `service.redis.program=redis-built-in`; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) sets: Vec<(String, String)>,
}

/// Options of running scenarios.
#[derive(Clone, Debug, Arguments)]
pub(crate) struct Running {
    /// The world that the system runs in: `local`, unless it is said, and `docker` for a Compose file; `run` takes several (`sim,local`), runs in each in turn with the same seed, and compares:
    /// the exit code is 1 where verdicts differ
    #[arg(long = "world", value_name = "WORLD", value_delimiter = ',')]
    pub(crate) worlds: Vec<WorldName>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// The seed of every draw: arrivals, variables, jitter, shares
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) outputs: Outputs,
}

/// Options of where a system runs: what this machine has of it, and may do to it.
#[derive(Clone, Debug, Default, Arguments)]
pub(crate) struct Place {
    /// For the world `attach`: where the system runs, in place of `attach.toml` beside the scenario
    #[arg(long, value_name = "FILE")]
    pub(crate) attach: Option<PathBuf>,
    /// For the world `attach`, and for services at an `address`: use addresses that are neither this machine's nor of a
    /// private network
    #[arg(long)]
    pub(crate) allow_remote_targets: bool,
    /// For the world `attach`: let faults take away what can't be given back: `kill` what a service has in memory
    /// alone, `flush` what a Redis has
    #[arg(long)]
    pub(crate) allow_unhealed: bool,
    /// For the world `docker`: where the names of images are, as scripts/base-images writes them (as without it:
    /// `.images.env` in this folder, if it is there); CHAOS_IMAGE and REDIS_IMAGE in the environment come first
    #[cfg(feature = "docker")]
    #[arg(long, value_name = "FILE")]
    pub(crate) images: Option<PathBuf>,
}

/// Options of what is written of runs besides what people read.
#[derive(Clone, Debug, Default, Arguments)]
pub(crate) struct Outputs {
    /// Write the events of the run to this file, one JSON object a line (`-` is standard output)
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write what each service logs to FOLDER/SCENARIO/seed-N/SERVICE.log (world sim; others keep the logs of what did
    /// not pass); those of guards and of controls have folders of their own beside it
    #[arg(long, value_name = "FOLDER")]
    pub(crate) logs: Option<PathBuf>,
    /// Keep this file's Prometheus metrics of the run up to date, for a node exporter's textfile collector
    #[arg(long, value_name = "FILE.prom")]
    pub(crate) metrics: Option<PathBuf>,
    /// Show faults, phases and the verdict as annotations in this Grafana, as http://127.0.0.1:3000; it lets in who has
    /// GRAFANA_TOKEN, or GRAFANA_USER (admin) and GRAFANA_PASSWORD, in the environment
    #[arg(long, value_name = "URL")]
    pub(crate) grafana: Option<String>,
    #[command(flatten)]
    pub(crate) results: ResultOptions,
}

/// Options of what a pipeline keeps: each is written when all runs are over.
#[derive(Clone, Debug, Default, Arguments)]
pub(crate) struct ResultOptions {
    /// Write what came of each run, with its figures, to this file as one JSON document (`-` is standard output)
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
    /// Write JUnit XML to this file, a suite a scenario and a case an expectation
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write a page with charts to this file, for a browser; it needs nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write Markdown for a pull request to this file, less than 64 kB
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
}

impl ResultOptions {
    /// Those that are given: the option, the report that it is, and its place.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, &'static str, &Path)> {
        let all = [
            ("--summary", "json", &self.summary),
            ("--junit", "junit", &self.junit),
            ("--html", "html", &self.html),
            ("--markdown", "markdown", &self.markdown),
        ];
        all.into_iter().filter_map(|(option, report, path)| Some((option, report, path.as_deref()?)))
    }

    /// The number of those that go to standard output.
    pub(crate) fn on_stdout(&self) -> usize {
        self.named().filter(|(_, _, path)| *path == Path::new("-")).count()
    }
}

impl Running {
    /// The number of reports that go to standard output: where one does, what people read goes to standard error.
    pub(crate) fn on_stdout(&self) -> usize {
        let Outputs { json, results, .. } = &self.outputs;
        usize::from(json.as_deref() == Some(Path::new("-"))) + results.on_stdout()
    }

    /// The world, or the first of several.
    pub(crate) fn world(&self) -> WorldName {
        // Never none: it was chosen by the files.
        self.worlds.first().copied().unwrap_or(WorldName::Local)
    }
}

/// The worlds there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WorldName {
    /// Real processes on this machine
    Local,
    /// Containers on this machine, on a network of the run's own
    #[cfg(feature = "docker")]
    Docker,
    /// A deterministic simulation in this process: virtual time, and the same seed gives the same events
    Sim,
    /// A system that runs already, with the proxies of `chaos proxy` on its links
    Attach,
}

impl WorldName {
    /// The offer of the world: all that it can give, by its type.
    pub(crate) fn offer(self) -> Offer {
        match self {
            Self::Local => LocalRuntime::OFFER,
            #[cfg(feature = "docker")]
            Self::Docker => DockerRuntime::OFFER,
            Self::Sim => SimRuntime::OFFER,
            Self::Attach => AttachedRuntime::OFFER,
        }
    }

    /// The world's name as it is written.
    pub(crate) fn name(self) -> &'static str {
        self.offer().name
    }

    /// The world of this name, if it is built in.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|world| world.name() == name)
    }

    /// The names of all worlds, also of those that are not built in: a scenario may leave expectations to them.
    pub(crate) fn known() -> Vec<&'static str> {
        std::iter::once(SimRuntime::OFFER).chain(OFFERS).map(|offer| offer.name).collect()
    }
}

#[derive(Clone, Debug, Arguments)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
    /// Judge only this expectation (its `that`, or a part of it that no other has); can be repeated
    #[arg(short = 'e', long = "expect", value_name = "NAME")]
    pub(crate) expect: Vec<String>,
    /// Run with each of these seeds (world sim), and stop at the first run that does not pass: it is shown in full, with
    /// the command that makes it again
    #[arg(long, value_name = "FIRST..LAST", value_parser = seeds, allow_hyphen_values = true, conflicts_with_all = ["seed", "control", "keep"])]
    pub(crate) seeds: Option<(u64, u64)>,
    /// Run each scenario once more without its faults: at least one expectation must come out otherwise, or injections
    /// must have met requests of the load, or else the scenario shows nothing, and the exit code is 1
    #[arg(long, conflicts_with = "keep")]
    pub(crate) control: bool,
    /// Show what happened to this request, step by step, behind the report (world sim, one scenario): requests are
    /// numbered from 0 in the order in which they are due, those of the warm-up included
    #[arg(long, value_name = "REQUEST", value_parser = request, allow_hyphen_values = true, conflicts_with_all = ["control", "keep", "seeds"])]
    pub(crate) trace: Option<u64>,
    /// Leave the system up after the judgement, until Ctrl-C
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Clone, Debug, Arguments)]
pub(crate) struct Prove {
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, Arguments)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Look also for what these worlds can't give (`sim,local`); no engine is asked for it, and no proxy
    #[arg(long = "world", value_name = "WORLD", value_delimiter = ',')]
    pub(crate) worlds: Vec<WorldName>,
}

#[derive(Debug, Arguments)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, Arguments)]
pub(crate) struct Report {
    /// Recordings, as `--json` writes them (`-` is standard input)
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Say what is better and what is worse than in these earlier recordings of the same scenarios, beyond chance: a file, or a
    /// folder of `.jsonl` files
    #[arg(long, value_name = "PATH")]
    pub(crate) against: Option<PathBuf>,
    /// Exit with 1 where something is worse than it was
    #[arg(long, value_name = "WHAT", requires = "against")]
    pub(crate) fail_if: Option<FailIf>,
    /// The report
    #[arg(id = Report::NAME, long = "as", value_name = "NAME", default_value = REPORTS[0].name)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) results: ResultOptions,
}

#[derive(Debug, Arguments)]
pub(crate) struct Rerun {
    /// Recordings, as `--json` writes them (`-` is standard input)
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Only scenarios that did not pass, each with all that it was compared with (guards, control)
    #[arg(long)]
    pub(crate) failed: bool,
    /// Give a setting another value than it had, or one that the recording masks; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) sets: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) outputs: Outputs,
}

/// Reasons for which a report ends as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailIf {
    /// Something is worse than it was
    Worse,
}

impl Report {
    /// The argument that names the report.
    pub(crate) const NAME: &str = "report";
}

/// The names of these reports, each with what it shows.
pub(crate) fn names_of(reports: &[Row]) -> PossibleValuesParser {
    PossibleValuesParser::new(reports.iter().map(|row| PossibleValue::new(row.name).help(row.about)))
}

#[derive(Debug, Arguments)]
pub(crate) struct Calibrate {
    /// Write the figures to this file as JSON (`-` is standard output)
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub(crate) struct Cleanup {
    /// Only say what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also remove the logs that runs kept which did not pass
    #[arg(long)]
    pub(crate) logs: bool,
}

#[derive(Debug, Arguments)]
pub(crate) struct Serve {
    /// The program; its settings are environment variables (`PORT`, `REDIS_URL`, …)
    #[arg(value_name = "PROGRAM")]
    pub(crate) program: String,
}

#[derive(Debug, Arguments)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Arguments)]
pub(crate) struct Man {
    /// The command that the page is of, as `run`; without it, the page of `chaos`
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
    /// Write the pages of all commands to this folder instead, as `/usr/local/share/man/man1`
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub(crate) struct Schema {
    /// The kind of file
    #[arg(value_name = "KIND")]
    pub(crate) name: SchemaName,
}

/// Kinds of files that have a JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// A scenario
    Scenario,
    /// A system: services and their links
    System,
    /// The place of a system that runs already (`attach.toml`)
    Attach,
    /// Proxies of a system that runs already, for `chaos proxy`
    Proxies,
}

#[derive(Debug, Arguments)]
pub(crate) struct Doctor {
    /// The worlds that have to be ready (`local,docker`): if one is not, the exit code is 3
    #[arg(long = "world", value_name = "WORLDS", value_delimiter = ',')]
    pub(crate) worlds: Vec<WorldName>,
}

#[derive(Debug, Arguments)]
pub(crate) struct Service {
    /// The supervisor's process id
    pub(crate) supervisor: u32,
    /// The control group that it enters
    #[arg(long)]
    pub(crate) cgroup: Option<PathBuf>,
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<String>,
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let wanted = "it must be two whole numbers, both included, as `1..1000`";
    let (first, last) = text.split_once("..").ok_or(wanted)?;
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        (Ok(_), Ok(_)) => Err("the first is greater than the last".to_owned()),
        _ => Err(wanted.to_owned()),
    }
}

fn request(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| "it must be a whole number: requests are numbered from 0".to_owned())
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it must be KEY=VALUE, as `load.rate=500/s`")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
