//! `--summary`, `--junit`, `--html`, `--markdown`: what came of all runs, in files; and in GitHub Actions, in the job's summary and at
//! the lines of scenario files.

use crate::{args::ResultOptions, machine::Machine};
use chaos_model::Record;
use chaos_report::{
    Style,
    against::Against,
    github,
    reports::{REPORTS, Report},
    results::{Invalid, NotRun, Results},
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
};

/// Reports of results, each with the place that it is written to when all runs are over.
pub(crate) struct ResultFiles(Vec<(Destination, Box<dyn Report>)>);

/// The place of a report.
enum Destination {
    /// Opened before anything is started: that it can't be is a mistake in the command line.
    File(PathBuf, File),
    Stdout,
}

impl ResultFiles {
    /// No reports.
    #[cfg(feature = "init")]
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Opens what the command line names.
    ///
    /// # Errors
    /// In words, for people: a path is no place for a file, or several reports are to be on standard output.
    pub(crate) fn open(options: &ResultOptions) -> Result<Self, String> {
        let mut files = Vec::new();
        for (option, name, path) in options.named() {
            // Each option is one of the reports that there are.
            let Some(row) = REPORTS.iter().find(|row| row.name == name) else { continue };
            let report = (row.new)(Style::default(), true);
            if path == Path::new("-") {
                files.push((Destination::Stdout, report));
                continue;
            }
            let no_place = |error| format!("{option}: can't write {}: {error}", path.display());
            files.push((Destination::File(path.to_owned(), File::create(path).map_err(no_place)?), report));
        }
        Ok(Self(files))
    }

    /// Takes an event in.
    ///
    /// # Errors
    /// Those of the reports.
    pub(crate) fn on(&mut self, record: &Record) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|(_, report)| report.on(record, &mut io::sink()))
    }

    /// Takes note of a scenario that is not valid.
    pub(crate) fn invalid(&mut self, invalid: &Invalid) {
        self.0.iter_mut().for_each(|(_, report)| report.invalid(invalid));
    }

    /// Takes note of a run that was not made.
    pub(crate) fn not_run(&mut self, not_run: &NotRun) {
        self.0.iter_mut().for_each(|(_, report)| report.not_run(not_run));
    }

    /// Takes note of what became better or worse since earlier runs.
    pub(crate) fn against(&mut self, against: &Against) {
        for (_, report) in &mut self.0 {
            report.against(against);
        }
    }

    /// Writes them.
    ///
    /// # Errors
    /// That of the first that could not be written, with its path. The others are written.
    pub(crate) fn finish(self) -> io::Result<()> {
        let write = |(destination, mut report): (Destination, Box<dyn Report>)| match destination {
            Destination::File(path, mut file) => {
                let mut text = Vec::new();
                report.finish(&mut text)?;
                file.write_all(&text)
                    .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
            }
            Destination::Stdout => {
                let mut out = io::stdout().lock();
                report.finish(&mut out).and_then(|()| out.flush())
            }
        };
        let written: Vec<io::Result<()>> = self.0.into_iter().map(write).collect();
        written.into_iter().collect()
    }
}

/// A job of GitHub Actions that this command is a step of.
pub(crate) struct GithubJob {
    results: Results,
    /// The file that is the job's summary.
    summary: Option<PathBuf>,
    /// The repository's folder, and the one that paths count from.
    workspace: PathBuf,
    folder: PathBuf,
    /// The word between which and itself no line is a command.
    word: String,
}

impl GithubJob {
    /// The job, where this is one (`GITHUB_ACTIONS`).
    pub(crate) fn of(machine: &Machine) -> Option<Self> {
        let set = |name: &str| machine.env.get(name).filter(|value| !value.is_empty());
        set("GITHUB_ACTIONS").filter(|value| *value == "true")?;
        // Without randomness, lines of others can't be told from ours: then there are none of ours.
        let mut bytes = [0; 16];
        File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).ok()?;
        Some(Self {
            results: Results::default(),
            summary: set("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            workspace: set("GITHUB_WORKSPACE").map(PathBuf::from).unwrap_or_default(),
            folder: PathBuf::from(&machine.folder),
            word: format!("chaos-{:032x}", u128::from_ne_bytes(bytes)),
        })
    }

    /// The first line of what is printed.
    pub(crate) fn head(&self) -> String {
        github::stop(&self.word)
    }

    /// Takes an event in.
    pub(crate) fn on(&mut self, record: &Record) {
        self.results.on(record);
    }

    /// Takes note of a scenario that is not valid.
    pub(crate) fn invalid(&mut self, invalid: &Invalid) {
        self.results.invalid(invalid.clone());
    }

    /// Takes note of a run that was not made.
    pub(crate) fn not_run(&mut self, not_run: &NotRun) {
        self.results.not_run(not_run.clone());
    }

    /// Writes annotations behind what was printed, and appends to the job's summary.
    ///
    /// # Errors
    /// Those of writing.
    pub(crate) fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        let annotations = github::annotations(&self.results, |file| self.in_repository(file));
        write!(out, "\n{}{annotations}", github::resume(&self.word))?;
        let Some(summary) = &self.summary else { return Ok(()) };
        let mut file = OpenOptions::new().append(true).create(true).open(summary)?;
        file.write_all(github::step_summary(&self.results).as_bytes())
    }

    /// A path as seen from the repository's root.
    fn in_repository(&self, file: &str) -> String {
        let path = self.folder.join(file);
        path.strip_prefix(&self.workspace).map_or_else(|_| file.to_owned(), |path| path.display().to_string())
    }
}
