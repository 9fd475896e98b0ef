//! A run's folder: its name, and the record in it, a file that says whose it is. Only a folder with such a record is
//! ever removed as an orphan.

use crate::run_label::{RunLabel, Runner, maker};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// The record of a run that is made, or was never ended in good order.
const RECORD: &str = "run.json";
/// Name of the record once the run is over and its logs are kept on purpose.
const KEPT: &str = "kept.json";

/// The meaning of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    /// Nothing of ours, whatever its name says.
    Other,
    /// A run's, while that is made.
    Run(Runner),
    /// With logs of a run that is over.
    Kept(Runner),
    /// Made by the process with this id, which ended before it wrote the record. Nothing else is in it.
    Empty(u32),
}

/// A name that no folder has, nor gets from a run elsewhere that shares this folder of temporary files: of this process,
/// this millisecond, and numbered.
pub(crate) fn free(temp: &Path, now: Duration) -> PathBuf {
    let name = |n: u32| temp.join(format!("chaos-{}-{}-{n}", std::process::id(), now.as_millis()));
    let free = (1..).map(name).find(|folder| matches!(folder.try_exists(), Ok(false)));
    free.unwrap_or_else(|| name(0))
}

/// Makes it, for this user alone: logs may say what others are not to know. The record comes first.
pub(crate) fn make(label: &RunLabel) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(&label.folder)?;
    fs::write(label.folder.join(RECORD), label.json())
}

/// At the end of its run: keeps it, or removes it. Gives what could not be done, in words.
pub(crate) fn settle(folder: &Path, is_kept: bool) -> Option<String> {
    let result = if is_kept { keep(folder) } else { remove(folder) };
    result.err().map(|error| format!("{}: {error}", folder.display()))
}

/// Says that what is in it is kept on purpose.
fn keep(folder: &Path) -> io::Result<()> {
    fs::rename(folder.join(RECORD), folder.join(KEPT))
}

/// Removes it with all that is in it. That it is gone already is as good.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Removes one that has no record yet, and so can't have anything else.
pub(crate) fn remove_empty(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(RECORD)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::remove_dir(folder),
    }
}

/// Looks at a path and says what is there.
pub(crate) fn look(path: &Path) -> Folder {
    let user = rustix::process::geteuid().as_raw();
    let is_ours = |path: &Path, is: fn(&fs::Metadata) -> bool| {
        // A link is not what it leads to.
        fs::symlink_metadata(path).is_ok_and(|of| is(&of) && of.uid() == user)
    };
    let Some(pid) = maker(path) else { return Folder::Other };
    if !is_ours(path, fs::Metadata::is_dir) {
        return Folder::Other;
    }
    let record = |name: &str| {
        let file = path.join(name);
        let text = is_ours(&file, fs::Metadata::is_file).then(|| fs::read(&file).ok()).flatten()?;
        serde_json::from_slice(&text).ok().filter(|runner: &Runner| runner.process.pid == pid)
    };
    match (record(RECORD), record(KEPT)) {
        (Some(runner), None) => Folder::Run(runner),
        (None, Some(runner)) => Folder::Kept(runner),
        (None, None) if has_nothing(path) => Folder::Empty(pid),
        _ => Folder::Other,
    }
}

/// True where services have logs in it.
pub(crate) fn has_logs(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| Path::new(&entry.file_name()).extension().is_some_and(|end| end == "log"))
}

/// Nothing but a record that was never written.
fn has_nothing(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let is_unwritten = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| {
            entry.file_name() == RECORD && entry.metadata().is_ok_and(|of| of.is_file() && of.len() == 0)
        })
    };
    entries.into_iter().all(is_unwritten)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn label(temp: &Path) -> RunLabel {
        RunLabel { folder: free(temp, Duration::from_millis(7)), runner: Runner::this().unwrap() }
    }

    #[test]
    fn a_folder_is_known_by_its_record() {
        let temp = tempfile::tempdir().unwrap();
        let label = label(temp.path());
        make(&label).unwrap();
        assert_eq!(look(&label.folder), Folder::Run(label.runner.clone()));
        assert_ne!(free(temp.path(), Duration::from_millis(7)), label.folder);
        keep(&label.folder).unwrap();
        assert_eq!(look(&label.folder), Folder::Kept(label.runner));
        fs::write(label.folder.join("a.log"), "what it said").unwrap();
        fs::remove_file(label.folder.join(KEPT)).unwrap();
        assert_eq!(look(&label.folder), Folder::Other, "without a record it is anybody's");
    }

    #[test]
    fn a_folder_that_was_never_begun_is_known_by_having_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let folder = label(temp.path()).folder;
        fs::create_dir(&folder).unwrap();
        assert_eq!(look(&folder), Folder::Empty(std::process::id()));
        fs::write(folder.join(RECORD), "").unwrap();
        assert_eq!(look(&folder), Folder::Empty(std::process::id()));
        fs::write(folder.join("precious"), "").unwrap();
        assert_eq!(look(&folder), Folder::Other);
        assert!(remove_empty(&folder).is_err() && folder.join("precious").exists());
        fs::remove_file(folder.join("precious")).unwrap();
        remove_empty(&folder).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn what_only_looks_alike_is_not_ours() {
        let temp = tempfile::tempdir().unwrap();
        let label = label(temp.path());
        make(&label).unwrap();
        let link = temp.path().join("chaos-1-2-3");
        symlink(&label.folder, &link).unwrap();
        assert_eq!(look(&link), Folder::Other, "a link to a run's folder");
        let other = temp.path().join("chaos-4-5-6");
        fs::create_dir(&other).unwrap();
        fs::copy(label.folder.join(RECORD), other.join(RECORD)).unwrap();
        assert_eq!(look(&other), Folder::Other, "the record of another process");
        for name in
            ["chaos-1-2", "chaos-1-2-3-4", "chaos-1-2-x", "chaos--2-3", "chaos-1-2-", "Chaos-1-2-3", "chaos-+1-2-3"]
        {
            let folder = temp.path().join(name);
            fs::create_dir(&folder).unwrap();
            assert_eq!(look(&folder), Folder::Other, "{name}");
        }
        let file = temp.path().join("chaos-7-8-9");
        fs::write(&file, "").unwrap();
        assert_eq!(look(&file), Folder::Other, "a file");
    }
}
