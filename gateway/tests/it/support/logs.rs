//! Log lines of the gateway.

use host::memory::MemoryNetwork;
use std::{
    io::Write,
    sync::{Arc, Mutex},
};

/// Takes the log of what is started within [`Logs::of`].
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Logs {
    /// Runs `start`, and keeps the log of what it makes.
    pub(crate) fn of<T>(start: impl FnOnce() -> T) -> (T, Self) {
        let logs = Self::default();
        let writer = logs.clone();
        let network = MemoryNetwork::new(1);
        let dispatch = host::logs::json(&network.host("logs"), "info", move || writer.clone()).unwrap();
        // With one dispatcher alone, tracing asks the thread that comes first whether a line is wanted, and that may be
        // another test's, whose logs go nowhere.
        let _second = host::logs::json(&network.host("more logs"), "info", std::io::sink).unwrap();
        (tracing::dispatcher::with_default(&dispatch, start), logs)
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}
