//! One command a file.

mod attached;
pub(crate) mod calibrate;
pub(crate) mod check;
pub(crate) mod cleanup;
mod compare;
pub(crate) mod completions;
mod control;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod explore;
mod grafana;
#[cfg(feature = "init")]
pub(crate) mod init;
mod log_files;
pub(crate) mod man;
mod metrics_file;
pub(crate) mod prove;
pub(crate) mod proxy;
mod read;
mod recorded;
pub(crate) mod report;
mod reports;
pub(crate) mod rerun;
mod result_files;
pub(crate) mod run;
pub(crate) mod schema;
mod seeds;
pub(crate) mod serve;
mod session;
mod simulate;
pub(crate) mod supervisor;

use crate::exit::Exit;
use chaos_model::plain::plain;
use std::io::{self, Write as _};

/// Complains on standard error. What comes from files and peers changes nothing there but what is said.
fn complain(command: &str, why: &str) {
    let lines: Vec<String> = why.lines().map(plain).collect();
    eprintln!("chaos {command}: {}", lines.join("\n"));
}

/// Says what is wrong with the command line.
fn refuse(command: &str, why: &str) -> Exit {
    complain(command, why);
    Exit::Invalid
}

/// Writes a text that is all that the command is asked for.
fn print(command: &str, text: &[u8]) -> Exit {
    let mut out = io::stdout();
    match out.write_all(text).and_then(|()| out.flush()) {
        Ok(()) => Exit::Pass,
        // Whoever reads has enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Pass,
        Err(error) => {
            eprintln!("chaos {command}: can't write: {error}");
            Exit::Machine
        }
    }
}

/// Runs a command that needs the network, and says what the machine refused.
fn in_runtime(command: &str, run: impl AsyncFnOnce() -> Result<Exit, String>) -> Exit {
    let result = tokio::runtime::Runtime::new().map_err(|error| error.to_string()).and_then(|runtime| {
        let result = runtime.block_on(run());
        // Nothing of a run is left to wait for: what still runs are idle timers.
        runtime.shutdown_background();
        result
    });
    result.unwrap_or_else(|why| {
        complain(command, &why);
        Exit::Machine
    })
}
