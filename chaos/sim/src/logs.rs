//! What the nodes log: JSON lines in memory, dated by the virtual clock.

use crate::trace::Tracer;
use host::{Host, logs};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tracing::Dispatch;

/// What is logged, as `RUST_LOG` would say it.
const FILTER: &str = "info";
/// Lines that tell of an end.
const LAST_LINES: usize = 12;

/// What is kept of a log of which only the end matters.
const KEPT: usize = 32 * 1024;

/// The logs of a simulation's nodes. All clones are the same logs.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    lines: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    only_ends: bool,
}

impl Logs {
    /// Logs of which only the ends are kept, for whoever wonders why a node ended: fresh memory for megabytes that nobody
    /// reads is what logging costs most.
    pub(crate) fn only_ends() -> Self {
        Self { only_ends: true, ..Self::default() }
    }

    /// All that was kept, by node: JSON lines. It leaves none behind.
    #[must_use]
    pub fn take(&self) -> BTreeMap<String, Vec<u8>> {
        std::mem::take(&mut *self.lock())
    }

    /// Where the log lines of `node`'s tasks go, and what a tracer wants to know of them.
    pub(crate) fn dispatch(&self, host: &Host, tracer: Option<&Tracer>) -> Dispatch {
        let lines = Lines { logs: self.clone(), node: host.name().into() };
        let writer = move || lines.clone();
        let dispatch = match tracer {
            None => logs::json(host, FILTER, writer),
            Some(tracer) => logs::json_and(host, FILTER, writer, tracer.of_node(host.name())),
        };
        // The filter is ours and can be read.
        dispatch.unwrap_or_else(|_| Dispatch::none())
    }

    /// The last lines of a node, for whoever wonders why it ended.
    pub(crate) fn last_lines(&self, node: &str) -> Vec<String> {
        let logs = self.lock();
        let text = String::from_utf8_lossy(logs.get(node).map_or(&[][..], Vec::as_slice));
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].iter().map(ToString::to_string).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
struct Lines {
    logs: Logs,
    node: Arc<str>,
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut logs = self.logs.lock();
        match logs.get_mut(&*self.node) {
            Some(lines) => {
                if self.logs.only_ends && lines.len() >= 2 * KEPT {
                    lines.drain(..lines.len() - KEPT);
                }
                lines.extend_from_slice(bytes);
            }
            None => drop(logs.insert(self.node.to_string(), bytes.to_vec())),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
