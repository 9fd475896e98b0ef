use chaos_model::{Event, Record};
use tokio::{sync::mpsc, time::Instant};

/// Where events go: stamped with the time since the run began, in one line.
#[derive(Clone, Debug)]
pub struct Events {
    began: Instant,
    records: mpsc::UnboundedSender<Record>,
}

impl Events {
    /// A new stream, beginning now, and its reading end.
    #[must_use]
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Record>) {
        let (records, reader) = mpsc::unbounded_channel();
        (Self { began: Instant::now(), records }, reader)
    }

    /// Adds an event.
    pub fn emit(&self, event: Event) {
        let at_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Nobody listens any more: the report went away, the run goes on to its tear-down.
        let _ = self.records.send(Record { at_us, event });
    }
}
