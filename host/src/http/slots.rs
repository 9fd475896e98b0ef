//! Slots of a server: how many connections it has at once, and who gives way where all are taken.

use crate::Host;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Time for which a new connection need not give way: its first request may have come and not been read yet.
// All that a flood of strangers can do is to make others wait: so long for each of the slots.
const GRACE: Duration = Duration::from_millis(5);

/// Trust in whoever sends on a connection: among the extensions of every request, where strangers give way
/// ([`ServerConfig::strangers_give_way`](super::ServerConfig::strangers_give_way)). At first there is none.
#[derive(Clone, Debug, Default)]
pub struct Trust(Arc<AtomicBool>);

impl Trust {
    /// The sender has shown who it is: from now on the connection gives way to nobody.
    pub fn grant(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_granted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// All slots of a server.
pub(super) struct Slots {
    most: usize,
    strangers_give_way: bool,
    /// Ends all connections.
    end: CancellationToken,
    taken: Mutex<Taken>,
}

/// Slots that are taken, by the number of their connections.
#[derive(Default)]
struct Taken {
    next: u64,
    by: BTreeMap<u64, Guest>,
}

/// A connection that has a slot.
struct Guest {
    /// The moment at which it came, or had its last request.
    idle_since: Instant,
    trust: Trust,
    end: CancellationToken,
    gone: CancellationToken,
}

/// Outcomes of a look for a slot.
enum Room {
    Free(Slot),
    /// Nobody has to give way.
    None,
    /// Somebody has to at this moment.
    At(Instant),
    /// Somebody does, and is gone when this is cancelled.
    After(CancellationToken),
}

impl Slots {
    /// So many slots, all free (0: without bound). `end` ends all connections.
    pub(super) fn new(most: usize, strangers_give_way: bool, end: CancellationToken) -> Arc<Self> {
        let most = if most == 0 { usize::MAX } else { most };
        Arc::new(Self { most, strangers_give_way, end, taken: Mutex::default() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing that holds this lock can panic halfway through a change.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slot for a new connection; waits for the one who gives way to it. None where all are taken, and nobody does.
    pub(super) async fn enter(self: &Arc<Self>, host: &Host) -> Option<Slot> {
        loop {
            match self.look() {
                Room::Free(slot) => return Some(slot),
                Room::None => return None,
                Room::At(moment) => host.sleep_until(moment).await,
                Room::After(gone) => gone.cancelled().await,
            }
        }
    }

    fn look(self: &Arc<Self>) -> Room {
        let now = Instant::now();
        let mut taken = self.taken();
        if taken.by.len() < self.most {
            return Room::Free(self.slot(&mut taken, now));
        }
        let strangers = taken.by.values().filter(|guest| self.strangers_give_way && !guest.trust.is_granted());
        let Some(oldest) = strangers.min_by_key(|guest| guest.idle_since) else { return Room::None };
        if now < oldest.idle_since + GRACE {
            return Room::At(oldest.idle_since + GRACE);
        }
        oldest.end.cancel();
        Room::After(oldest.gone.clone())
    }

    fn slot(self: &Arc<Self>, taken: &mut Taken, now: Instant) -> Slot {
        let (number, gone, trust) = (taken.next, CancellationToken::new(), Trust::default());
        let end = if self.strangers_give_way { self.end.child_token() } else { self.end.clone() };
        taken.next += 1;
        let guest = Guest { idle_since: now, trust: trust.clone(), end: end.clone(), gone: gone.clone() };
        taken.by.insert(number, guest);
        Slot { slots: Arc::clone(self), number, trust, end, _gone: gone.drop_guard() }
    }
}

/// A slot that is taken. Dropping it gives it up.
pub(super) struct Slot {
    slots: Arc<Slots>,
    number: u64,
    trust: Trust,
    end: CancellationToken,
    _gone: DropGuard,
}

impl Slot {
    /// Cancelled when the connection is to end.
    pub(super) fn end(&self) -> CancellationToken {
        self.end.clone()
    }

    /// The visit of its connection, to be told of each request; none where nobody gives way to anybody.
    pub(super) fn visit(&self) -> Option<Visit> {
        let visit = || Visit { slots: Arc::clone(&self.slots), number: self.number, trust: self.trust.clone() };
        self.slots.strangers_give_way.then(visit)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.taken().by.remove(&self.number);
    }
}

/// A connection, as its requests see it.
pub(super) struct Visit {
    slots: Arc<Slots>,
    number: u64,
    trust: Trust,
}

impl Visit {
    /// A request has come. Gives what is to be granted if its sender is known.
    pub(super) fn begin(&self) -> Trust {
        if let Some(guest) = self.slots.taken().by.get_mut(&self.number) {
            guest.idle_since = Instant::now();
        }
        self.trust.clone()
    }
}
