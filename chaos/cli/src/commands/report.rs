//! `chaos report FILE…`: reports of recorded runs.

use super::{
    recorded::{RecordedScenario, Recording},
    result_files::ResultFiles,
};
use crate::{
    args::{FailIf, Report},
    exit::Exit,
    machine::Machine,
};
use chaos_model::{Record, Verdict};
use chaos_report::{
    Outcome, Style,
    against::{self, Earlier},
    json::ReadError,
    results::is_kept,
};
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

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
    let recordings: Vec<_> = args.files.iter().map(|file| (file.as_path(), Recording::open(file))).collect();
    let readable = || recordings.iter().filter_map(|(_, recording)| recording.as_ref().ok());
    let many = readable().map(Recording::runs).sum::<usize>() > 1;
    let style = Style { colour: machine.colour, width: machine.width, live: false, verbose: false };
    let mut report = (row.new)(style, many);
    let mut out: Box<dyn io::Write> =
        if args.results.on_stdout() > 0 { Box::new(io::sink()) } else { Box::new(io::stdout()) };
    let now = || readable().flat_map(|recording| recording.records().filter_map(Result::ok));
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
                    let mut fold = |record: &Record| {
                        files.on(record)?;
                        report.on(record, &mut out)
                    };
                    exits.push(outcome(file, recording, &mut fold)?);
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
        earlier.recording(&file.display().to_string());
        for record in Recording::open(file).map_err(no_file)?.records() {
            match record {
                Ok(record) => earlier.on(&record),
                Err(broken @ ReadError::CutOff { .. }) => eprintln!("chaos report: {}: {broken}", file.display()),
                Err(broken) => return Err(format!("{}: {broken}", file.display())),
            }
        }
    }
    if files.is_empty() {
        return Err(format!("there is no other recording (`.jsonl`) in {}", path.display()));
    }
    Ok(earlier)
}

/// Hands each event of a recording on, and tells the worst outcome of its scenarios. What can't be read is told; a recording that is
/// only cut off is none the less one.
///
/// # Errors
/// Those of what events are handed to.
fn outcome(
    file: &Path,
    recording: &Recording,
    fold: &mut impl FnMut(&Record) -> io::Result<()>,
) -> io::Result<Outcome> {
    let (mut kept, mut unread) = (Vec::new(), None);
    for record in recording.records() {
        match record {
            Ok(record) => {
                fold(&record)?;
                kept.extend(Some(record).filter(|record| is_kept(&record.event)));
            }
            Err(why) => {
                super::complain("report", &format!("{}: {why}", file.display()));
                let is_one = matches!(why, ReadError::CutOff { .. }) && !kept.is_empty();
                unread = Some(if is_one { Outcome::Interrupted } else { Outcome::Invalid });
            }
        }
    }
    let scenarios = RecordedScenario::all(&kept);
    Ok(Outcome::worst(scenarios.iter().map(RecordedScenario::outcome).chain(unread)))
}
