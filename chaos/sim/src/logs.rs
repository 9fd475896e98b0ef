//! Logs of the services: JSON lines in memory, dated by the virtual clock.

use crate::trace::Tracer;
use host::{Host, logs};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tracing::Dispatch;

/// The filter of what is logged, as `RUST_LOG` would say it.
const FILTER: &str = "info";
/// Lines that tell of an end.
const LAST_LINES: usize = 12;

/// Bytes that are kept of a log of which only the end matters.
const KEPT: usize = 32 * 1024;

/// The logs of a simulation's services. All clones are the same logs.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    lines: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    only_ends: bool,
}

impl Logs {
    // Programs log all the same: it is part of what they do, and an end explains a death. What is saved is fresh
    // memory, which a virtual machine pays dearly for (a quarter of the page faults of a minute at 100 requests a
    // second).
    /// Logs of which only the ends are kept, for whoever wonders why a service ended: fresh memory for megabytes that
    /// nobody reads is what logging costs most.
    pub(crate) fn only_ends() -> Self {
        Self { only_ends: true, ..Self::default() }
    }

    /// All that was kept, by service: JSON lines. It leaves none behind.
    #[must_use]
    pub fn take(&self) -> BTreeMap<String, Vec<u8>> {
        std::mem::take(&mut *self.lock())
    }

    /// The dispatch that takes the log lines of a service's tasks, and what a tracer wants to know of them.
    pub(crate) fn dispatch(&self, host: &Host, tracer: Option<&Tracer>) -> Dispatch {
        let lines = Lines { logs: self.clone(), service: host.name().into() };
        let writer = move || lines.clone();
        let dispatch = match tracer {
            None => logs::json(host, FILTER, writer),
            Some(tracer) => logs::json_and(host, FILTER, writer, tracer.of_service(host.name())),
        };
        // The filter is ours and can be read.
        dispatch.unwrap_or_else(|_| Dispatch::none())
    }

    /// The last lines of a service, for whoever wonders why it ended.
    pub(crate) fn last_lines(&self, service: &str) -> Vec<String> {
        let logs = self.lock();
        let text = String::from_utf8_lossy(logs.get(service).map_or(&[][..], Vec::as_slice));
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
    service: Arc<str>,
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut logs = self.logs.lock();
        match logs.get_mut(&*self.service) {
            Some(lines) => {
                if self.logs.only_ends && lines.len() >= 2 * KEPT {
                    lines.drain(..lines.len() - KEPT);
                }
                lines.extend_from_slice(bytes);
            }
            None => drop(logs.insert(self.service.to_string(), bytes.to_vec())),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
