//! A session of runs: one runtime, one terminal, one recording, one Ctrl-C for all of them.

use super::{
    attached::{self, Surroundings},
    reports::{Out, Recorders, Reports, lock},
    simulate::{self, Job, Wanted},
};
use crate::{
    args::{Running, WorldName},
    bundle::Bundle,
    interrupt::Interrupts,
    machine::Machine,
    state,
};
use chaos_links::{RESERVE, reach};
use chaos_model::{Calibration, Diagnostics, Record, Scenario};
#[cfg(feature = "docker")]
use chaos_model::{Fault, Target};
use chaos_report::{Style, results::NotRun};
use chaos_run::{Events, Options, World};
use chaos_supervise::supervisor::SupervisorProgram;
use chaos_worlds::{
    Others,
    attach::{self, Keeping},
    local::{self, LocalConfig},
};
#[cfg(feature = "docker")]
use chaos_worlds::{
    compose::{self, ComposeConfig, ComposeTool},
    docker::{self, DockerConfig},
};
use futures_util::StreamExt as _;
use host::{Host, tcp};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{mpsc::UnboundedReceiver, oneshot};

/// The place of a simulated run among others: how it is shown, and if others follow.
pub(crate) struct Step {
    /// True where it is reported, and not only recorded.
    pub(crate) shown: bool,
    /// Others follow.
    pub(crate) more: bool,
}

/// Several runs, one after the other.
pub(crate) struct Session {
    host: Host,
    bundle: Bundle,
    interrupts: Interrupts,
    running: Running,
    local: LocalConfig,
    surroundings: Surroundings,
    #[cfg(feature = "docker")]
    docker: DockerConfig,
    /// Compose, for systems that are files of it.
    #[cfg(feature = "docker")]
    compose: Option<ComposeTool>,
    calibration: Option<Calibration>,
    /// The command line and its folder, for recordings.
    command: Vec<String>,
    folder: String,
    reports: Arc<Mutex<Reports>>,
    style: Style,
    /// The request that is shown step by step.
    trace: Option<u64>,
}

/// Checks the command line's options for all runs before anything is started: options of worlds that are not run
/// in, files that can't be read.
///
/// # Errors
/// In words, for people.
#[cfg_attr(not(feature = "docker"), expect(unused_variables, reason = "only containers have such a file"))]
pub(crate) fn check(machine: &Machine, running: &Running) -> Result<(), String> {
    let of_attach = [("--attach", running.place.attach.is_some()), ("--allow-unhealed", running.place.allow_unhealed)];
    if !running.worlds.contains(&WorldName::Attach)
        && let Some((option, _)) = of_attach.iter().find(|(_, given)| *given)
    {
        return Err(format!("{option} is for `--world attach`"));
    }
    if running.place.allow_remote_targets && running.worlds.iter().all(|world| *world == WorldName::Sim) {
        return Err("--allow-remote-targets is for worlds that use addresses: a simulation has none".to_owned());
    }
    if !running.worlds.contains(&WorldName::Sim) && running.outputs.logs.is_some() {
        return Err("--logs is for `--world sim`: other worlds keep the logs of runs that do not pass".to_owned());
    }
    if running.on_stdout() > 1 {
        return Err("only one report can be on standard output".to_owned());
    }
    #[cfg(feature = "docker")]
    {
        if !running.worlds.contains(&WorldName::Docker) && running.place.images.is_some() {
            return Err("--images is for `--world docker`".to_owned());
        }
        machine.images(running.place.images.as_deref())?;
    }
    Ok(())
}

impl Session {
    /// A session as the command line asks. Call it within a runtime.
    ///
    /// # Errors
    /// In words, for people.
    pub(crate) fn new(machine: &Machine, running: &Running, recorders: Recorders) -> Result<Self, String> {
        let report_on_stdout = running.on_stdout() > 0;
        let out: Out = if report_on_stdout { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        let style = Style {
            colour: if report_on_stdout { machine.colour_errors } else { machine.colour },
            width: machine.width,
            live: machine.live && !report_on_stdout,
            verbose: false,
        };
        Self::reported_by(machine, running, Reports::new(out, style, recorders), style)
    }

    /// A session that reports nothing, for whoever looks at the events of its runs. Call it within a runtime.
    ///
    /// # Errors
    /// In words, for people.
    #[cfg(feature = "init")]
    pub(crate) fn quiet(machine: &Machine, running: &Running) -> Result<Self, String> {
        let style = Style { width: machine.width, ..Style::default() };
        Self::reported_by(machine, running, Reports::new(Box::new(io::sink()), style, Recorders::none()), style)
    }

    fn reported_by(machine: &Machine, running: &Running, reports: Reports, style: Style) -> Result<Self, String> {
        // A kernel that has no such thing leaves what can be seen.
        let _ = chaos_supervise::adopt_orphans();
        let config = tcp::Config { seed: running.seed, reserve: RESERVE, ..tcp::Config::loopback("client") };
        let host = tcp::host(config).map_err(|error| format!("this machine gives no timer: {error}"))?;
        let interrupts = Interrupts::listen(&host).map_err(|error| format!("can't listen for signals: {error}"))?;
        let local = LocalConfig {
            supervisor: SupervisorProgram::this(),
            built_in: SupervisorProgram::this().path,
            redis_server: machine.find_program("redis-server"),
            temp: machine.temp_folder()?,
            others: Others { remote: running.place.allow_remote_targets, resolve: reach::resolve_here() },
        };
        #[cfg(feature = "docker")]
        let docker = DockerConfig {
            supervisor: local.supervisor.clone(),
            temp: local.temp.clone(),
            images: machine.images(running.place.images.as_deref())?,
            others: local.others.clone(),
        };
        let reports = Arc::new(Mutex::new(reports));
        let calibration = state::calibration(machine);
        Ok(Self {
            host,
            bundle: machine.bundle,
            interrupts,
            running: running.clone(),
            local,
            surroundings: Surroundings::of(machine),
            #[cfg(feature = "docker")]
            docker,
            #[cfg(feature = "docker")]
            compose: machine.compose_tool().ok(),
            calibration,
            command: machine.command.clone(),
            folder: machine.folder.clone(),
            reports,
            style,
            trace: None,
        })
    }

    /// Shows this request of each simulated run, step by step.
    pub(crate) fn tracing(self, trace: Option<u64>) -> Self {
        Self { trace, ..self }
    }

    /// Makes these runs, with the session's seed, reports each, and gives its events to `on`. Ends early where a signal
    /// ends the session.
    pub(crate) async fn run_each(&self, runs: Vec<(Scenario, Options)>, on: impl FnMut(&[Record])) {
        self.run_each_in(self.running.world(), runs, on).await;
    }

    /// The same in this world. What does not come about is noted in the reports, lest it look like a pass.
    pub(crate) async fn run_each_in(
        &self,
        world: WorldName,
        runs: Vec<(Scenario, Options)>,
        on: impl FnMut(&[Record]),
    ) {
        let seed = self.running.seed;
        let seeded = runs.into_iter().map(|(scenario, options)| (scenario, Options { seed, ..options }));
        self.run_each_seeded_in(world, seeded.collect(), on).await;
    }

    /// The same, each with a seed of its own.
    pub(crate) async fn run_each_seeded_in(
        &self,
        world: WorldName,
        runs: Vec<(Scenario, Options)>,
        mut on: impl FnMut(&[Record]),
    ) {
        let asked: Vec<Options> = runs.iter().map(|(_, options)| options.clone()).collect();
        let mut made = Vec::new();
        let each = |records: &[Record]| {
            made.push(!records.is_empty());
            on(records);
        };
        self.make_each(world, runs, each).await;
        let is_made = |n: usize| made.get(n).is_some_and(|made| *made);
        asked.iter().enumerate().filter(|(n, _)| !is_made(*n)).for_each(|(_, options)| self.not_run(world, options));
    }

    async fn make_each(&self, world: WorldName, runs: Vec<(Scenario, Options)>, mut on: impl FnMut(&[Record])) {
        let jobs = runs.into_iter().map(|(scenario, options)| self.job(world, scenario, options));
        if world == WorldName::Sim {
            let each = |records: &[Record]| {
                on(records);
                Step { shown: true, more: true }
            };
            return self.simulate(jobs, each).await;
        }
        for job in jobs {
            if self.interrupted() {
                return;
            }
            on(&self.run_here(world, job).await);
        }
    }

    /// Notes in the reports that this run was not made.
    pub(crate) fn not_run(&self, world: WorldName, options: &Options) {
        let kind = match &options.without {
            Some(without) => Some(format!("without {without}")),
            None if options.control => Some("as a control".to_owned()),
            None => (self.running.worlds.len() > 1).then(|| format!("in the world {}", world.name())),
        };
        let why =
            if self.interrupted() { "the command was interrupted before" } else { "it ended before its first event" };
        lock(&self.reports).not_run(&NotRun { file: options.file.clone(), kind, why: why.to_owned() });
    }

    /// Makes one run.
    pub(crate) async fn run(&self, scenario: &Scenario, options: Options) -> Vec<Record> {
        let mut seen = Vec::new();
        self.run_each(vec![(scenario.clone(), options)], |records| seen = records.to_vec()).await;
        seen
    }

    /// Makes these runs, each with a seed of its own, until `on` says that it is enough.
    pub(crate) async fn run_quietly(
        &self,
        runs: impl Iterator<Item = (Scenario, Options)>,
        on: impl FnMut(&[Record]) -> Step,
    ) {
        let jobs = runs.map(|(scenario, options)| self.job(WorldName::Sim, scenario, options));
        self.simulate(jobs, on).await;
    }

    async fn run_here(&self, world: WorldName, Job { scenario, options }: Job) -> Vec<Record> {
        let mut world = match self.world(world, &scenario, &options) {
            Ok(world) => world,
            // What says where the system runs was read before, and has changed since.
            Err(wrong) => {
                eprint!("{}", wrong.render(false, self.style.width));
                return Vec::new();
            }
        };
        let options = Options { calibration: self.calibration.clone(), ..options };
        let (events, records) = Events::channel();
        let reported = self.report(records);
        let interrupt = Box::pin(self.interrupts.clone().first());
        chaos_run::run(&scenario, &mut *world, &options, &events, interrupt).await;
        drop(events);
        reported.await.unwrap_or_default()
    }

    /// The world of a run that is no simulation.
    fn world(&self, world: WorldName, scenario: &Scenario, options: &Options) -> Result<Box<dyn World>, Diagnostics> {
        Ok(match world {
            WorldName::Attach => {
                let attach = attached::load(scenario, &self.running)?;
                let keeping = Keeping { supervisor: self.local.supervisor.clone(), temp: self.local.temp.clone() };
                let config = attached::config(&self.surroundings, attach, &self.running, &options.file, keeping);
                Box::new(attach::world(&self.host, config, reach::resolve_here()))
            }
            #[cfg(feature = "docker")]
            WorldName::Docker => match (&scenario.system.compose, &self.compose) {
                // Without Compose, its file could not have been read.
                (Some(_), Some(tool)) => {
                    let (docker, tool) = (self.docker.clone(), tool.clone());
                    let holder = attached::holder(&self.surroundings, &options.file);
                    let config = ComposeConfig { docker, tool, needed: needed(&scenario.faults), holder };
                    Box::new(compose::world(&self.host, config))
                }
                _ => Box::new(docker::world(self.host.clone(), self.docker.clone())),
            },
            WorldName::Local | WorldName::Sim => Box::new(local::world(self.host.clone(), self.local.clone())),
        })
    }

    /// Simulates these, and asks of each, in the order of the jobs, how to go on.
    async fn simulate(&self, jobs: impl Iterator<Item = Job>, mut on: impl FnMut(&[Record]) -> Step) {
        let wanted = Wanted { logs: lock(&self.reports).wants_logs(), trace: self.trace };
        let mut runs = std::pin::pin!(simulate::all(jobs, self.bundle, wanted, &self.interrupts));
        while let Some((job, simulated)) = runs.next().await {
            lock(&self.reports).logs(&job.options, &simulated.logs);
            let records = &simulated.records;
            let Step { shown, more } = on(records);
            let mut reports = lock(&self.reports);
            records.iter().for_each(|record| if shown { reports.on(record) } else { reports.record(record) });
            if let Some(n) = self.trace {
                reports.trace(n, (simulated.trace.as_ref(), simulated.last), self.style);
            }
            drop(reports);
            if !more || self.interrupted() {
                return;
            }
        }
    }

    /// Writes a line for whoever watches.
    ///
    /// # Errors
    /// Those of the terminal.
    pub(crate) fn say(&self, text: &str) -> io::Result<()> {
        lock(&self.reports).say(text)
    }

    /// Reports a run as it goes, and gives its events when it has ended.
    fn report(&self, mut records: UnboundedReceiver<Record>) -> oneshot::Receiver<Vec<Record>> {
        let reports_of_run = Arc::clone(&self.reports);
        let (give_seen, reported) = oneshot::channel();
        // A thread of its own: writing to a terminal that is slow, or stopped, must hold up neither the run nor signals.
        std::thread::spawn(move || {
            let mut seen = Vec::new();
            while let Some(record) = records.blocking_recv() {
                lock(&reports_of_run).on(&record);
                seen.push(record);
            }
            drop(reports_of_run);
            // The session was interrupted for good.
            let _ = give_seen.send(seen);
        });
        reported
    }

    /// Tells if a signal has ended the session.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupts.came()
    }

    /// Writes what comes after the last run: a summary.
    ///
    /// # Errors
    /// What a report could not write, now or earlier.
    pub(crate) fn finish(self, summary: impl FnOnce(&mut dyn Write, Style) -> io::Result<()>) -> io::Result<()> {
        let Ok(reports) = Arc::try_unwrap(self.reports) else { return Ok(()) };
        reports.into_inner().unwrap_or_else(PoisonError::into_inner).finish(self.style, summary)
    }

    /// A run in this world, which leaves to others what they alone judge.
    fn job(&self, world: WorldName, scenario: Scenario, options: Options) -> Job {
        let (scenario, elsewhere) = scenario.in_world(world.name());
        // One that is made once more keeps those that it was made by first.
        let options = if options.command.is_empty() {
            Options { command: self.command.clone(), folder: self.folder.clone(), ..options }
        } else {
            options
        };
        Job { scenario: Arc::new(scenario), options: Options { elsewhere, ..options } }
    }
}

/// The links that these faults act on.
#[cfg(feature = "docker")]
fn needed(faults: &[Fault]) -> std::collections::BTreeSet<chaos_model::Link> {
    let links = faults.iter().flat_map(|fault| match &fault.on {
        Target::Link(link) => vec![link.clone()],
        Target::Links(links) => links.clone(),
        Target::Service(_) | Target::Services(_) => Vec::new(),
    });
    links.collect()
}
