//! Sleeps finer than tokio's timer, which rounds up to a millisecond: one timerfd for all sleepers of a host.

use crate::{Task, TaskGroup};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::{
    collections::BTreeMap,
    io,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::oneshot,
    time::Instant,
};

/// Sleeps on behalf of one host. Dropping the last clone, sleepers included, ends its task.
#[derive(Clone)]
pub(super) struct Timer {
    shared: Arc<Shared>,
    driver: Arc<Driver>,
}

struct Driver(Task<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Shared {
    fd: AsyncFd<OwnedFd>,
    sleepers: Mutex<Sleepers>,
}

#[derive(Default)]
struct Sleepers {
    next: u64,
    /// By deadline, then by arrival.
    waiting: BTreeMap<(Instant, u64), oneshot::Sender<()>>,
}

impl Timer {
    /// Starts the task that wakes sleepers.
    pub(super) fn start(tasks: &TaskGroup) -> io::Result<Self> {
        let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(unsafe_code, reason = "tokio's only constructor that isn't deprecated")]
        // SAFETY: `OwnedFd` keeps its descriptor open and the same until it is dropped, with the AsyncFd.
        let fd = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?;
        let shared = Arc::new(Shared { fd, sleepers: Mutex::default() });
        let driver = Arc::new(Driver(tasks.spawn(drive(Arc::clone(&shared)))));
        Ok(Self { shared, driver })
    }

    /// Waits until `deadline`; never early.
    pub(super) fn sleep_until(&self, deadline: Instant) -> impl Future<Output = ()> + Send + 'static {
        let this = self.clone();
        async move {
            if deadline <= Instant::now() {
                return;
            }
            let (wake, woken) = oneshot::channel();
            let _entry = this.shared.enter(deadline, wake);
            // The sender goes only with the whole timer.
            let _ = woken.await;
            drop(this.driver);
        }
    }
}

/// Takes a sleeper out again when it stops waiting, so that abandoned sleeps cost nothing.
struct Entry {
    key: (Instant, u64),
    shared: Arc<Shared>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.shared.sleepers().waiting.remove(&self.key);
    }
}

impl Shared {
    fn sleepers(&self) -> std::sync::MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(self: &Arc<Self>, deadline: Instant, wake: oneshot::Sender<()>) -> Entry {
        let mut sleepers = self.sleepers();
        let key = (deadline, sleepers.next);
        sleepers.next += 1;
        sleepers.waiting.insert(key, wake);
        if sleepers.waiting.first_key_value().is_some_and(|(first, _)| *first == key) {
            self.arm(deadline);
        }
        Entry { key, shared: Arc::clone(self) }
    }

    /// Wakes those whose time has come and arms the timer for the next one.
    fn wake_due(&self) {
        let mut sleepers = self.sleepers();
        while let Some(first) = sleepers.waiting.first_entry() {
            if first.key().0 > Instant::now() {
                break;
            }
            // A sleeper that has gone meanwhile needs no waking.
            let _ = first.remove().send(());
        }
        if let Some((&(deadline, _), _)) = sleepers.waiting.first_key_value() {
            self.arm(deadline);
        }
    }

    /// Called with the lock held, so that the timer always stands at the first deadline.
    fn arm(&self, deadline: Instant) {
        // Zero would disarm the timer.
        let wait = deadline.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let value = Timespec::try_from(wait).unwrap_or(Timespec { tv_sec: i64::from(i32::MAX), tv_nsec: 0 });
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        // It can only fail for a bad descriptor or a bad time, and both are made here.
        let _ = timerfd_settime(self.fd.get_ref(), TimerfdTimerFlags::empty(), &once);
    }
}

async fn drive(shared: Arc<Shared>) {
    loop {
        let Ok(mut ready) = shared.fd.readable().await else { return };
        // No read: arming sets the count back, and epoll (edge-triggered) tells of each expiry, read or not.
        ready.clear_ready();
        shared.wake_due();
    }
}
