//! Interrupts: Ctrl-C and SIGTERM end a run in good order; a second one ends the process at once, and the keeper tidies.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for the signals that end a run.
pub(crate) struct Interrupts {
    int: Signal,
    term: Signal,
    hangup: Signal,
}

impl Interrupts {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal, by name.
    pub(crate) async fn next(&mut self) -> String {
        let name = tokio::select! {
            biased;
            _ = self.int.recv() => "SIGINT",
            _ = self.term.recv() => "SIGTERM",
            _ = self.hangup.recv() => "SIGHUP",
        };
        name.to_owned()
    }
}
