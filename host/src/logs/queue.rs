//! Log lines that wait for whoever reads them. A reader that stops costs lines, and holds nobody up.

use crate::{Host, rfc3339};
use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tracing_subscriber::fmt::MakeWriter;

/// Bytes of lines that wait at most. What comes then is lost, and counted.
const ROOM: usize = 1 << 20;
/// Time that lines have to be written at the end.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Lines are put here by whoever logs, and written by a thread of its own. Once lines were lost, a line says how many.
#[derive(Clone)]
pub struct Queue(Arc<Shared>);

/// The end of a queue: all that was put into it is written before this is gone, unless nobody reads it within a second.
pub struct Rest(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Told to the thread that writes.
    more: Condvar,
    /// Told by the thread that writes, when it ends.
    ended: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    /// Lines for which there was no room.
    lost: u64,
    /// Nothing more comes.
    closed: bool,
    /// All is written that will be.
    ended: bool,
}

impl Queue {
    /// A queue before `to`, which may be slow. How many lines were lost is dated by the clock of `host`.
    ///
    /// # Errors
    /// Where this machine gives no thread.
    pub fn before(host: &Host, to: impl Write + Send + 'static) -> io::Result<(Self, Rest)> {
        let shared = Arc::new(Shared::default());
        let (reads, host) = (Arc::clone(&shared), host.clone());
        // A thread, since a write that waits holds up whoever makes it: no task may.
        let thread = std::thread::Builder::new().name("log".to_owned());
        drop(thread.spawn(move || reads.write_all_to(to, &host))?);
        Ok((Self(Arc::clone(&shared)), Rest(shared)))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.lines.len() + line.len() > ROOM {
            waiting.lost += 1;
            return;
        }
        let was_empty = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        // Where lines waited already, it has been told.
        if was_empty {
            self.more.notify_one();
        }
    }

    /// Waits for lines, and takes all that there are, and the number of those that were lost after them. None once nothing
    /// more comes.
    fn take(&self, spare: Vec<u8>) -> Option<(Vec<u8>, u64)> {
        let is_idle = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.closed;
        let mut waiting = self.more.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        if waiting.lines.is_empty() {
            waiting.ended = true;
            self.ended.notify_all();
            return None;
        }
        Some((std::mem::replace(&mut waiting.lines, spare), std::mem::take(&mut waiting.lost)))
    }

    fn write_all_to(&self, mut to: impl Write, host: &Host) {
        let mut spare = Vec::new();
        while let Some((mut lines, lost)) = self.take(spare) {
            if lost > 0 {
                lines.extend(told(host, lost));
            }
            // A full disk must cost log lines and not the program.
            let _ = to.write_all(&lines).and_then(|()| to.flush());
            lines.clear();
            spare = lines;
        }
    }
}

/// The line that says how many were lost.
fn told(host: &Host, lost: u64) -> Vec<u8> {
    let line = serde_json::json!({
        "timestamp": rfc3339(host.unix_now()),
        "level": "WARN",
        "message": "log lines were lost: nobody read them in time",
        "lost": lost,
        "target": module_path!(),
    });
    format!("{line}\n").into_bytes()
}

impl Write for &Queue {
    // A line comes as one piece, and is kept or lost as such.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'q> MakeWriter<'q> for Queue {
    type Writer = &'q Self;

    fn make_writer(&'q self) -> &'q Self {
        self
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.closed = true;
        self.0.more.notify_one();
        // However it ends: what nobody reads is lost.
        drop(self.0.ended.wait_timeout_while(waiting, LAST_LINES, |waiting| !waiting.ended));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryNetwork;
    use std::sync::mpsc;

    /// All that is written comes out here, once somebody takes it.
    struct Pipe(mpsc::SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line(n: usize) -> Vec<u8> {
        format!("{{\"n\":{n},\"text\":\"{}\"}}\n", "x".repeat(n % 2000)).into_bytes()
    }

    fn read(taken: impl IntoIterator<Item = Vec<u8>>) -> Vec<serde_json::Value> {
        let text = String::from_utf8(taken.into_iter().flatten().collect()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn lines_come_in_order_and_the_last_ones_too() {
        let host = MemoryNetwork::new(1).host("proxies");
        let (send, receive) = mpsc::sync_channel(100_000);
        let (queue, rest) = Queue::before(&host, Pipe(send)).unwrap();
        (0..500).for_each(|n| queue.make_writer().write_all(&line(n)).unwrap());
        drop(rest);
        let seen = read(receive.try_iter());
        assert_eq!(
            seen.iter().map(|line| line["n"].as_u64().unwrap()).collect::<Vec<_>>(),
            (0..500).collect::<Vec<_>>()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn while_nobody_reads_lines_are_lost_and_counted_and_nobody_waits() {
        let host = MemoryNetwork::new(1).host("proxies");
        let (send, receive) = mpsc::sync_channel(0);
        let (queue, rest) = Queue::before(&host, Pipe(send)).unwrap();
        let put = 5000;
        // It would never end here if it waited.
        (0..put).for_each(|n| queue.make_writer().write_all(&line(n)).unwrap());
        assert!(queue.0.lock().lines.len() <= ROOM);
        let reader = std::thread::spawn(move || receive.iter().collect::<Vec<_>>());
        drop(rest);
        drop(queue);
        let seen = read(reader.join().unwrap());
        let (lost, kept): (Vec<_>, Vec<_>) = seen.iter().partition(|line| line["lost"].is_number());
        let lost: u64 = lost.iter().map(|line| line["lost"].as_u64().unwrap()).sum();
        assert!(lost > 1000, "{lost}");
        assert_eq!(kept.len() as u64 + lost, put as u64);
    }
}
