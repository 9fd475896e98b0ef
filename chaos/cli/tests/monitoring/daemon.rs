//! Programs of others that a test needs beside a run, each on a port of its own.

use crate::support::ask;
use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

/// Until it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that listens. It is killed when this is dropped.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Daemon {
    /// Starts it, with its log in this folder, and waits until it answers `GET path` with 200. Between finding a port
    /// and its listening there, another may take it: then it ends, and is started on the next.
    pub(crate) async fn start(folder: &Path, path: &str, command: impl Fn(SocketAddr) -> Command) -> Self {
        for _ in 0..5 {
            let address = ask::free();
            let mut command = command(address);
            let log = folder.join(format!("{}.log", address.port()));
            let out = std::fs::File::create(&log).expect("a log");
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out).kill_on_drop(true).current_dir(folder);
            let mut daemon = Self { child: command.spawn().expect("it starts"), address };
            if daemon.answers(path).await {
                return daemon;
            }
            eprintln!("{command:?}: {}", std::fs::read_to_string(log).unwrap_or_default());
        }
        panic!("it never answers")
    }

    /// Waits until it answers; whether it does.
    async fn answers(&mut self, path: &str) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if ask::listens(self.address).await && ask::get(self.address, path).await.starts_with("HTTP/1.1 200 ") {
                // Else it was another's response.
                return self.is_running();
            }
            if !self.is_running() {
                return false;
            }
            sleep(Duration::from_millis(20)).await;
        }
        false
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_none()
    }
}
