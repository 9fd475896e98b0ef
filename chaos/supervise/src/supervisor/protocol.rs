#[cfg(feature = "docker")]
use crate::run_label::RunLabel;
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
    /// Send a signal to a service and whatever it started.
    Signal {
        /// The service's name.
        name: String,
        /// The signal.
        signal: ServiceSignal,
    },
    /// End every service: SIGTERM, and SIGKILL for those that are still there after `grace_ms`; then remove the folder
    /// unless it is to be kept; then end.
    Stop {
        /// Milliseconds that they have.
        grace_ms: u64,
        /// Keep the folder with the logs.
        keep_folder: bool,
    },
}

/// A service to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// Name of the service.
    pub name: String,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Environment of the service, or what is added to the supervisor's.
    pub env: BTreeMap<String, String>,
    /// True where it also gets the supervisor's environment.
    pub inherit_env: bool,
    /// Working directory of the service.
    pub folder: PathBuf,
    /// File that its output goes to.
    pub log: PathBuf,
}

/// Signals that a service can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceSignal {
    /// SIGTERM: end in good order.
    Terminate,
    /// SIGKILL: end now.
    Kill,
    /// SIGSTOP: freeze.
    Freeze,
    /// SIGCONT: go on.
    Continue,
}

/// Replies and news of the supervisor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tell {
    /// The service runs.
    Launched { name: String, pid: u32 },
    /// The service could not be started.
    NotLaunched { name: String, why: String },
    /// The signal was sent, or the service is gone.
    Signalled { name: String },
    /// The service ended.
    Exited(Exited),
    /// Everything is stopped; what could not be removed, in words.
    Stopped { left: Vec<String> },
}

/// A service that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// Name of the service.
    pub name: String,
    /// The way it ended, as `exit status: 1` or `signal: 9 (SIGKILL)`.
    pub how: String,
}
