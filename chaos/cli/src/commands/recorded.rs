//! Recordings: read, and taken apart into scenarios, each with its runs.

use chaos_model::{Event, Record, event::Begin};
use chaos_report::{
    Outcome,
    json::{Reader, count_runs},
    results::Results,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

/// A recording, which is read from its beginning as often as one likes: memory holds one event of it at a time.
pub(super) struct Recording {
    file: File,
    /// Bytes of it as it was opened: what a run that goes on writes behind them is not there for any reader.
    length: u64,
}

/// The bytes of a recording from some place on.
struct Bytes<'r> {
    recording: &'r Recording,
    at: u64,
}

impl Recording {
    /// Opens a recording; `-` is standard input. What can be read once only is put aside into a file without a name.
    ///
    /// # Errors
    /// Those of opening it, and of putting it aside.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = if path == Path::new("-") {
            put_aside(&mut io::stdin().lock())?
        } else {
            let mut file = File::open(path)?;
            if file.metadata()?.is_file() { file } else { put_aside(&mut file)? }
        };
        Ok(Self { length: file.metadata()?.len(), file })
    }

    /// The number of its runs.
    pub(super) fn runs(&self) -> usize {
        count_runs(self.bytes())
    }

    /// Its events, from the first. What can't be read is the last.
    pub(super) fn records(&self) -> Reader<impl io::BufRead> {
        Reader::new(self.bytes())
    }

    fn bytes(&self) -> BufReader<Bytes<'_>> {
        BufReader::with_capacity(1 << 16, Bytes { recording: self, at: 0 })
    }
}

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.recording.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let room = buffer.len().min(left);
        let read = self.recording.file.read_at(&mut buffer[..room], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Copies what can be read once only into a file that has lost its name already, so that nothing is left however this ends.
fn put_aside(from: &mut impl Read) -> io::Result<File> {
    let nameless = |nth: u32| {
        let path = std::env::temp_dir().join(format!("chaos-recording-{}-{nth}", std::process::id()));
        // A new one: what somebody else has put there is neither followed nor written to.
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    };
    let is_taken = |made: &io::Result<File>| {
        made.as_ref().is_err_and(|error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists)
    };
    let mut file = (0..100).map(nameless).find(|made| !is_taken(made)).unwrap_or_else(|| {
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is no free name in the folder for temporary files"))
    })?;
    io::copy(from, &mut file)?;
    Ok(file)
}

/// The runs of a scenario: one with its faults, and those that are compared with it (guards, control).
pub(super) struct RecordedScenario<'r> {
    runs: Vec<(&'r Begin, &'r [Record])>,
}

impl<'r> RecordedScenario<'r> {
    /// The scenarios of a recording, in the order of their first runs.
    pub(super) fn all(records: &'r [Record]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for records in records.chunk_by(|_, next| !matches!(next.event, Event::Begin(_))) {
            let Some(Event::Begin(begin)) = records.first().map(|first| &first.event) else { continue };
            let is_compared = begin.control || begin.without.is_some();
            let with = all.iter_mut().rfind(|one| is_compared && one.is_of(begin));
            match with {
                Some(one) => one.runs.push((begin, records)),
                None => all.push(Self { runs: vec![(begin, records)] }),
            }
        }
        all
    }

    fn is_of(&self, begin: &Begin) -> bool {
        self.begins().any(|own| (&own.file, &own.world, own.seed) == (&begin.file, &begin.world, begin.seed))
    }

    /// Beginnings of its runs, in the order in which they were made.
    pub(super) fn begins(&self) -> impl Iterator<Item = &'r Begin> {
        self.runs.iter().map(|(begin, _)| *begin)
    }

    /// The outcome of the scenario: what a guard or a control is meant to break is no failure.
    pub(super) fn outcome(&self) -> Outcome {
        let mut results = Results::default();
        self.runs.iter().flat_map(|(_, records)| *records).for_each(|record| results.on(record));
        let scenarios = results.scenarios();
        if scenarios.is_empty() {
            // What they are to be compared with is in no recording.
            return Outcome::worst(self.runs.iter().map(|(_, records)| Outcome::of(*records)));
        }
        Outcome::worst(scenarios.iter().map(chaos_report::results::ScenarioResult::outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{Verdict, event::FORMAT};

    #[test]
    fn a_recording_is_read_twice_wherever_it_comes_from_and_as_it_was_when_it_was_opened() {
        let recorded = |records: &[Record]| {
            let mut writer = chaos_report::json::Writer::new(Vec::new());
            records.iter().for_each(|record| writer.on(record).unwrap());
            writer.into_inner()
        };
        let bytes = recorded(&[run("a", None, false, None), run("b", None, false, Some(Verdict::Pass))].concat());
        let read = |recording: &Recording| {
            let records: Vec<Record> = recording.records().map(Result::unwrap).collect();
            (recording.runs(), records.len())
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        fs::write(&path, &bytes).unwrap();
        let recording = Recording::open(&path).unwrap();
        fs::write(&path, [&bytes[..], &bytes].concat()).unwrap();
        assert_eq!([read(&recording), read(&recording)], [(2, 3); 2]);

        let piped = put_aside(&mut &bytes[..]).unwrap();
        let recording = Recording { length: piped.metadata().unwrap().len(), file: piped };
        assert_eq!([read(&recording), read(&recording)], [(2, 3); 2]);
    }

    fn run(file: &str, without: Option<&str>, control: bool, verdict: Option<Verdict>) -> Vec<Record> {
        let begin = Begin {
            format: FORMAT,
            file: file.to_owned(),
            without: without.map(str::to_owned),
            control,
            ..Begin::default()
        };
        let end = verdict.map(|verdict| Event::End { verdict: Some(verdict) });
        let events = std::iter::once(Event::Begin(begin)).chain(end);
        events.map(|event| Record { at_us: 0, event }).collect()
    }

    #[test]
    fn runs_that_are_compared_are_with_the_scenario_that_they_are_of() {
        let records = [
            run("a", None, false, Some(Verdict::Pass)),
            run("b", None, false, Some(Verdict::Fail)),
            run("a", Some("the cache"), false, Some(Verdict::Pass)),
            run("b", None, true, Some(Verdict::Fail)),
            run("c", Some("the cache"), false, Some(Verdict::Fail)),
            run("a", None, false, None),
        ]
        .concat();
        let all = RecordedScenario::all(&records);
        let files: Vec<Vec<&str>> = all.iter().map(|one| one.begins().map(|begin| &*begin.file).collect()).collect();
        assert_eq!(files, [vec!["a", "a"], vec!["b", "b"], vec!["c"], vec!["a"]]);
        let outcomes: Vec<Outcome> = all.iter().map(RecordedScenario::outcome).collect();
        // The plan of the first has no such guard, so that nothing is compared; what was cut off has not passed.
        let of = Outcome::Verdict;
        assert_eq!(outcomes, [of(Verdict::Pass), of(Verdict::Fail), of(Verdict::Fail), Outcome::Interrupted]);
    }
}
