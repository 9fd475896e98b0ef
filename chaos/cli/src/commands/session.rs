//! A session of runs: one runtime, one terminal, one recording, one Ctrl-C for all of them.

use crate::{
    args::{Running, WorldName},
    interrupt::Interrupts,
    machine::Machine,
    programs, state,
};
use chaos_model::{Calibration, Record, Scenario};
use chaos_report::{Style, Terminal, json};
use chaos_run::{Events, Options};
use chaos_sim::SimWorld;
use chaos_worlds::local::{LocalConfig, LocalWorld};
use host::{Host, tcp};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{mpsc::UnboundedReceiver, oneshot};

/// Where text goes.
type Out = Box<dyn Write + Send>;

/// Several runs, one after the other.
pub(crate) struct Session {
    host: Host,
    interrupts: Interrupts,
    running: Running,
    local: LocalConfig,
    calibration: Option<Calibration>,
    reports: Arc<Mutex<Reports>>,
    style: Style,
}

/// Where the events of a session go besides the terminal.
pub(crate) struct Recording(Option<json::Writer<Out>>);

struct Reports {
    terminal: Terminal<Out>,
    json: Option<json::Writer<Out>>,
    /// The first thing that a report could not write: told once, at the end.
    broken: Option<io::Error>,
}

impl Session {
    /// A session as the command line asks. Call it within a runtime.
    ///
    /// # Errors
    /// In words, for people.
    pub(crate) fn new(machine: &Machine, running: &Running, recording: Recording) -> Result<Self, String> {
        let config = tcp::Config { seed: running.seed, ..tcp::Config::loopback("client") };
        let host = tcp::host(config).map_err(|error| format!("this machine gives no timer: {error}"))?;
        let interrupts = Interrupts::listen(&host).map_err(|error| format!("can't listen for signals: {error}"))?;
        let json_on_stdout = running.json.as_deref() == Some(Path::new("-"));
        let out: Out = if json_on_stdout { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        let style = Style {
            colour: if json_on_stdout { machine.colour_errors } else { machine.colour },
            width: machine.width,
            live: machine.live && !json_on_stdout,
            verbose: false,
        };
        let reports = Reports { terminal: Terminal::new(out, style), json: recording.0, broken: None };
        let local = LocalConfig {
            executable: PathBuf::from(chaos_worlds::keeper::THIS_PROGRAM),
            redis_server: machine.find_program("redis-server"),
            temp: machine.temp_folder()?,
        };
        let reports = Arc::new(Mutex::new(reports));
        let calibration = state::calibration(machine);
        Ok(Self { host, interrupts, running: running.clone(), local, calibration, reports, style })
    }

    /// Makes one run, with the session's seed, reports it as it goes, and gives its events.
    pub(crate) async fn run(&self, scenario: &Scenario, options: Options) -> Vec<Record> {
        let world = self.running.world.name();
        let (scenario, elsewhere) = scenario.clone().in_world(world);
        let options = Options { seed: self.running.seed, elsewhere, ..options };
        // What a guard breaks, or a control, is meant to break: its place in the file is no news.
        if options.without.is_none() && !options.control {
            reports(&self.reports).terminal.show_sources(scenario.sources.clone());
        }
        match self.running.world {
            WorldName::Local => self.run_here(&scenario, options).await,
            WorldName::Sim => self.simulate(scenario, options).await,
        }
    }

    async fn run_here(&self, scenario: &Scenario, options: Options) -> Vec<Record> {
        let mut world = LocalWorld::new(self.host.clone(), self.local.clone());
        let options = Options { calibration: self.calibration.clone(), ..options };
        let (events, records) = Events::channel();
        let reported = self.report(records);
        let interrupt = Box::pin(self.interrupts.clone().first());
        chaos_run::run(scenario, &mut world, &options, &events, interrupt).await;
        drop(events);
        reported.await.unwrap_or_default()
    }

    /// On a thread and a runtime of its own, whose clock is virtual.
    async fn simulate(&self, scenario: Scenario, options: Options) -> Vec<Record> {
        let interrupts = self.interrupts.clone();
        let (give_records, records) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            chaos_sim::block_on(async move {
                let mut world = SimWorld::new(options.seed, programs::simulated());
                // Its clock is the simulation's.
                let (events, records) = Events::channel();
                // The session was interrupted for good: nobody listens.
                let _ = give_records.send(records);
                chaos_run::run(&scenario, &mut world, &options, &events, Box::pin(interrupts.first())).await;
            })
        });
        let records = match records.await {
            Ok(records) => self.report(records).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        drop(thread.join());
        records
    }

    /// Reports a run as it goes, and gives its events when it has ended.
    fn report(&self, mut records: UnboundedReceiver<Record>) -> oneshot::Receiver<Vec<Record>> {
        let reports_of_run = Arc::clone(&self.reports);
        let (give_seen, reported) = oneshot::channel();
        // A thread of its own: writing to a terminal that is slow, or stopped, must hold up neither the run nor signals.
        std::thread::spawn(move || {
            let mut seen = Vec::new();
            while let Some(record) = records.blocking_recv() {
                reports(&reports_of_run).on(&record);
                seen.push(record);
            }
            drop(reports_of_run);
            // The session was interrupted for good.
            let _ = give_seen.send(seen);
        });
        reported
    }

    /// Whether a signal has ended the session.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupts.came()
    }

    /// Writes what comes after the last run: a summary.
    ///
    /// # Errors
    /// What a report could not write, now or earlier.
    pub(crate) fn finish(self, summary: impl FnOnce(&mut dyn Write, Style) -> io::Result<()>) -> io::Result<()> {
        let Ok(reports) = Arc::try_unwrap(self.reports) else { return Ok(()) };
        let Reports { terminal, json, broken } = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut out = terminal.into_inner();
        let written = summary(&mut out, self.style).and_then(|()| out.flush());
        let recorded = json.map_or(Ok(()), |json| json.into_inner().flush());
        // A reader that has seen enough (`| head`) is no failure, and takes nothing from the verdict.
        let told = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        };
        told(broken.map_or(Ok(()), Err)).and(told(written)).and(recorded)
    }
}

impl Reports {
    fn on(&mut self, record: &Record) {
        let terminal = self.terminal.on(record);
        let json = self.json.as_mut().map_or(Ok(()), |json| json.on(record));
        if let Err(error) = terminal.and(json) {
            self.broken.get_or_insert(error);
        }
    }
}

fn reports(reports: &Mutex<Reports>) -> std::sync::MutexGuard<'_, Reports> {
    reports.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recording {
    /// Opens what `--json` names, if it names anything.
    ///
    /// # Errors
    /// In words, for people: the path is no place for a file. That is a mistake in the command line.
    pub(crate) fn open(running: &Running) -> Result<Self, String> {
        let Some(path) = running.json.as_deref() else { return Ok(Self(None)) };
        let out: Out = if path == Path::new("-") {
            Box::new(io::stdout())
        } else {
            let no_place = |error| format!("--json: can't write {}: {error}", path.display());
            Box::new(io::BufWriter::new(File::create(path).map_err(no_place)?))
        };
        Ok(Self(Some(json::Writer::new(out))))
    }
}
