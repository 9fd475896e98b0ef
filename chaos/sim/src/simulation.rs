//! Scenarios in tests: own programs, a scenario, and what came of it as an assertion.

use crate::{Draft, Programs, SimRuntime, Tracer, block_on, programs::Outcome as Stopped};
use chaos_model::{
    Diagnostics, Protocol, Record, Scenario, Set, Verdict,
    check::{CHECKS, Row},
    language::{self, Known},
};
use chaos_report::{Outcome, Style, Terminal};
use chaos_run::{Events, Options};
use futures_util::future::BoxFuture;
use host::Host;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::{Path, PathBuf},
};

/// A scenario to be simulated with own programs. The crate's documentation has examples.
#[derive(Clone, Debug, Default)]
pub struct Simulation {
    programs: Programs,
    protocols: Vec<Protocol>,
    checks: Vec<&'static Row>,
    sets: Vec<Set>,
    seed: u64,
}

/// The reason that there was nothing to simulate.
#[derive(thiserror::Error)]
pub enum Error {
    /// The scenario is not valid: what is wrong, with file, line and advice.
    #[error("the scenario is not valid\n\n{0}")]
    Invalid(String),
    /// The machine gave no runtime or no thread.
    #[error("the machine gives no runtime")]
    Machine(#[from] io::Error),
    /// The simulation panicked. The panic was printed.
    #[error("the simulation panicked")]
    Panicked,
}

/// Shown as to people: a test that ends with it shows what is wrong with the scenario, at its place.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Simulation {
    /// Nothing yet, with the seed 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The seed of every draw: arrivals, variables, jitter, shares, and the programs' own ([`Host::rng`]).
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// A program, by the name that the scenario's services give (`program = "shop"`); see [`Programs::with`].
    #[must_use]
    pub fn program<F, R>(mut self, name: &str, run: F) -> Self
    where
        F: Fn(Host) -> R + Send + Sync + 'static,
        R: Future<Output = Stopped> + Send + 'static,
    {
        self.programs = self.programs.with(name, run);
        self
    }

    /// Adds a protocol that services can speak, beside those of `chaos`. Its row brings its filter.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocols.push(protocol);
        self
    }

    /// Adds a kind of check that expectations can have, beside those of `chaos`.
    #[must_use]
    pub fn check(mut self, row: &'static Row) -> Self {
        self.checks.push(row);
        self
    }

    /// Overrides a setting of the scenario or its system, as `--set` does: `load.rate`, `service.shop.env.CACHE`.
    #[must_use]
    pub fn set(mut self, path: &str, value: &str) -> Self {
        self.sets.push(Set { path: path.to_owned(), value: value.to_owned(), span: None });
        self
    }

    /// Simulates the scenario in a file.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it can't be read or is wrong.
    pub fn run_file(&self, file: impl AsRef<Path>) -> Result<Run, Error> {
        let file = file.as_ref();
        self.load(file, &|path| std::fs::read_to_string(path)).and_then(|scenario| self.simulate(file, scenario))
    }

    /// Simulates the scenario in this text, services included. In diagnostics it is called `name`.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is wrong.
    pub fn run_text(&self, name: &str, text: &str) -> Result<Run, Error> {
        let file = Path::new(name);
        let read = |path: &Path| match path == file {
            true => Ok(text.to_owned()),
            false => Err(io::ErrorKind::NotFound.into()),
        };
        self.load(file, &read).and_then(|scenario| self.simulate(file, scenario))
    }

    /// Simulates a scenario that was built in code.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is wrong.
    pub fn run_draft(&self, draft: &Draft) -> Result<Run, Error> {
        self.run_text("draft.toml", &draft.text())
    }

    /// Simulates a scenario that was loaded before, with its settings as they were then. `file` is what the report
    /// calls it.
    ///
    /// # Errors
    /// [`Error::Invalid`] where settings were to be overridden by [`Simulation::set`], which comes too late here; where
    /// the machine gives no thread, or the simulation panicked.
    pub fn run_scenario(&self, file: impl AsRef<Path>, scenario: Scenario) -> Result<Run, Error> {
        if let Some(set) = self.sets.first() {
            return Err(Error::Invalid(format!(
                "`{}` can't be set any more: the scenario is loaded already",
                set.path
            )));
        }
        self.simulate(file.as_ref(), scenario)
    }

    fn simulate(&self, file: &Path, scenario: Scenario) -> Result<Run, Error> {
        let (scenario, elsewhere) = scenario.in_world("sim");
        let options = Options {
            file: file.display().to_string(),
            seed: self.seed,
            sets: self.sets.iter().map(|set| format!("{}={}", set.path, set.value)).collect(),
            elsewhere,
            ..Options::default()
        };
        let programs = self.programs.clone();
        // A thread of its own: the caller may be a task of another runtime.
        let thread = std::thread::Builder::new().name("simulation".to_owned()).spawn(move || {
            let never = Box::pin(std::future::pending());
            simulate(&scenario, &options, programs, Wanted { logs: true, tracer: None }, never)
        })?;
        Ok(thread.join().map_err(|_| Error::Panicked)??)
    }

    /// Reads a scenario in the words of `chaos` and these.
    fn load(&self, file: &Path, read: &dyn Fn(&Path) -> io::Result<String>) -> Result<Scenario, Error> {
        let programs: Vec<&str> = self.programs.names().collect();
        let checks: Vec<&Row> = CHECKS.iter().chain(&self.checks).copied().collect();
        let protocols: Vec<Protocol> = Protocol::ALL.iter().chain(&self.protocols).copied().collect();
        let known = Known { programs: &programs, protocols: &protocols, checks: &checks, ..Known::BUILT_IN };
        let invalid = |wrong: Diagnostics| Error::Invalid(wrong.render(false, Style::default().width));
        language::load_with(file, &self.sets, &known, read).map_err(invalid)
    }
}

/// Wishes for a simulated run besides its events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The services' logs. Else their ends alone are kept.
    pub logs: bool,
    /// Follows the requests.
    pub tracer: Option<&'a Tracer>,
}

/// Makes one run in a simulation of its own, on this thread: see [`block_on`]. `interrupt` resolves, with the name of
/// what came, when it is to stop early.
///
/// # Errors
/// Where the machine gives no runtime.
pub fn simulate(
    scenario: &Scenario,
    options: &Options,
    programs: Programs,
    Wanted { logs, tracer }: Wanted<'_>,
    interrupt: BoxFuture<'_, String>,
) -> io::Result<Run> {
    block_on(async {
        let mut runtime = SimRuntime::new(options.seed, programs);
        if !logs {
            runtime = runtime.without_logs();
        }
        if let Some(tracer) = tracer {
            runtime = runtime.traced(tracer);
        }
        let logs = runtime.logs();
        let mut world = runtime.into_world();
        // Made here: its clock is the simulation's.
        let (events, mut records) = Events::channel();
        let run = chaos_run::run(scenario, &mut world, options, &events, interrupt);
        match tracer {
            Some(tracer) => Box::pin(tracer.follow(run)).await,
            None => run.await,
        };
        drop((events, world));
        let records = std::iter::from_fn(|| records.try_recv().ok()).collect();
        Run { records, logs: logs.take() }
    })
}

/// The result of a simulated run.
#[derive(Clone, Debug)]
#[must_use = "a run says nothing until somebody asks: `assert_passed`"]
pub struct Run {
    /// Events of the run, as `--json` writes them.
    pub records: Vec<Record>,
    /// Logs of each service, as JSON lines.
    pub logs: BTreeMap<String, Vec<u8>>,
}

impl Run {
    /// Verdict of the run; none where the world failed.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        match Outcome::of(&self.records) {
            Outcome::Verdict(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// The report that `chaos run` shows: 80 columns, no colour.
    #[must_use]
    pub fn report(&self) -> String {
        let mut terminal = Terminal::new(Vec::new(), Style::default());
        // A vector takes everything.
        let _ = self.records.iter().try_for_each(|record| terminal.on(record));
        String::from_utf8_lossy(&terminal.into_inner()).into_owned()
    }

    /// The expectations that failed, by what their `that` says.
    #[must_use]
    pub fn failed(&self) -> Vec<&str> {
        let judged = self.records.iter().filter_map(|record| match &record.event {
            chaos_model::Event::Judged(judged) => Some(judged),
            _ => None,
        });
        judged.filter(|judged| judged.verdict == Verdict::Fail).map(|judged| judged.that.as_str()).collect()
    }

    /// Panics with the report, each failed expectation at its place in the file, unless all expectations held.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.verdict() == Some(Verdict::Pass), "the scenario did not pass\n\n{}", self.report());
    }

    /// Panics with the report unless the scenario failed by exactly these expectations, in whatever order: for tests
    /// that take a protection away.
    #[track_caller]
    pub fn assert_failed(&self, expected: &[&str]) {
        let (failed, wanted) = (BTreeSet::from_iter(self.failed()), BTreeSet::from_iter(expected.iter().copied()));
        let is_so = self.verdict() == Some(Verdict::Fail) && failed == wanted;
        assert!(is_so, "{failed:?} failed, and {wanted:?} should have\n\n{}", self.report());
    }

    /// Writes what the services logged to a folder, a file a service.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write_logs(&self, folder: impl AsRef<Path>) -> io::Result<()> {
        let folder: PathBuf = folder.as_ref().to_owned();
        std::fs::create_dir_all(&folder)?;
        self.logs.iter().try_for_each(|(service, lines)| std::fs::write(folder.join(format!("{service}.log")), lines))
    }
}
