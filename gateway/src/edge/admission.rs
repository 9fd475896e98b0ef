//! Who is let in: more requests at once than can be served well are turned away at once, since an answer in time to some
//! is worth more than a late one to all.

use super::problem::Problem;
use crate::{
    labels::{Route, Shed},
    metrics::EdgeMetrics,
    settings::EdgeSettings,
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The gate.
pub(crate) struct Admission {
    room: Semaphore,
}

impl Admission {
    pub(crate) fn new(settings: &EdgeSettings) -> Self {
        let room = match settings.max_requests {
            0 => Semaphore::MAX_PERMITS,
            limit => limit.min(Semaphore::MAX_PERMITS),
        };
        Self { room: Semaphore::new(room) }
    }

    /// Lets a request in, for as long as the permit lives. Those of operators always are: an overload has to be seen.
    pub(super) fn admit(&self, route: Route, metrics: &EdgeMetrics) -> Result<Option<SemaphorePermit<'_>>, Problem> {
        match route {
            Route::Health | Route::Live | Route::Ready | Route::Metrics => Ok(None),
            Route::Profile | Route::Unmatched => self.room.try_acquire().map(Some).map_err(|_| {
                metrics.shed(Shed::Requests);
                Problem::Overloaded
            }),
        }
    }
}
