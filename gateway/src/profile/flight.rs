//! One aggregation for all who ask for the same profile at the same time.

use super::{
    gather::{self, Gathered},
    verdict::{self, Verdict},
};
use crate::{
    App,
    cache::Found,
    context::RequestContext,
    labels::{PartState, Source},
    planted::{FOREVER, Mistake},
    spans,
    user_id::UserId,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tracing::Instrument as _;

/// A flight ends this long before the deadline of the request that started it, so that its outcome is there in time.
const HANDOVER: Duration = Duration::from_millis(2);

/// The result of an aggregation.
#[derive(Debug)]
pub(crate) struct FlightResult {
    pub(super) verdict: Verdict,
    /// Old, and shown in need.
    pub(super) stale: Option<Found>,
    /// True where the profile is in the cache now.
    pub(super) stored: bool,
    /// The end of the aggregation, since the Unix epoch.
    pub(super) at: Duration,
    /// Durations of user, orders and products; `None` where it wasn't needed.
    pub(super) took: [Option<Duration>; 3],
}

/// The outcome of the flight of `id`, and whether another request had started it.
pub(super) async fn result(
    app: &Arc<App>,
    context: &RequestContext,
    id: UserId,
    deadline: Instant,
    stale: Option<Found>,
) -> (Arc<FlightResult>, bool) {
    if !(app.settings.cache && app.settings.caching.coalesce) {
        return (Arc::new(fly(app, context, id, deadline, stale).instrument(spans::aggregation()).await), false);
    }
    let flight = {
        let (app, context, stale) = (Arc::clone(app), context.clone(), stale.clone());
        let deadline = deadline.checked_sub(HANDOVER).unwrap_or(deadline);
        // Large, and handed on several times.
        Box::pin(async move {
            let result = fly(&app, &context, id, deadline, stale).await;
            if app.planted.has(Mistake::FlightLeaks) && !result.verdict.is_sure() {
                return std::future::pending().await;
            }
            Arc::new(result)
        })
    };
    let deadline = if app.planted.has(Mistake::DeadlineNotPassedOn) { deadline + FOREVER } else { deadline };
    let joined = app.flights.join(&app.host, id, deadline, flight).await;
    if joined.shared {
        app.metrics.cache.coalesced();
        spans::shared();
    }
    let result = joined.outcome.unwrap_or_else(|| {
        let gathered = Gathered::late(app.settings.deadline);
        Arc::new(FlightResult::of(app, gathered, stale))
    });
    (result, joined.shared)
}

async fn fly(app: &App, context: &RequestContext, id: UserId, deadline: Instant, stale: Option<Found>) -> FlightResult {
    let started = Instant::now();
    let gathered = gather::gather(&app.upstreams, context, deadline, id).await;
    let took = started.elapsed();
    for (service, code) in gathered.found_out_late() {
        app.metrics.service_error(service, code);
    }
    let mut result = FlightResult::of(app, gathered, stale);
    if let Some(profile) = result.verdict.complete() {
        result.stored = app.cache.store(id, profile).is_some();
    } else if result.verdict.is_no_such_user() {
        app.cache.store_no_such_user(id);
    } else {
        spoil(app, id, &result.verdict);
    }
    app.metrics.aggregation(result.verdict.outcome(), took);
    spans::aggregated(result.verdict.outcome());
    result
}

/// Stores what must not be stored, where that is the mistake that was planted.
fn spoil(app: &App, id: UserId, verdict: &Verdict) {
    let is_stored = app.planted.has(Mistake::PartialStored)
        || (app.planted.has(Mistake::PartialKeptInNeed) && app.cache.is_without_redis());
    if let Some(profile) = verdict.with_holes().filter(|_| is_stored) {
        app.cache.store(id, &profile);
    }
    if app.planted.has(Mistake::FailureAsAbsence) && verdict.lacks_user() {
        app.cache.store_no_such_user(id);
    }
}

impl FlightResult {
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
        let kept = app.planted.kept();
        let old = stale.as_ref().map(|found| &found.entry.profile).or(kept.as_ref());
        let verdict = verdict::judge(gathered, app.settings.partial, old);
        app.planted.keep(verdict.complete());
        let stale = stale.filter(|_| verdict.shows_stale());
        stale.iter().for_each(|found| app.cache.used_in_need(found));
        Self { verdict, stale, stored: false, at: app.host.unix_now(), took }
    }

    /// The result for a user who is known not to exist: nothing was gathered.
    pub(super) fn no_such_user(app: &App) -> Self {
        let verdict = verdict::judge(Gathered::NoSuchUser { took: Duration::ZERO }, app.settings.partial, None);
        Self { verdict, stale: None, stored: false, at: app.host.unix_now(), took: [None; 3] }
    }

    /// The source of a part in this state, and its age when all was there.
    pub(super) fn source(&self, state: PartState) -> (Source, Duration) {
        match &self.stale {
            Some(found) if state == PartState::Stale => {
                (found.tier.into(), self.at.saturating_sub(found.entry.stored_at()))
            }
            _ => (Source::Origin, Duration::ZERO),
        }
    }
}
