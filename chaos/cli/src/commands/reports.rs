//! Reports of a session's events: the terminal, and what records them.

use super::{
    grafana::Grafana,
    log_files::LogFiles,
    metrics_file::MetricsFile,
    result_files::{GithubJob, ResultFiles},
};
use crate::{args::Running, machine::Machine};
use chaos_model::Record;
use chaos_report::{
    Style, Terminal, Trace, json,
    results::{Invalid, NotRun},
    trace,
};
use chaos_run::Options;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The destination of text.
pub(super) type Out = Box<dyn Write + Send>;

/// Recorders of a session's events besides the terminal.
pub(crate) struct Recorders {
    json: Option<json::Writer<Out>>,
    metrics: Option<MetricsFile>,
    grafana: Option<Grafana>,
    logs: Option<LogFiles>,
    results: ResultFiles,
    github: Option<GithubJob>,
}

/// All of it.
pub(super) struct Reports {
    terminal: Terminal<Out>,
    recorders: Recorders,
    /// The first thing that a report could not write: told once, at the end.
    broken: Option<io::Error>,
}

impl Reports {
    /// Reports on `out`.
    pub(super) fn new(out: Out, style: Style, recorders: Recorders) -> Self {
        let mut terminal = Terminal::new(out, style);
        let head = recorders.github.as_ref().map(GithubJob::head);
        let broken = head.and_then(|head| terminal.say(&head).err());
        Self { terminal, recorders, broken }
    }

    /// Says something between runs.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.terminal.say(text)
    }

    /// Tells if the services' logs are wanted.
    pub(super) fn wants_logs(&self) -> bool {
        self.recorders.logs.is_some()
    }

    /// Keeps the services' logs of a run.
    pub(super) fn logs(&mut self, options: &Options, logs: &BTreeMap<String, Vec<u8>>) {
        if let Some(Err(why)) = self.recorders.logs.as_mut().map(|files| files.write(options, logs)) {
            self.broken.get_or_insert(io::Error::other(why));
        }
    }

    /// Reports and records an event.
    pub(super) fn on(&mut self, record: &Record) {
        if let Err(error) = self.terminal.on(record) {
            self.broken.get_or_insert(error);
        }
        if let Some(Err(error)) = self.recorders.metrics.as_mut().map(|metrics| metrics.on(record)) {
            self.broken.get_or_insert(error);
        }
        self.recorders.grafana.iter_mut().for_each(|grafana| grafana.on(record));
        self.record(record);
    }

    /// Writes the trace of one request behind the report; where there was no such request, which was the last.
    pub(super) fn trace(&mut self, n: u64, (trace, last): (Option<&Trace>, Option<u64>), style: Style) {
        let mut text = b"\n\n".to_vec();
        let made = match trace {
            Some(trace) => trace::write(&mut text, style, trace),
            None => match last {
                Some(last) => writeln!(text, "there was no request {n}: the last was {last}"),
                None => writeln!(text, "there was no request {n}, nor any other"),
            },
        };
        let text = String::from_utf8_lossy(&text);
        if let Err(error) = made.and_then(|()| self.terminal.say(&text)) {
            self.broken.get_or_insert(error);
        }
    }

    /// For the recording of events alone.
    pub(super) fn record(&mut self, record: &Record) {
        let Recorders { json, results, github, .. } = &mut self.recorders;
        if let Some(Err(error)) = json.as_mut().map(|json| json.on(record)) {
            self.broken.get_or_insert(error);
        }
        if let Err(error) = results.on(record) {
            self.broken.get_or_insert(error);
        }
        if let Some(job) = github {
            job.on(record);
        }
    }

    /// Takes note of a run that was not made.
    pub(super) fn not_run(&mut self, not_run: &NotRun) {
        self.recorders.results.not_run(not_run);
        self.recorders.github.iter_mut().for_each(|job| job.not_run(not_run));
    }

    /// Writes what comes after the last run.
    pub(super) fn finish(
        self,
        style: Style,
        summary: impl FnOnce(&mut dyn Write, Style) -> io::Result<()>,
    ) -> io::Result<()> {
        let Self { terminal, recorders, broken } = self;
        let mut out = terminal.into_inner();
        let written = summary(&mut out, style);
        let written = written.and_then(|()| recorders.github.map_or(Ok(()), |job| job.finish(&mut out)));
        let written = written.and_then(|()| out.flush());
        let kept = recorders.results.finish();
        let recorded = recorders.json.map_or(Ok(()), |json| json.into_inner().flush());
        if let Some(untaken) = recorders.grafana.and_then(Grafana::finish) {
            eprintln!("{untaken}");
        }
        // A reader that has seen enough (`| head`) is no failure, and takes nothing from the verdict.
        let told = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        };
        told(broken.map_or(Ok(()), Err)).and(told(written)).and(recorded).and(told(kept))
    }
}

/// The reports that threads share.
pub(super) fn lock(reports: &Mutex<Reports>) -> MutexGuard<'_, Reports> {
    reports.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorders {
    /// Opens what `--json`, `--metrics`, `--grafana`, `--logs` and the options of results name, if they name anything.
    ///
    /// # Errors
    /// In words, for people: a path is no place for a file. That is a mistake in the command line.
    pub(crate) fn open(machine: &Machine, running: &Running) -> Result<Self, String> {
        let outputs = &running.outputs;
        let json = outputs.json.as_deref().map(json_lines).transpose()?;
        let metrics = outputs.metrics.as_deref().map(MetricsFile::at).transpose()?;
        let grafana = outputs.grafana.as_deref().map(|url| Grafana::start(machine, url)).transpose()?;
        let logs = outputs.logs.as_deref().map(LogFiles::at).transpose()?;
        let results = ResultFiles::open(&outputs.results)?;
        Ok(Self { json, metrics, grafana, logs, results, github: GithubJob::of(machine) })
    }

    /// Nothing: for runs that are looked at by whoever makes them.
    #[cfg(feature = "init")]
    pub(crate) fn none() -> Self {
        let results = ResultFiles::none();
        Self { json: None, metrics: None, grafana: None, logs: None, results, github: None }
    }

    /// Takes note of a scenario that is not valid, so that it is not run.
    pub(crate) fn invalid(&mut self, invalid: &Invalid) {
        self.results.invalid(invalid);
        if let Some(job) = &mut self.github {
            job.invalid(invalid);
        }
    }

    /// Writes what is known without any run.
    ///
    /// # Errors
    /// Those of writing.
    pub(crate) fn finish(self) -> io::Result<()> {
        let annotated = self.github.map_or(Ok(()), |job| {
            let mut out = io::stdout().lock();
            out.write_all(job.head().as_bytes()).and_then(|()| job.finish(&mut out)).and_then(|()| out.flush())
        });
        annotated.and(self.results.finish())
    }
}

fn json_lines(path: &Path) -> Result<json::Writer<Out>, String> {
    let out: Out = if path == Path::new("-") {
        Box::new(io::stdout())
    } else {
        let no_place = |error| format!("--json: can't write {}: {error}", path.display());
        Box::new(io::BufWriter::new(File::create(path).map_err(no_place)?))
    };
    Ok(json::Writer::new(out))
}
