//! `--logs FOLDER`: what the services of each simulated run logged, as files.

use chaos_run::Options;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// The folder, and what is in it by now.
#[derive(Debug)]
pub(super) struct LogFiles {
    folder: PathBuf,
    /// Runs that have written theirs, by their place.
    taken: BTreeSet<PathBuf>,
}

impl LogFiles {
    /// Makes the folder, and finds out whether files can be written there.
    ///
    /// # Errors
    /// In words, for people: it is no place for them. That is a mistake in the command line.
    pub(super) fn at(folder: &Path) -> Result<Self, String> {
        let probe = || {
            fs::create_dir_all(folder)?;
            let file = folder.join(format!(".{}.new", std::process::id()));
            fs::write(&file, "").and_then(|()| fs::remove_file(&file))
        };
        probe().map_err(|error| no_place(folder, &error))?;
        Ok(Self { folder: folder.to_owned(), taken: BTreeSet::new() })
    }

    /// Writes what the services of a run logged to `SCENARIO/seed-N/SERVICE.log`. Another run of the session that would
    /// write to the same place, as a guard's or one of a file of the same name elsewhere, gets `SCENARIO-2`.
    ///
    /// # Errors
    /// In words, for people.
    pub(super) fn write(&mut self, options: &Options, logs: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
        let place = self.take(options);
        let write = || {
            fs::create_dir_all(&place)?;
            logs.iter().try_for_each(|(service, lines)| fs::write(place.join(format!("{service}.log")), lines))
        };
        write().map_err(|error| no_place(&place, &error))
    }

    fn take(&mut self, options: &Options) -> PathBuf {
        let stem = Path::new(&options.file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = match (&options.without, options.control) {
            (Some(_), _) => format!("{stem}.guard"),
            (None, true) => format!("{stem}.control"),
            (None, false) => stem,
        };
        let seed = format!("seed-{}", options.seed);
        let mut place = self.folder.join(&name).join(&seed);
        let mut nth = 1;
        while !self.taken.insert(place.clone()) {
            nth += 1;
            place = self.folder.join(format!("{name}-{nth}")).join(&seed);
        }
        place
    }
}

fn no_place(folder: &Path, error: &io::Error) -> String {
    format!("--logs: can't write to {}: {error}", folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(file: &str) -> Options {
        Options { file: file.to_owned(), seed: 7, ..Options::default() }
    }

    #[test]
    fn no_run_writes_over_anothers() {
        let scratch = tempfile::tempdir().unwrap();
        let mut files = LogFiles::at(&scratch.path().join("new").join("logs")).unwrap();
        let guard = Options { without: Some("the cache".to_owned()), ..run("a/one.toml") };
        let control = Options { control: true, ..run("a/one.toml") };
        let other_seed = Options { seed: 8, ..run("a/one.toml") };
        let places = [run("a/one.toml"), run("b/one.toml"), guard.clone(), guard, control, other_seed].map(|options| {
            let place = files.take(&options);
            place.strip_prefix(&files.folder).unwrap().display().to_string()
        });
        let wanted = [
            "one/seed-7",
            "one-2/seed-7",
            "one.guard/seed-7",
            "one.guard-2/seed-7",
            "one.control/seed-7",
            "one/seed-8",
        ];
        assert_eq!(places, wanted);
    }

    #[test]
    fn what_is_no_place_for_logs_is_found_out_at_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let why = LogFiles::at(&file.path().join("logs")).unwrap_err();
        assert!(why.starts_with("--logs: can't write to ") && why.contains("/logs: "), "{why}");
    }
}
