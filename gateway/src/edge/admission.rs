//! Admission: more requests at once than can be served well are turned away at once, since a response in time to some
//! is worth more than a late one to all.

use super::rates::{self, Rates};
use crate::{
    App,
    context::RequestContext,
    labels::{Route, Shed},
    metrics::EdgeMetrics,
    problem::Problem,
    settings::EdgeSettings,
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use host::http::Peer;
use hyper::body::Body as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

/// The layer: what is turned away goes no further.
pub(super) async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = Route::of(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let too_large = request.body().size_hint().lower() > app.settings.body_limit as u64;
    let admitted = if too_large {
        Err(Problem::BodyTooLarge)
    } else {
        app.admission.let_in(route, request.extensions().get(), &app.metrics.edge)
    };
    match &admitted {
        Ok(_) => next.run(request).await,
        Err(problem) => request
            .extensions()
            .get::<RequestContext>()
            .map_or_else(|| problem.status().into_response(), |context| problem.response(context, None, &[])),
    }
}

/// The gate.
pub(crate) struct Admission {
    room: Semaphore,
    rates: Option<Mutex<Rates>>,
}

impl Admission {
    /// For so many requests at once; 0: any number.
    pub(crate) fn new(settings: &EdgeSettings, requests: usize) -> Self {
        let room = match requests {
            0 => Semaphore::MAX_PERMITS,
            limit => limit.min(Semaphore::MAX_PERMITS),
        };
        let clients = usize::try_from(settings.clients_remembered).unwrap_or(usize::MAX);
        let rates = (settings.client_rate > 0)
            .then(|| Mutex::new(Rates::new(settings.client_rate, settings.client_burst, clients)));
        Self { room: Semaphore::new(room), rates }
    }

    /// Lets a request in, for as long as the permit lives. Those of operators always are: an overload has to be seen.
    fn let_in(
        &self,
        route: Route,
        peer: Option<&Peer>,
        metrics: &EdgeMetrics,
    ) -> Result<Option<SemaphorePermit<'_>>, Problem> {
        if matches!(route, Route::Health | Route::Live | Route::Ready | Route::Metrics) {
            return Ok(None);
        }
        self.take_token(peer).inspect_err(|_| metrics.shed(Shed::ClientRate))?;
        self.room.try_acquire().map(Some).map_err(|_| {
            metrics.shed(Shed::Requests);
            Problem::Overloaded
        })
    }

    /// There is room for no further request: it is shed.
    pub(crate) fn is_full(&self) -> bool {
        self.room.available_permits() == 0
    }

    fn take_token(&self, peer: Option<&Peer>) -> Result<(), Problem> {
        let (Some(rates), Some(Peer(peer))) = (&self.rates, peer) else { return Ok(()) };
        let mut rates = rates.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = rates.take(&rates::client(peer), Instant::now());
        taken.map_err(|wait| Problem::TooManyRequests(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)))
    }
}
