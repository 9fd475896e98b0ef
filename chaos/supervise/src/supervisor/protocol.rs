#[cfg(feature = "docker")]
use crate::run_label::RunLabel;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// Requests of the runner, one JSON object a line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    /// The folder is the run's: remove it when the runner is gone. Said before it is made.
    Own(PathBuf),
    /// Containers and networks with this run label are the run's: remove them when the runner is gone. Said before any
    /// is made.
    #[cfg(feature = "docker")]
    OwnContainers(RunLabel),
    /// Start a service.
    Launch(Launch),
    /// Run a command to its end.
    Run(Errand),
    /// Run these commands once this service has ended with the run, in their order.
    Owe {
        /// The service's name.
        service: String,
        /// The commands.
        errands: Vec<Errand>,
    },
    /// Send a signal to a service and whatever came of it.
    Signal {
        /// The service's name.
        name: String,
        /// The signal.
        signal: ServiceSignal,
    },
    /// Ask a service to end, by its own signal; SIGKILL where it has not after its own grace.
    End {
        /// The service's name.
        name: String,
    },
    /// End every service as `End` does; then remove the folder unless it is to be kept; then end.
    Stop {
        /// Keep the folder with the logs.
        keep_folder: bool,
    },
}

/// A process to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Name of the service, or of the errand.
    pub name: String,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Its environment, or what is added to the supervisor's.
    pub env: BTreeMap<String, String>,
    /// True where it also gets the supervisor's environment.
    pub inherit_env: bool,
    /// Its working directory.
    pub folder: PathBuf,
    /// File that its output goes to.
    pub log: PathBuf,
}

/// A service to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// Its process.
    pub program: Program,
    /// Name of the signal that asks it to end, one of [`STOP_SIGNALS`]; SIGTERM where it is another.
    pub stop_signal: String,
    /// Milliseconds that it has to end, before SIGKILL.
    pub stop_grace_ms: u64,
}

/// A command that is run to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// Its process. Nothing else that runs has its name.
    pub program: Program,
    /// Milliseconds that it has, before SIGKILL.
    pub limit_ms: u64,
}

/// An errand's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// Its name.
    pub name: String,
    /// Its command, in words.
    pub command: String,
    /// The way in which it ended, as `ended with exit status: 1`; or that it did not.
    pub how: String,
    /// True where it did what it was for.
    pub is_well: bool,
    /// The last lines of its output, where it did not.
    pub last_lines: Vec<String>,
}

/// Signals by which services can be asked to end, by name (signal(7)).
pub const STOP_SIGNALS: [(&str, Signal); 7] = [
    ("SIGTERM", Signal::TERM),
    ("SIGINT", Signal::INT),
    ("SIGQUIT", Signal::QUIT),
    ("SIGHUP", Signal::HUP),
    ("SIGUSR1", Signal::USR1),
    ("SIGUSR2", Signal::USR2),
    ("SIGWINCH", Signal::WINCH),
];

/// Signals that no process can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceSignal {
    /// SIGKILL: end now.
    Kill,
    /// SIGSTOP: freeze.
    Freeze,
    /// SIGCONT: go on.
    Continue,
}

impl ServiceSignal {
    /// The state that it brings processes into.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Kill => "killed",
            Self::Freeze => "frozen",
            Self::Continue => "woken",
        }
    }
}

/// Replies and news of the supervisor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tell {
    /// The service runs.
    Launched { name: String, pid: u32 },
    /// The service could not be started.
    NotLaunched { name: String, why: String },
    /// The signal has worked, or the service is gone; processes on which it has not, in words.
    Signalled { name: String, unreached: Vec<String> },
    /// The service was asked to end.
    Ending { name: String },
    /// The service ended.
    Exited(Exited),
    /// The errand ended.
    Ran(Ran),
    /// Everything is stopped; what could not be removed, in words.
    Stopped { left: Vec<String> },
}

/// A service that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// Name of the service.
    pub name: String,
    /// The way its main process ended, as `exit status: 1` or `signal: 9 (SIGKILL)`.
    pub how: String,
    /// Milliseconds after which it was killed, where it was asked to end and did not.
    pub killed_after_ms: Option<u64>,
    /// Processes of it that could not be killed, in words.
    pub unreached: Vec<String>,
}
