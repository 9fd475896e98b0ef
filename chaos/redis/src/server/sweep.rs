//! Removes keys whose deadline has passed though nobody asks for them, so that they don't hold memory.

use super::Server;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time::Instant};

/// Keys removed while the lock is held once.
const BATCH: usize = 256;

/// It looks no more often than this,
const SHORTEST: Duration = Duration::from_millis(100);

/// and no less often while there is any deadline: a nearer one may have come in meanwhile.
const LONGEST: Duration = Duration::from_secs(1);

/// Runs until the host's shutdown signal. Without deadlines it sleeps, so that an idle server costs a simulation nothing.
pub(super) async fn sweep(server: Arc<Server>, expiring: Arc<Notify>) {
    let host = server.host.clone();
    tokio::select! {
        biased;
        () = host.shutdown().cancelled() => {}
        () = sweep_forever(&server, &expiring) => {}
    }
}

async fn sweep_forever(server: &Server, expiring: &Notify) {
    loop {
        let next = server.state().store.next_deadline_ms();
        let Some(next) = next else {
            expiring.notified().await;
            continue;
        };
        let due_ms = next.saturating_sub(server.clock.now_ms()).saturating_add(1);
        let wait = Duration::from_millis(u64::try_from(due_ms).unwrap_or(0)).clamp(SHORTEST, LONGEST);
        server.host.sleep_until(Instant::now() + wait).await;
        while sweep_batch(server) == BATCH {
            tokio::task::yield_now().await;
        }
    }
}

fn sweep_batch(server: &Server) -> usize {
    let now_ms = server.clock.now_ms();
    server.state().store.sweep(now_ms, BATCH)
}
