//! The runner's side of the keeper.

use super::protocol::{Ask, Exited, Launch, NodeSignal, Tell};
use crate::mark::Mark;
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// How long nodes have to end by themselves.
const GRACE: Duration = Duration::from_secs(3);

/// The keeper said or did something that a keeper doesn't.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// It is gone, or its pipe is.
    #[error("the keeper of this run is gone: {0}")]
    Gone(io::Error),
    /// A node could not be started.
    #[error("{name} can't be started: {why}")]
    NotLaunched {
        /// The node's name.
        name: String,
        /// What the machine said.
        why: String,
    },
}

/// A running keeper. Dropping it closes its pipe, so that it removes everything.
#[derive(Debug)]
pub struct Keeper {
    process: Child,
    ask: ChildStdin,
    tell: Lines<BufReader<ChildStdout>>,
    /// What it told while something else was waited for.
    exits: VecDeque<Exited>,
}

impl Keeper {
    /// Starts `executable keeper`, in a process group of its own, so that a Ctrl-C in the terminal doesn't reach it. It
    /// carries the mark of the run that it keeps.
    ///
    /// # Errors
    /// Where it can't be started.
    pub(crate) fn start(executable: &Path, mark: &Mark) -> Result<Self, KeeperError> {
        let mut command = Command::new(executable);
        command
            .arg0("chaos")
            .arg("keeper")
            .envs(mark.of_keeper())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut process = command.spawn().map_err(KeeperError::Gone)?;
        let (Some(ask), Some(tell)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(KeeperError::Gone(io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Self { process, ask, tell: BufReader::new(tell).lines(), exits: VecDeque::new() })
    }

    /// Tells it of the run's folder, before that is made.
    ///
    /// # Errors
    /// Where the keeper is gone.
    pub async fn own(&mut self, folder: PathBuf) -> Result<(), KeeperError> {
        self.send(&Ask::Own(folder)).await
    }

    /// Tells it whose containers and networks are the run's, before any is made.
    ///
    /// # Errors
    /// Where the keeper is gone.
    #[cfg(feature = "docker")]
    pub(crate) async fn own_containers(&mut self, mark: &Mark) -> Result<(), KeeperError> {
        self.send(&Ask::OwnContainers(mark.clone())).await
    }

    /// Starts nodes, all at once, and gives their process ids.
    ///
    /// # Errors
    /// Where one can't be started.
    pub async fn launch(&mut self, launches: Vec<Launch>) -> Result<BTreeMap<String, u32>, KeeperError> {
        let count = launches.len();
        for launch in launches {
            self.send(&Ask::Launch(launch)).await?;
        }
        let mut pids = BTreeMap::new();
        while pids.len() < count {
            match self.receive().await? {
                Tell::Launched { name, pid } => drop(pids.insert(name, pid)),
                Tell::NotLaunched { name, why } => return Err(KeeperError::NotLaunched { name, why }),
                Tell::Exited(exit) => self.exits.push_back(exit),
                Tell::Signalled { .. } => {}
                Tell::Stopped { .. } => return Err(KeeperError::Gone(io::ErrorKind::UnexpectedEof.into())),
            }
        }
        Ok(pids)
    }

    /// Sends a signal to a node. When it returns, the signal was sent.
    ///
    /// # Errors
    /// Where the keeper is gone.
    pub async fn signal(&mut self, node: &str, signal: NodeSignal) -> Result<(), KeeperError> {
        self.send(&Ask::Signal { name: node.to_owned(), signal }).await?;
        loop {
            match self.receive().await? {
                Tell::Signalled { name } if name == node => return Ok(()),
                Tell::Exited(exit) => self.exits.push_back(exit),
                Tell::Signalled { .. } | Tell::Launched { .. } | Tell::NotLaunched { .. } | Tell::Stopped { .. } => {}
            }
        }
    }

    /// Waits until this node has ended.
    ///
    /// # Errors
    /// Where the keeper is gone.
    pub async fn exited_of(&mut self, node: &str) -> Result<Exited, KeeperError> {
        loop {
            if let Some(index) = self.exits.iter().position(|exit| exit.name == node)
                && let Some(exit) = self.exits.remove(index)
            {
                return Ok(exit);
            }
            if let Tell::Exited(exit) = self.receive().await? {
                self.exits.push_back(exit);
            }
        }
    }

    /// Waits for a node to end. Safe to drop.
    ///
    /// # Errors
    /// Where the keeper is gone.
    pub async fn exited(&mut self) -> Result<Exited, KeeperError> {
        loop {
            if let Some(exit) = self.exits.pop_front() {
                return Ok(exit);
            }
            if let Tell::Exited(exit) = self.receive().await? {
                return Ok(exit);
            }
        }
    }

    /// Ends every node and the keeper, and gives what could not be removed.
    ///
    /// # Errors
    /// Where the keeper is gone, or does not end: then it is killed, and what its nodes started may be left.
    pub async fn stop(mut self, keep_folder: bool) -> Result<Vec<String>, KeeperError> {
        let grace_ms = u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX);
        let stopped = async {
            self.send(&Ask::Stop { grace_ms, keep_folder }).await?;
            loop {
                if let Tell::Stopped { left } = self.receive().await? {
                    return Ok(left);
                }
            }
        };
        let late = |_| Err(KeeperError::Gone(io::ErrorKind::TimedOut.into()));
        let left = tokio::time::timeout(GRACE * 3, stopped).await.unwrap_or_else(late);
        drop(self.ask);
        if left.is_err() || tokio::time::timeout(GRACE, self.process.wait()).await.is_err() {
            // Its nodes go with it, by the kernel's hand.
            let _ = self.process.start_kill();
        }
        left
    }

    async fn send(&mut self, ask: &Ask) -> Result<(), KeeperError> {
        let mut line = serde_json::to_vec(ask).map_err(|error| KeeperError::Gone(error.into()))?;
        line.push(b'\n');
        self.ask.write_all(&line).await.map_err(KeeperError::Gone)
    }

    async fn receive(&mut self) -> Result<Tell, KeeperError> {
        let line = self.tell.next_line().await.map_err(KeeperError::Gone)?;
        let line = line.ok_or_else(|| KeeperError::Gone(io::ErrorKind::UnexpectedEof.into()))?;
        serde_json::from_str(&line).map_err(|error| KeeperError::Gone(error.into()))
    }
}
