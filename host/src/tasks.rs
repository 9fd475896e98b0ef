use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};
use tokio::task::{AbortHandle, JoinHandle};
use tracing::instrument::WithSubscriber as _;

/// The tasks of one host. A world can stop them all (a crash) or freeze them (a pause).
#[derive(Clone, Default)]
pub struct TaskGroup(Arc<Group>);

#[derive(Default)]
struct Group {
    next: AtomicU64,
    /// [`RUNS`], [`FROZEN`] or [`CRASHED`], which is the last.
    state: AtomicU8,
    live: Mutex<Live>,
}

const RUNS: u8 = 0;
const FROZEN: u8 = 1;
const CRASHED: u8 = 2;

#[derive(Default)]
struct Live {
    tasks: BTreeMap<u64, Option<AbortHandle>>,
    /// Tasks that were to run while frozen: they are woken by the thaw, in the order in which they were started.
    waiting: BTreeMap<u64, Waker>,
}

/// The task was stopped before its end, or panicked.
#[derive(Debug, thiserror::Error)]
#[error("the task was stopped")]
pub struct Stopped;

/// A running task. Awaiting it gives its output; dropping it lets it run on.
pub struct Task<T>(JoinHandle<T>);

impl<T> Task<T> {
    /// Stops the task at its next point of waiting.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// True when it has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Stopped>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_err(|_| Stopped)
    }
}

impl TaskGroup {
    /// Starts a task of this group. After [`TaskGroup::crash`] nothing starts any more.
    #[expect(clippy::disallowed_methods, reason = "this is where tasks come from")]
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let governed = Governed {
            end: End { id, group: Arc::clone(&self.0) },
            future: Box::pin(future.with_current_subscriber()),
        };
        // Entered before it starts, so that a task that ends at once finds itself. The lock isn't held across the spawn:
        // a runtime that shuts down drops the future there and then, which takes the lock.
        self.0.live().tasks.insert(id, None);
        let handle = tokio::spawn(governed);
        let mut live = self.0.live();
        if self.0.is(CRASHED) {
            handle.abort();
        } else if let Some(entry) = live.tasks.get_mut(&id) {
            *entry = Some(handle.abort_handle());
        }
        drop(live);
        Task(handle)
    }

    /// Stops every task, as SIGKILL does: nothing of them runs again (from their next point of waiting on), and the
    /// machine closes their connections and ports. Nothing starts any more.
    pub fn crash(&self) {
        // Before the look at who is there: a task that starts meanwhile is either seen here, or sees this.
        self.0.state.store(CRASHED, Ordering::SeqCst);
        // They stay in the group until the runtime has dropped them.
        let tasks: Vec<_> = self.0.live().tasks.values().flatten().cloned().collect();
        for task in tasks {
            task.abort();
        }
    }

    /// Freezes every task where it stands, as SIGSTOP does: connections stay open and silent.
    pub fn freeze(&self) {
        self.0.turn(RUNS, FROZEN);
    }

    /// Lets frozen tasks go on.
    pub fn thaw(&self) {
        self.0.turn(FROZEN, RUNS);
        let waiting = std::mem::take(&mut self.0.live().waiting);
        waiting.into_values().for_each(Waker::wake);
    }

    /// Number of tasks that have not ended yet.
    #[must_use]
    pub fn running(&self) -> usize {
        self.0.live().tasks.len()
    }
}

impl Group {
    fn live(&self) -> std::sync::MutexGuard<'_, Live> {
        // Nothing that holds this lock can panic halfway through a change.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is(&self, state: u8) -> bool {
        self.state.load(Ordering::SeqCst) == state
    }

    /// From one state to another; from any other nothing changes.
    fn turn(&self, from: u8, to: u8) {
        let _ = self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// True where the task `id` must not run now. If that is because the group is frozen, the thaw wakes `waker`. After
    /// a crash nobody does: whoever sees the crash also aborts the task, be it that another thread is at it only now.
    fn waits(&self, id: u64, waker: &Waker) -> bool {
        if self.is(RUNS) {
            return false;
        }
        let mut live = self.live();
        // Looked at anew: a thaw between the two looks has taken the list already.
        let state = self.state.load(Ordering::SeqCst);
        if state == FROZEN {
            live.waiting.insert(id, waker.clone());
        }
        state != RUNS
    }
}

/// A task's future, run only while its group isn't frozen.
struct Governed<F> {
    future: Pin<Box<F>>,
    end: End,
}

/// Leaves the group when the task ends, however it ends.
struct End {
    id: u64,
    group: Arc<Group>,
}

impl Drop for End {
    fn drop(&mut self) {
        let mut live = self.group.live();
        let entry = (live.tasks.remove(&self.id), live.waiting.remove(&self.id));
        drop(live);
        // Without the lock: the last reference to a task may drop its output, and with it whatever that holds.
        drop(entry);
    }
}

impl<F: Future> Future for Governed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if self.end.group.waits(self.end.id, cx.waker()) {
            return Poll::Pending;
        }
        self.future.as_mut().poll(cx)
    }
}
