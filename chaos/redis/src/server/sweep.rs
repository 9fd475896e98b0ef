//! Removes keys whose deadline has passed though nobody asks for them, so that they don't hold memory.

use super::Server;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time::Instant};

/// Keys removed while the lock is held once.
const BATCH: usize = 256;

/// Shortest sleep between two looks at the store,
const SHORTEST: Duration = Duration::from_millis(100);

/// and sleeps no longer: deadlines may be as far off as numbers go, and timers may not.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Runs until the host's shutdown signal. It sleeps until the next deadline, and without one for ever, so that an idle
/// server costs a simulation nothing.
pub(super) async fn sweep(server: Arc<Server>, expiring: Arc<Notify>) {
    let host = server.host.clone();
    tokio::select! {
        biased;
        () = host.shutdown().cancelled() => {}
        () = sweep_forever(&server, &expiring) => {}
    }
}

async fn sweep_forever(server: &Server, expiring: &Notify) {
    let mut earliest = Instant::now();
    loop {
        until_due(server, expiring, earliest).await;
        while sweep_batch(server) == BATCH {
            tokio::task::yield_now().await;
        }
        earliest = Instant::now() + SHORTEST;
    }
}

/// Waits until a deadline has passed, and until `earliest`.
async fn until_due(server: &Server, expiring: &Notify, earliest: Instant) {
    loop {
        let due = due(server);
        tokio::select! {
            biased;
            () = expiring.notified() => {}
            () = sleep_until(server, due.map(|due| due.max(earliest))) => return,
        }
    }
}

/// The moment of the next deadline. Only sooner ones wake the sweep from then on.
fn due(server: &Server) -> Option<Instant> {
    let now_ms = server.clock.now_ms();
    let mut state = server.state();
    let next = state.store.next_deadline_ms();
    state.store.wakes_at(next.unwrap_or(i64::MAX));
    let left_ms = next?.saturating_sub(now_ms).saturating_add(1).max(0);
    Some(Instant::now() + Duration::from_millis(left_ms.unsigned_abs()).min(LONGEST))
}

async fn sleep_until(server: &Server, due: Option<Instant>) {
    match due {
        Some(due) => server.host.sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn sweep_batch(server: &Server) -> usize {
    let now_ms = server.clock.now_ms();
    server.state().store.sweep(now_ms, BATCH)
}
