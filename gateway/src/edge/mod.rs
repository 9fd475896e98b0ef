//! The edge that clients meet: routes, identity of requests, problems. Limits of connections and of heads are the
//! server's ([`host::http`]).

pub(crate) mod admission;
pub(crate) mod auth;
mod compression;
mod cors;
mod host_header;
mod observe;
mod precondition;
mod rates;

use crate::{
    App,
    context::RequestContext,
    exposition, health,
    labels::{Label as _, Route},
    openapi,
    problem::Problem,
    profile,
};
use axum::{Extension, Router, middleware, routing::get};
use host::http::ServerConfig;
use std::sync::Arc;
use tower::ServiceBuilder;

/// The server's limits.
pub(crate) fn server(app: &App) -> ServerConfig {
    let edge = &app.settings.edge;
    ServerConfig {
        header_timeout: edge.header_timeout,
        write_timeout: edge.write_timeout,
        stalled: Some(app.metrics.edge.write_timeouts.clone()),
        head_limit: edge.head_limit,
        // No endpoint takes a body.
        refuse_fragments: true,
        max_connections: app.limits.connections,
        strangers_give_way: false,
        turned_away: Some(app.metrics.edge.connections_turned_away.clone()),
        drain_delay: app.settings.drain_delay,
        drain: app.settings.drain,
    }
}

/// All routes, and what is around them. From the outside: what is no HTTP goes no further; what came of a request is
/// observed; who may read the response; how it is coded; who is let in; whether it is what the client has in mind. So all that is turned away is observed too, and
/// browsers let their pages read why.
pub(crate) fn router(app: Arc<App>) -> Router {
    // One stack: a router boxes what each of its own layers makes, and clones all of these boxes for every request.
    let observed = ServiceBuilder::new()
        .layer(middleware::from_fn(host_header::require))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), observe::observe))
        .option_layer(cors::layer(&app.settings.cors));
    let admission = middleware::from_fn_with_state(Arc::clone(&app), admission::admit);
    let wanted = middleware::from_fn(precondition::check);
    let routes = routes(&app);
    match compression::layer(&app.settings.edge) {
        Some(coded) => {
            let finished = middleware::from_fn(compression::finish);
            let coded = ServiceBuilder::new().map_response(compression::slim).layer(coded);
            routes.layer(observed.layer(finished).layer(coded).layer(admission).layer(wanted))
        }
        None => routes.layer(observed.layer(admission).layer(wanted)),
    }
}

fn routes(app: &Arc<App>) -> Router {
    let mut profile = get(profile::handle);
    if app.auth.is_some() {
        profile = profile.route_layer(middleware::from_fn_with_state(Arc::clone(app), auth::require));
    }
    let routes = Router::new();
    #[cfg(feature = "docs")]
    let routes = routes.merge(openapi::pages());
    routes
        .route(Route::Profile.label(), profile)
        .route(Route::Health.label(), get(health::health))
        .route(Route::Live.label(), get(health::live))
        .route(Route::Ready.label(), get(health::ready))
        .route(Route::Metrics.label(), get(exposition::metrics))
        .route(Route::OpenApi.label(), get(openapi::document))
        .fallback(async |Extension(context): Extension<RequestContext>| {
            Problem::NoSuchRoute.response(&context, None, &[])
        })
        .method_not_allowed_fallback(async |Extension(context): Extension<RequestContext>| {
            Problem::MethodNotAllowed.response(&context, None, &[])
        })
        .with_state(Arc::clone(app))
}
