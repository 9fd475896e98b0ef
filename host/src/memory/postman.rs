//! Brings what is under way, each at its time, in the order of (time, when it was sent).

use super::pipe::{Parcel, Pipe};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::{sync::Notify, time::Instant};

/// Queue of what is under way in a network.
#[derive(Default)]
pub(super) struct Postman {
    round: Mutex<Round>,
    changed: Notify,
}

#[derive(Default)]
struct Round {
    sent: u64,
    under_way: BTreeMap<(Instant, u64), (Weak<Pipe>, Parcel)>,
    /// The task that brings things runs: from the first that isn't there at once.
    works: bool,
}

impl Postman {
    fn round(&self) -> std::sync::MutexGuard<'_, Round> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes something for a pipe, to be brought at that time.
    #[expect(clippy::disallowed_methods, reason = "the network is no node's: no crash stops it, no pause holds it up")]
    pub(super) fn take(self: &Arc<Self>, at: Instant, pipe: &Arc<Pipe>, parcel: Parcel) {
        let mut round = self.round();
        let key = (at, round.sent);
        round.sent += 1;
        round.under_way.insert(key, (Arc::downgrade(pipe), parcel));
        let begins = !std::mem::replace(&mut round.works, true);
        let is_next = round.under_way.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(round);
        if begins {
            drop(tokio::spawn(work(Arc::clone(self))));
        } else if is_next {
            self.changed.notify_one();
        }
    }

    /// The time at which something is to be brought next.
    fn next(&self) -> Option<Instant> {
        self.round().under_way.first_key_value().map(|((at, _), _)| *at)
    }

    fn bring(&self, now: Instant) {
        loop {
            let mut round = self.round();
            let Some(due) = round.under_way.first_entry().filter(|first| first.key().0 <= now) else { return };
            let (pipe, parcel) = due.remove();
            drop(round);
            if let Some(pipe) = pipe.upgrade() {
                pipe.arrived(parcel);
            }
        }
    }
}

/// Goes on for as long as the runtime does.
async fn work(postman: Arc<Postman>) {
    loop {
        match postman.next() {
            None => postman.changed.notified().await,
            Some(at) => {
                tokio::select! {
                    biased;
                    () = postman.changed.notified() => {}
                    () = tokio::time::sleep_until(at) => postman.bring(Instant::now()),
                }
            }
        }
    }
}
