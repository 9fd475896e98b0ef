//! One timer for all that a connection waits for.

use futures_util::future::BoxFuture;
use host::Host;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// Wakes its task at the moment that it was last set to. Nothing is allocated until it is set.
pub(super) struct Alarm {
    host: Host,
    set: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl Alarm {
    pub(super) fn new(host: Host) -> Self {
        Self { host, set: None }
    }

    /// Ready once `at` has come; then it has to be polled anew. Never ready without a time.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, at: Option<Instant>) -> Poll<()> {
        let Some(at) = at else {
            self.set = None;
            return Poll::Pending;
        };
        if self.set.as_ref().is_none_or(|(set, _)| *set != at) {
            let host = self.host.clone();
            self.set = Some((at, Box::pin(async move { host.sleep_until(at).await })));
        }
        let Some((_, sleep)) = &mut self.set else { return Poll::Pending };
        std::task::ready!(sleep.as_mut().poll(cx));
        self.set = None;
        Poll::Ready(())
    }
}
