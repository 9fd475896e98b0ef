//! What tells that something belongs to a run, and to which: everything that a run starts has it in its environment, and
//! its folder has it in a file. So it is known after the deaths of runner and keeper as well.

use crate::process::{self, Process};
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

/// In the environment of each node, and of all that it starts: the run's folder.
const FOLDER: &str = "CHAOS_RUN";
/// In the environment of the keeper, in place of that: the run's folder.
pub(crate) const KEEPER: &str = "CHAOS_KEEPER";
/// In both: the run's [`Runner`], as JSON.
const RUNNER: &str = "CHAOS_RUNNER";

/// On containers and networks: the run's folder.
#[cfg(feature = "docker")]
pub(crate) const FOLDER_LABEL: &str = "chaos.run";
/// On both: the run's [`Runner`], as JSON.
#[cfg(feature = "docker")]
const RUNNER_LABEL: &str = "chaos.runner";

/// The process that makes a run, and where its process id means something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Runner {
    #[serde(flatten)]
    pub(crate) process: Process,
    /// Containers count their processes apart (pid_namespaces(7)).
    pid_namespace: u64,
    /// Of this start of the machine.
    boot: String,
    /// The machine's name: folders may be shared between machines.
    machine: String,
}

/// What is known of a runner's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It runs.
    Alive,
    /// It doesn't.
    Gone,
    /// It was, or is, on another machine or in another container: nothing can be said from here.
    Elsewhere,
}

impl Runner {
    /// This process.
    pub(crate) fn this() -> io::Result<Self> {
        let text = |file: &str| fs::read_to_string(file).map(|text| text.trim().to_owned());
        Ok(Self {
            process: Process::this()?,
            pid_namespace: fs::metadata("/proc/self/ns/pid")?.ino(),
            boot: text("/proc/sys/kernel/random/boot_id")?,
            machine: text("/proc/sys/kernel/hostname")?,
        })
    }

    /// Whether it lives, as seen from the process `here`.
    pub(crate) fn life(&self, here: &Self) -> Life {
        match () {
            () if self.machine != here.machine => Life::Elsewhere,
            () if self.boot != here.boot => Life::Gone,
            () if self.pid_namespace != here.pid_namespace => Life::Elsewhere,
            () if self.process.is_alive() => Life::Alive,
            () => Life::Gone,
        }
    }
}

/// A run: its folder, and who makes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) folder: PathBuf,
    pub(crate) runner: Runner,
}

impl Mark {
    /// What each node gets in its environment.
    pub(crate) fn of_nodes(&self) -> [(String, String); 2] {
        [(FOLDER.to_owned(), self.folder.display().to_string()), (RUNNER.to_owned(), self.json())]
    }

    /// What the keeper gets.
    pub(crate) fn of_keeper(&self) -> [(String, String); 2] {
        [(KEEPER.to_owned(), self.folder.display().to_string()), (RUNNER.to_owned(), self.json())]
    }

    /// What each of its containers gets, and its network.
    #[cfg(feature = "docker")]
    pub(crate) fn labels(&self) -> [(&'static str, String); 2] {
        [(FOLDER_LABEL, self.folder.display().to_string()), (RUNNER_LABEL, self.json())]
    }

    /// That of the run which something with these labels belongs to.
    #[cfg(feature = "docker")]
    pub(crate) fn of_labels<'a>(label: impl Fn(&str) -> Option<&'a String>) -> Option<Self> {
        let runner = serde_json::from_str(label(RUNNER_LABEL)?).ok()?;
        Some(Self { folder: PathBuf::from(label(FOLDER_LABEL)?), runner })
    }

    /// As in the run's folder.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(&self.runner).unwrap_or_default()
    }
}

/// What a process is to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Belongs {
    pub(crate) folder: PathBuf,
    /// Not known of those that have lost their environment.
    pub(crate) runner: Option<Runner>,
    pub(crate) is_keeper: bool,
}

impl Belongs {
    /// What it is to the run with this mark: one of its processes, and not its keeper.
    pub(crate) fn is_part_of(&self, mark: &Mark) -> bool {
        !self.is_keeper
            && self.folder == mark.folder
            && self.runner.as_ref().is_none_or(|runner| *runner == mark.runner)
    }
}

/// Which run a process belongs to, if to any: by its environment; or, since some programs write over their environment
/// or start others with none, by where its output goes, which is a node's log.
pub(crate) fn of_process(pid: u32) -> Option<Belongs> {
    // That of a process that has ended, or is another user's, can't be read.
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    of_environment(&environment).or_else(|| of_output(pid))
}

fn of_environment(environment: &[u8]) -> Option<Belongs> {
    let value = |name: &str| {
        let mut variables = environment.split(|byte| *byte == 0);
        variables.find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    };
    let (folder, is_keeper) = match (value(KEEPER), value(FOLDER)) {
        (Some(folder), _) => (folder, true),
        (None, Some(folder)) => (folder, false),
        (None, None) => return None,
    };
    let runner = serde_json::from_slice(value(RUNNER)?).ok()?;
    Some(Belongs { folder: PathBuf::from(OsStr::from_bytes(folder)), runner: Some(runner), is_keeper })
}

fn of_output(pid: u32) -> Option<Belongs> {
    let log = ["1", "2"].iter().find_map(|fd| {
        let path = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
        let path = path.to_str()?.trim_end_matches(" (deleted)");
        (path.ends_with(".log") && is_written(pid, fd)).then(|| PathBuf::from(path))
    })?;
    let folder = log.parent()?;
    crate::run_folder::is_named_as_one(folder).then(|| Belongs {
        folder: folder.to_owned(),
        runner: None,
        is_keeper: false,
    })
}

/// Whether it was opened to be appended to, as nodes' logs are and as no reader does (proc(5), `/proc/<pid>/fdinfo`).
fn is_written(pid: u32, fd: &str) -> bool {
    const APPEND: u32 = 0o2000;
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    flags.is_some_and(|flags| flags & APPEND != 0)
}

/// All that belongs to any run whose folder is, or was, in `temp`.
pub(crate) fn processes_of_runs_in(temp: &Path) -> impl Iterator<Item = (u32, Belongs)> {
    let belonging = process::others_of_this_user().filter_map(|pid| of_process(pid).map(|belongs| (pid, belongs)));
    belonging.filter(move |(_, belongs)| {
        belongs.folder.parent() == Some(temp) && crate::run_folder::is_named_as_one(&belongs.folder)
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A runner that has ended: of this process id, and another start.
    pub(crate) fn gone() -> Runner {
        let mut runner = Runner::this().unwrap();
        runner.process.started += 1;
        runner
    }

    #[test]
    fn a_runner_lives_where_its_process_does() {
        let here = Runner::this().unwrap();
        assert_eq!(here.life(&here), Life::Alive);
        assert_eq!(gone().life(&here), Life::Gone, "its process id was used again");
        let earlier = Runner { boot: "another".to_owned(), ..here.clone() };
        assert_eq!(earlier.life(&here), Life::Gone, "the machine was started again since");
        let contained = Runner { pid_namespace: 1, ..gone() };
        assert_eq!(contained.life(&here), Life::Elsewhere);
        let other = Runner { machine: "another".to_owned(), boot: "another".to_owned(), ..gone() };
        assert_eq!(other.life(&here), Life::Elsewhere);
    }

    #[test]
    fn an_environment_says_which_run_and_whether_it_is_the_keepers() {
        let mark = Mark { folder: PathBuf::from("/tmp/chaos-1-2-3"), runner: gone() };
        let environment = |variables: &[(String, String)]| {
            let variables = variables.iter().map(|(name, value)| format!("{name}={value}\0"));
            of_environment(format!("A=b\0{}", variables.collect::<String>()).as_bytes())
        };
        let node = environment(&mark.of_nodes()).unwrap();
        assert!(node.is_part_of(&mark));
        assert!(!node.is_part_of(&Mark { folder: PathBuf::from("/tmp/chaos-1-2-30"), ..mark.clone() }));
        assert!(!node.is_part_of(&Mark { runner: Runner::this().unwrap(), ..mark.clone() }));
        let keeper = environment(&mark.of_keeper()).unwrap();
        assert!(keeper.is_keeper && !keeper.is_part_of(&mark));
        let [folder, _] = mark.of_nodes();
        assert_eq!(environment(&[folder]), None, "of whom it can't be said");
    }
}
