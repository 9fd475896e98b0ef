//! The runner's lease: taken once, renewed all the while, given up at the end.

use super::client::{ControlClient, ControlError};
use chaos_inject::{
    Message, Reply,
    control::{LinkState, Wanted},
};
use chaos_model::RunKey;
use host::Task;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Time that the proxies keep what a runner broke after it was last heard of. Clean within a second is what is
/// promised: the rest of that is for the message that was under way, and for taking faults back.
const TIME_TO_LIVE: Duration = Duration::from_millis(800);
/// Interval at which it is renewed.
const RENEWED_EVERY: Duration = Duration::from_millis(200);

/// A lease that is held, until it is dropped (then it lapses) or given up.
pub(super) struct Lease {
    control: Arc<ControlClient>,
    id: String,
    lost: Arc<Lost>,
    renewing: Task<()>,
}

/// Loss of the lease: a signal, and the reason.
#[derive(Default)]
struct Lost {
    told: CancellationToken,
    why: Mutex<String>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

impl Lease {
    pub(super) async fn take(control: ControlClient, holder: String, run: RunKey) -> Result<Self, ControlError> {
        let control = Arc::new(control);
        let asked = Instant::now();
        let wanted = Wanted { holder, ttl: TIME_TO_LIVE, seed: run.seed, nonce: Some(run.nonce) };
        let id = control.take(&wanted).await?;
        let lost = Arc::new(Lost::default());
        let renew = renew(Arc::clone(&control), id.clone(), asked, Arc::clone(&lost));
        let renewing = control.host().spawn(renew);
        Ok(Self { control, id, lost, renewing })
    }

    /// Tells the proxy of a link what to do.
    pub(super) async fn send(&self, link: &str, message: Message) -> Result<Reply, ControlError> {
        self.control.send(&self.id, link, message).await
    }

    /// Asks for the state of every link, past whatever else is asked meanwhile.
    pub(super) fn links(&self) -> impl Future<Output = Result<Vec<LinkState>, ControlError>> + Send + use<> {
        let control = Arc::clone(&self.control);
        async move { control.links().await }
    }

    /// Waits until the lease is lost; says why.
    pub(super) async fn lost(&self) -> String {
        self.lost.told.cancelled().await;
        self.lost.why.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives it up: when this returns, all faults are taken back.
    pub(super) async fn give_up(self) -> Result<(), ControlError> {
        self.renewing.abort();
        self.control.give_up(&self.id).await
    }
}

/// Renews until that is refused, or until nothing was heard of the proxies for so long that it must have lapsed.
async fn renew(control: Arc<ControlClient>, id: String, asked: Instant, lost: Arc<Lost>) {
    // A lost lease ends the run at once: what comes later would be judged as if the faults had been there.
    // Counted from when a renewal was asked for: the proxies count from when they heard it, which is later.
    let mut sure_until = asked + TIME_TO_LIVE;
    let mut next = asked + RENEWED_EVERY;
    let why = loop {
        tokio::time::sleep_until(next).await;
        let asked = Instant::now();
        let patience = sure_until.saturating_duration_since(asked);
        if patience.is_zero() {
            break format!("this machine stood still for more than {TIME_TO_LIVE:?}, or the proxies did");
        }
        match control.renew(&id, patience).await {
            Ok(()) => sure_until = asked + TIME_TO_LIVE,
            Err(ControlError::Refused(problem)) => break problem.to_string(),
            Err(ControlError::Unreachable(why)) if Instant::now() >= sure_until => break why,
            // There may be another response in a moment.
            Err(ControlError::Unreachable(_)) => {}
        }
        next = (asked + RENEWED_EVERY).max(Instant::now());
    };
    *lost.why.lock().unwrap_or_else(PoisonError::into_inner) = why;
    lost.told.cancel();
}
