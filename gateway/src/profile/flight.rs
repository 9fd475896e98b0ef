//! One aggregation for all who ask for the same profile at the same time.

use super::{
    gather::{self, Gathered},
    verdict::{self, Verdict},
};
use crate::{
    App,
    cache::Found,
    edge::context::RequestContext,
    labels::{Source, State},
    spans,
    user_id::UserId,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tracing::Instrument as _;

/// A flight ends this long before the deadline of the request that started it, so that its outcome is there in time.
const HANDOVER: Duration = Duration::from_millis(2);

/// What an aggregation brought.
#[derive(Debug)]
pub(crate) struct Flown {
    pub(super) verdict: Verdict,
    /// Old, and shown in need.
    pub(super) stale: Option<Found>,
    /// It is in the cache now.
    pub(super) stored: bool,
    /// When it ended, since the Unix epoch.
    pub(super) at: Duration,
    /// How long user, orders and products took; `None` where it wasn't needed.
    pub(super) took: [Option<Duration>; 3],
}

/// The outcome of the flight of `id`, and whether another request had started it.
pub(super) async fn flown(
    app: &Arc<App>,
    context: &RequestContext,
    id: UserId,
    deadline: Instant,
    stale: Option<Found>,
) -> (Arc<Flown>, bool) {
    if !(app.settings.cache && app.settings.caching.coalesce) {
        return (Arc::new(fly(app, context, id, deadline, stale).instrument(spans::aggregation()).await), false);
    }
    let flight = {
        let (app, context, stale) = (Arc::clone(app), context.clone(), stale.clone());
        let deadline = deadline.checked_sub(HANDOVER).unwrap_or(deadline);
        // Large, and handed on several times.
        Box::pin(async move { Arc::new(fly(&app, &context, id, deadline, stale).await) })
    };
    let joined = app.flights.join(&app.host, id, deadline, flight).await;
    if joined.shared {
        app.metrics.cache.coalesced();
        spans::shared();
    }
    let flown = joined.outcome.unwrap_or_else(|| {
        let gathered = Gathered::late(app.settings.deadline);
        Arc::new(Flown::of(app, gathered, stale))
    });
    (flown, joined.shared)
}

async fn fly(app: &App, context: &RequestContext, id: UserId, deadline: Instant, stale: Option<Found>) -> Flown {
    let started = Instant::now();
    let gathered = gather::gather(&app.upstreams, context, deadline, id).await;
    let took = started.elapsed();
    for (service, code) in gathered.found_out_late() {
        app.metrics.service_error(service, code);
    }
    let mut flown = Flown::of(app, gathered, stale);
    if let Some(profile) = flown.verdict.complete() {
        flown.stored = app.cache.store(id, profile).is_some();
    } else if flown.verdict.is_no_such_user() {
        app.cache.store_no_such_user(id);
    }
    app.metrics.aggregation(flown.verdict.outcome(), took);
    spans::aggregated(flown.verdict.outcome());
    flown
}

impl Flown {
    /// Judges what was gathered. What is old counts where it may still be shown.
    fn of(app: &App, gathered: Gathered, stale: Option<Found>) -> Self {
        let took = match &gathered {
            Gathered::NoSuchUser { took } => [Some(*took), None, None],
            Gathered::Parts(parts) => {
                let products = parts.products.as_ref().map(|products| products.took);
                [Some(parts.user.took), Some(parts.orders.took), products]
            }
        };
        let stale = stale.filter(|found| app.cache.may_be_shown(&found.entry));
        let old = stale.as_ref().map(|found| &found.entry.profile);
        let verdict = verdict::judge(gathered, app.settings.partial, old);
        let stale = stale.filter(|_| verdict.shows_stale());
        stale.iter().for_each(|found| app.cache.used_in_need(found));
        Self { verdict, stale, stored: false, at: app.host.unix_now(), took }
    }

    /// It is known that there is no such user: nothing was gathered.
    pub(super) fn no_such_user(app: &App) -> Self {
        let verdict = verdict::judge(Gathered::NoSuchUser { took: Duration::ZERO }, app.settings.partial, None);
        Self { verdict, stale: None, stored: false, at: app.host.unix_now(), took: [None; 3] }
    }

    /// Where a part in this state is from, and how old it was when all was there.
    pub(super) fn source(&self, state: State) -> (Source, Duration) {
        match &self.stale {
            Some(found) if state == State::Stale => {
                (found.tier.into(), self.at.saturating_sub(found.entry.stored_at()))
            }
            _ => (Source::Origin, Duration::ZERO),
        }
    }
}
