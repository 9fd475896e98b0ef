#[cfg(feature = "docker")]
use crate::mark::Mark;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// What the runner asks, one JSON object a line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    /// This folder is the run's: remove it when the runner is gone. Said before it is made.
    Own(PathBuf),
    /// Containers and networks with this mark are the run's: remove them when the runner is gone. Said before any is made.
    #[cfg(feature = "docker")]
    OwnContainers(Mark),
    /// Start a node.
    Launch(Launch),
    /// Send a signal to a node and whatever it started.
    Signal {
        /// The node's name.
        name: String,
        /// Which.
        signal: NodeSignal,
    },
    /// End every node: SIGTERM, and SIGKILL for those that are still there after `grace_ms`; then remove the folder
    /// unless it is to be kept; then end.
    Stop {
        /// How long they have.
        grace_ms: u64,
        /// Keep the folder with the logs.
        keep_folder: bool,
    },
}

/// A node to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// Its name.
    pub name: String,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Its environment, or what is added to the keeper's.
    pub env: BTreeMap<String, String>,
    /// Whether it also gets the keeper's environment.
    pub inherit_env: bool,
    /// Its working directory.
    pub folder: PathBuf,
    /// Where its output goes.
    pub log: PathBuf,
}

/// What a node can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeSignal {
    /// SIGTERM: end in good order.
    Terminate,
    /// SIGKILL: end now.
    Kill,
    /// SIGSTOP: freeze.
    Freeze,
    /// SIGCONT: go on.
    Continue,
}

/// What the keeper answers and tells.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tell {
    /// It runs.
    Launched { name: String, pid: u32 },
    /// It could not be started.
    NotLaunched { name: String, why: String },
    /// The signal was sent, or the node is gone.
    Signalled { name: String },
    /// It ended.
    Exited(Exited),
    /// Everything is stopped; what could not be removed, in words.
    Stopped { left: Vec<String> },
}

/// A node that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// Its name.
    pub name: String,
    /// How, as `exit status: 1` or `signal: 9 (SIGKILL)`.
    pub how: String,
}
