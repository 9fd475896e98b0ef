//! The run label: tells that something belongs to a run, and to which. Everything that a run starts has it in its
//! environment, and its folder has it in a file. So it is known after the deaths of runner and supervisor as well.

use crate::process::{self, Process};
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

/// In the environment of each service, and of all that it starts: the run's folder.
const FOLDER: &str = "CHAOS_RUN";
/// In the environment of the supervisor, in place of that: the run's folder.
pub(crate) const SUPERVISOR: &str = "CHAOS_SUPERVISOR";
/// In the environment of each service, and of all that it starts: the service's name.
pub(crate) const SERVICE: &str = "CHAOS_SERVICE";
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
    /// The id of this start of the machine.
    boot: String,
    /// The machine's name: folders may be shared between machines.
    machine: String,
}

/// State of a runner, as far as it is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// The runner runs.
    Alive,
    /// The runner does not run.
    Gone,
    /// A runner on another machine or in another container: nothing can be said of it from here.
    Elsewhere,
}

impl Runner {
    /// The runner that this process is.
    pub(crate) fn this() -> io::Result<Self> {
        let text = |file: &str| fs::read_to_string(file).map(|text| text.trim().to_owned());
        Ok(Self {
            process: Process::this()?,
            pid_namespace: fs::metadata("/proc/self/ns/pid")?.ino(),
            boot: text("/proc/sys/kernel/random/boot_id")?,
            machine: text("/proc/sys/kernel/hostname")?,
        })
    }

    // By process id and start, on this machine, in this start of it and in this PID namespace. A lock on a file would
    // say as much, but nothing of processes whose folder is gone.
    /// State of the runner as seen from the process `here`.
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
pub struct RunLabel {
    /// The run's folder.
    pub folder: PathBuf,
    pub(crate) runner: Runner,
}

impl RunLabel {
    /// Variables that each service gets in its environment.
    #[must_use]
    pub fn of_services(&self) -> [(String, String); 2] {
        [(FOLDER.to_owned(), self.folder.display().to_string()), (RUNNER.to_owned(), self.json())]
    }

    /// Variables that the supervisor gets.
    pub(crate) fn of_supervisor(&self) -> [(String, String); 2] {
        [(SUPERVISOR.to_owned(), self.folder.display().to_string()), (RUNNER.to_owned(), self.json())]
    }

    /// Labels that each of its containers gets, and its network.
    #[cfg(feature = "docker")]
    #[must_use]
    pub fn engine_labels(&self) -> [(&'static str, String); 2] {
        [(FOLDER_LABEL, self.folder.display().to_string()), (RUNNER_LABEL, self.json())]
    }

    /// The run label that something with these labels belongs to.
    #[cfg(feature = "docker")]
    pub(crate) fn of_labels<'a>(label: impl Fn(&str) -> Option<&'a String>) -> Option<Self> {
        let runner = serde_json::from_str(label(RUNNER_LABEL)?).ok()?;
        Some(Self { folder: PathBuf::from(label(FOLDER_LABEL)?), runner })
    }

    /// The runner as JSON, as it stands in the run's folder.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(&self.runner).unwrap_or_default()
    }
}

/// The part that a process has in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Belongs {
    pub(crate) folder: PathBuf,
    /// Not known of those that have lost their environment.
    pub(crate) runner: Option<Runner>,
    pub(crate) is_supervisor: bool,
}

impl Belongs {
    /// True for a process of the run with this label that is not its supervisor.
    pub(crate) fn is_part_of(&self, label: &RunLabel) -> bool {
        !self.is_supervisor
            && self.folder == label.folder
            && self.runner.as_ref().is_none_or(|runner| *runner == label.runner)
    }
}

/// The run that a process belongs to, if to any: by its environment; or, since some programs write over their
/// environment or start others with none, by where its output goes, which is a service's log.
pub(crate) fn of_process(pid: u32) -> Option<Belongs> {
    // Some programs write over their environment (for their title in `ps`), or start others with none; what has left
    // both environment and output behind can be known by its control group alone, which not everybody can make.
    // That of a process that has ended, or is another user's, can't be read.
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    of_environment(&environment).or_else(|| of_output(pid))
}

/// The service that started a process, by the environment of that.
pub(crate) fn service_of(pid: u32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    String::from_utf8(variable(&environment, SERVICE)?.to_vec()).ok()
}

/// The value of a variable in an environment as proc(5) shows it.
fn variable<'e>(environment: &'e [u8], name: &str) -> Option<&'e [u8]> {
    let mut variables = environment.split(|byte| *byte == 0);
    variables.find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

fn of_environment(environment: &[u8]) -> Option<Belongs> {
    let value = |name: &str| variable(environment, name);
    let (folder, is_supervisor) = match (value(SUPERVISOR), value(FOLDER)) {
        (Some(folder), _) => (folder, true),
        (None, Some(folder)) => (folder, false),
        (None, None) => return None,
    };
    let runner = serde_json::from_slice(value(RUNNER)?).ok()?;
    Some(Belongs { folder: PathBuf::from(OsStr::from_bytes(folder)), runner: Some(runner), is_supervisor })
}

/// The log of a service that the output of a process goes to.
pub(crate) fn output_of(pid: u32) -> Option<PathBuf> {
    ["1", "2"].iter().find_map(|fd| {
        let path = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
        let path = path.to_str()?.trim_end_matches(" (deleted)");
        (path.ends_with(".log") && is_written(pid, fd)).then(|| PathBuf::from(path))
    })
}

/// True where a path has the name of a run's folder.
pub(crate) fn is_run_folder(path: &Path) -> bool {
    maker(path).is_some()
}

/// The process id in the name of a run's folder.
pub(crate) fn maker(path: &Path) -> Option<u32> {
    let numbers: Vec<&str> = path.file_name()?.to_str()?.strip_prefix("chaos-")?.split('-').collect();
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if numbers.len() == 3 && numbers.iter().all(is_number) { numbers[0].parse().ok() } else { None }
}

fn of_output(pid: u32) -> Option<Belongs> {
    let log = output_of(pid)?;
    let folder = log.parent()?;
    is_run_folder(folder).then(|| Belongs { folder: folder.to_owned(), runner: None, is_supervisor: false })
}

/// True where it was opened to be appended to, as services' logs are and as no reader does (proc(5),
/// `/proc/<pid>/fdinfo`).
fn is_written(pid: u32, fd: &str) -> bool {
    const APPEND: u32 = 0o2000;
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    flags.is_some_and(|flags| flags & APPEND != 0)
}

/// All that belongs to any run whose folder is, or was, in `temp`.
pub(crate) fn processes_of_runs_in(temp: &Path) -> impl Iterator<Item = (u32, Belongs)> {
    let belonging = process::others_of_this_user().filter_map(|pid| of_process(pid).map(|belongs| (pid, belongs)));
    belonging.filter(move |(_, belongs)| belongs.folder.parent() == Some(temp) && is_run_folder(&belongs.folder))
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
    fn an_environment_says_which_run_and_whether_it_is_the_supervisors() {
        let label = RunLabel { folder: PathBuf::from("/tmp/chaos-1-2-3"), runner: gone() };
        let environment = |variables: &[(String, String)]| {
            let variables = variables.iter().map(|(name, value)| format!("{name}={value}\0"));
            of_environment(format!("A=b\0{}", variables.collect::<String>()).as_bytes())
        };
        let service = environment(&label.of_services()).unwrap();
        assert!(service.is_part_of(&label));
        assert!(!service.is_part_of(&RunLabel { folder: PathBuf::from("/tmp/chaos-1-2-30"), ..label.clone() }));
        assert!(!service.is_part_of(&RunLabel { runner: Runner::this().unwrap(), ..label.clone() }));
        let supervisor = environment(&label.of_supervisor()).unwrap();
        assert!(supervisor.is_supervisor && !supervisor.is_part_of(&label));
        let [folder, _] = label.of_services();
        assert_eq!(environment(&[folder]), None, "of whom it can't be said");
    }
}
