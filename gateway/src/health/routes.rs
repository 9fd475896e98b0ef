//! `/health`, `/health/live` and `/health/ready`.

use super::Known;
use crate::{
    App,
    labels::{Component, Label, RedisMode, Service, Status},
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The process runs.
pub(crate) async fn live() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// New requests are welcome: it neither starts, nor drains, nor sheds. A dead Redis or service is no reason to take every gateway out of the load balancer.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.board.is_ready() && !app.admission.is_full() {
        Json(json!({ "status": "ok" })).into_response()
    } else {
        let body = Json(json!({ "status": "unavailable" }));
        (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")], body).into_response()
    }
}

/// Every component, as the background tasks last saw it.
pub(crate) async fn health(State(app): State<Arc<App>>) -> Response {
    let components = app.board.all();
    let redis = app.board.redis();
    let overall = judge(&components, redis.writes, app.settings.partial);
    let mut shown: Map<String, Value> =
        components.iter().map(|(component, known)| (component.label().to_owned(), show(known))).collect();
    for service in Service::ALL {
        let circuit = app.upstreams.of(*service).circuit();
        shown[Component::from(*service).label()]["circuit"] = circuit.map_or("off", Label::label).into();
    }
    let component = &mut shown[Component::Redis.label()];
    component["reads"] = redis.reads.label().into();
    component["writes"] = redis.writes.label().into();
    component["last_reason"] = redis.reason.map(Label::label).into();
    let status = if overall == "down" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(json!({ "status": overall, "components": shown }))).into_response()
}

fn show(known: &Known) -> Value {
    json!({
        "status": known.status.label(),
        "latency_ms": known.latency.map(|latency| latency.as_secs_f64() * 1e3),
        "last_success": known.last_success.map(host::rfc3339),
    })
}

/// `down` where no profile can be gathered: users and orders are both gone, or any service where all are required.
/// A Redis that takes no writes soon has nothing to read.
fn judge(components: &[(Component, Known)], writes: RedisMode, partial: bool) -> &'static str {
    let is = |wanted: Component, status: Status| {
        components.iter().any(|(component, known)| *component == wanted && known.status == status)
    };
    let down = |wanted: Component| is(wanted, Status::Down);
    let full = is(Component::Redis, Status::Up) && writes == RedisMode::Open;
    let (user, order, product) = (down(Component::User), down(Component::Order), down(Component::Product));
    let nothing = if partial { user && order } else { user || order || product };
    if nothing {
        "down"
    } else if user || order || product || down(Component::Redis) || full {
        "degraded"
    } else {
        "ok"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overall(down: &[Component], partial: bool) -> &'static str {
        let board = super::super::Board::new();
        down.iter().for_each(|component| board.down(*component));
        judge(&board.all(), RedisMode::Open, partial)
    }

    #[test]
    fn what_is_down_decides() {
        assert_eq!(overall(&[], true), "ok");
        assert_eq!(overall(&[Component::Redis], true), "degraded");
        assert_eq!(overall(&[Component::User], true), "degraded");
        assert_eq!(overall(&[Component::User, Component::Order], true), "down");
        assert_eq!(overall(&[Component::Product], false), "down");
    }
}
