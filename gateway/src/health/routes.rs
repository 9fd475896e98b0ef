//! `/health`, `/health/live` and `/health/ready`.

use super::{
    Known,
    shown::{Components, Health, Ready, RedisHealth, ServiceHealth, Unhealthy},
};
use crate::{
    App,
    context::RequestContext,
    labels::{Component, Overall, Readiness, RedisMode, Service, Status},
    problem::Problem,
};
use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use std::sync::Arc;

/// The process runs
#[utoipa::path(get, path = "/health/live", tag = "operation", responses(super::described::LiveResponses))]
pub(crate) async fn live() -> Response {
    Json(Ready { status: Readiness::Ok }).into_response()
}

/// New requests are welcome
///
/// It neither starts, nor drains, nor sheds. A dead Redis or service is no reason to take every gateway out of the load
/// balancer.
#[utoipa::path(get, path = "/health/ready", tag = "operation", responses(super::described::ReadyResponses))]
pub(crate) async fn ready(State(app): State<Arc<App>>, Extension(context): Extension<RequestContext>) -> Response {
    if app.board.is_ready() && !app.admission.is_full() {
        Json(Ready { status: Readiness::Ok }).into_response()
    } else {
        Problem::NotReady.response(&context, None, &[])
    }
}

/// Every component, as background tasks last saw it
///
/// It waits for nothing, so it answers at once with everything dead.
#[utoipa::path(get, path = "/health", tag = "operation", responses(super::described::HealthResponses))]
pub(crate) async fn health(State(app): State<Arc<App>>, Extension(context): Extension<RequestContext>) -> Response {
    let seen = app.board.all();
    let redis = app.board.redis();
    let status = judge(&seen, redis.writes, app.settings.partial);
    let of = |component| known(&seen, component);
    let service = |service: Service| ServiceHealth {
        seen: of(service.into()).into(),
        circuit: app.upstreams.of(service).circuit().into(),
    };
    let components = Components {
        user_service: service(Service::User),
        order_service: service(Service::Order),
        product_service: service(Service::Product),
        redis: RedisHealth::new(of(Component::Redis), redis),
        memory: of(Component::Memory).into(),
    };
    // What is no success is a problem (RFC 9457), health too: `status` is the number that it wants there, and the
    // components are further members.
    if status == Overall::Down {
        let problem = Problem::Unhealthy.body(&context, None, &[]);
        Problem::Unhealthy.respond(&Unhealthy { problem, components })
    } else {
        Json(Health { status, components }).into_response()
    }
}

fn known(components: &[(Component, Known)], wanted: Component) -> Known {
    components.iter().find(|(component, _)| *component == wanted).map_or(Known::NOTHING, |(_, known)| *known)
}

/// `down` where no profile can be gathered: users and orders are both gone, or any service where all are required.
/// A Redis that takes no writes soon has nothing to read.
fn judge(components: &[(Component, Known)], writes: RedisMode, partial: bool) -> Overall {
    let is = |wanted: Component, status: Status| {
        components.iter().any(|(component, known)| *component == wanted && known.status == status)
    };
    let down = |wanted: Component| is(wanted, Status::Down);
    let full = is(Component::Redis, Status::Up) && writes == RedisMode::Open;
    let (user, order, product) = (down(Component::User), down(Component::Order), down(Component::Product));
    let nothing = if partial { user && order } else { user || order || product };
    if nothing {
        Overall::Down
    } else if user || order || product || down(Component::Redis) || full {
        Overall::Degraded
    } else {
        Overall::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overall(down: &[Component], partial: bool) -> Overall {
        let board = super::super::Board::new();
        down.iter().for_each(|component| board.down(*component));
        judge(&board.all(), RedisMode::Open, partial)
    }

    #[test]
    fn what_is_down_decides() {
        assert_eq!(overall(&[], true), Overall::Ok);
        assert_eq!(overall(&[Component::Redis], true), Overall::Degraded);
        assert_eq!(overall(&[Component::User], true), Overall::Degraded);
        assert_eq!(overall(&[Component::User, Component::Order], true), Overall::Down);
        assert_eq!(overall(&[Component::Product], false), Overall::Down);
    }
}
