//! `chaos report FILE…`: reports of recorded runs.

use super::{recorded::RecordedScenario, result_files::ResultFiles};
use crate::{
    args::{FailIf, Report},
    exit::Exit,
    machine::Machine,
};
use chaos_model::{Event, Record, Verdict};
use chaos_report::{
    Outcome, Style,
    against::{self, Earlier},
    json::{ReadError, Reader},
};
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
};

/// The events of one recording, as far as it could be read.
pub(super) struct Recording {
    pub(super) records: Vec<Record>,
    /// The reason why what follows can't be read, if it can't.
    pub(super) broken: Option<ReadError>,
}

pub(crate) fn report(machine: &Machine, args: &Report) -> Exit {
    // The command line lets no other names through.
    let row = machine.bundle.all_reports().into_iter().find(|row| row.name == args.name);
    let Some(row) = row else { return super::refuse("report", "there is no such report") };
    if args.results.on_stdout() > 1 {
        return super::refuse("report", "only one report can be on standard output");
    }
    let mut files = match ResultFiles::open(&args.results) {
        Ok(files) => files,
        Err(why) => return super::refuse("report", &why),
    };
    let earlier = match args.against.as_deref().map(|path| earlier(path, &args.files)).transpose() {
        Ok(earlier) => earlier,
        Err(why) => return super::refuse("report", &format!("--against: {why}")),
    };
    let recordings: Vec<_> = args.files.iter().map(|file| (file.as_path(), read(file))).collect();
    let runs = |(_, recording): &(&Path, Result<Recording, io::Error>)| {
        let records = recording.as_ref().map_or(&[][..], |recording| &recording.records);
        records.iter().filter(|record| matches!(record.event, Event::Begin(_))).count()
    };
    let many = recordings.iter().map(runs).sum::<usize>() > 1;
    let style = Style { colour: machine.colour, width: machine.width, live: false, verbose: false };
    let mut report = (row.new)(style, many);
    let mut out: Box<dyn io::Write> =
        if args.results.on_stdout() > 0 { Box::new(io::sink()) } else { Box::new(io::stdout()) };
    let now = || recordings.iter().filter_map(|(_, recording)| recording.as_ref().ok()).flat_map(|one| &one.records);
    let compared = earlier.map(|mut earlier| earlier.compare(now()));
    let mut is_told = false;
    if let Some(against) = &compared {
        files.against(against);
        is_told = report.against(against);
    }
    let mut exits = Vec::new();
    let mut write = || -> io::Result<()> {
        for (file, recording) in &recordings {
            match recording {
                Ok(recording) => {
                    recording.records.iter().try_for_each(|record| {
                        files.on(record)?;
                        report.on(record, &mut out)
                    })?;
                    exits.push(outcome(file, recording));
                }
                Err(error) => {
                    super::complain("report", &format!("can't read {}: {error}", file.display()));
                    exits.push(Outcome::Invalid);
                }
            }
        }
        report.finish(&mut out)?;
        if let Some(compared) = compared.as_ref().filter(|_| !is_told) {
            writeln!(out, "\n")?;
            against::write(&mut out, style, compared)?;
        }
        out.flush()
    };
    let written = match write() {
        // A reader that has seen enough (`| head`) is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    };
    if args.fail_if == Some(FailIf::Worse) && compared.is_some_and(|against| against.is_worse()) {
        exits.push(Outcome::Verdict(Verdict::Fail));
    }
    match written.and(files.finish()) {
        Err(error) => {
            eprintln!("chaos report: can't write the report: {error}");
            Exit::Machine
        }
        Ok(()) => Exit::Runs(Outcome::worst(exits)),
    }
}

/// The earlier runs in a recording, or in those of a folder; what is reported now is not among them.
///
/// # Errors
/// In words, for people: something can't be read, or there is nothing in it.
fn earlier(path: &Path, now: &[PathBuf]) -> Result<Earlier, String> {
    let no_file = |error: io::Error| format!("can't read {}: {error}", path.display());
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(no_file)?;
        files = entries
            .into_iter()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
            .collect();
        files.sort();
    }
    let same = |file: &Path| fs::canonicalize(file).ok();
    let now: Vec<_> = now.iter().filter_map(|file| same(file)).collect();
    files.retain(|file| same(file).is_none_or(|file| !now.contains(&file)));
    let mut earlier = Earlier::default();
    for file in &files {
        let recording = read(file).map_err(no_file)?;
        if let Some(broken @ ReadError::CutOff { .. }) = &recording.broken {
            eprintln!("chaos report: {}: {broken}", file.display());
        } else if let Some(broken) = &recording.broken {
            return Err(format!("{}: {broken}", file.display()));
        }
        earlier.recording(&file.display().to_string());
        recording.records.iter().for_each(|record| earlier.on(record));
    }
    if files.is_empty() {
        return Err(format!("there is no other recording (`.jsonl`) in {}", path.display()));
    }
    Ok(earlier)
}

/// Reads a recording as far as that goes.
///
/// # Errors
/// Those of opening it.
pub(super) fn read(file: &Path) -> io::Result<Recording> {
    if file == Path::new("-") {
        return Ok(read_all(io::stdin().lock()));
    }
    Ok(read_all(BufReader::new(File::open(file)?)))
}

fn read_all(recording: impl BufRead) -> Recording {
    let mut records = Vec::new();
    for record in Reader::new(recording) {
        match record {
            Ok(record) => records.push(record),
            Err(broken) => return Recording { records, broken: Some(broken) },
        }
    }
    Recording { records, broken: None }
}

/// The worst of the recording's scenarios. What can't be read is told; a recording that is only cut off is none the less one.
fn outcome(file: &Path, Recording { records, broken }: &Recording) -> Outcome {
    let scenarios = RecordedScenario::all(records);
    let outcomes = scenarios.iter().map(RecordedScenario::outcome);
    let unread = broken.as_ref().map(|why| {
        super::complain("report", &format!("{}: {why}", file.display()));
        if matches!(why, ReadError::CutOff { .. }) && !records.is_empty() {
            Outcome::Interrupted
        } else {
            Outcome::Invalid
        }
    });
    Outcome::worst(outcomes.chain(unread))
}
