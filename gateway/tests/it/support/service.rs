//! A service that does as it is told.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use host::{Host, ListenMode, ListenSwitch, TaskGroup, http::ServerConfig};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    User,
    Order,
    Product,
}

#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    Good,
    Slow(Duration),
    Status(u16),
    /// Responds with this status once, and well after that.
    Once(u16),
    /// 200 with this body.
    Text(String),
    Hang,
}

pub(crate) struct Fake {
    kind: Kind,
    control: Arc<dyn ListenSwitch>,
    tasks: TaskGroup,
    behaviour: Mutex<Behaviour>,
    /// Product ids of every user's orders.
    pub(crate) ids: Mutex<Vec<String>>,
    /// Headers of every call, probes left out.
    pub(crate) calls: Mutex<Vec<HeaderMap>>,
}

impl Fake {
    pub(crate) fn start((host, tasks): (Host, TaskGroup), kind: Kind) -> Arc<Self> {
        let listener = host.listen(80).unwrap();
        let ids = ["p1", "p2", "p2", "gone1"].map(str::to_owned).to_vec();
        let this = Arc::new(Self {
            kind,
            control: listener.control(),
            tasks,
            behaviour: Mutex::new(Behaviour::Good),
            ids: Mutex::new(ids),
            calls: Mutex::default(),
        });
        let routes = Router::new()
            .route("/health", get(async || "ok"))
            .route("/users/{id}", get(one))
            .route("/orders/user/{id}", get(one))
            .route("/products/batch", post(batch))
            .with_state(Arc::clone(&this));
        let owner = host.clone();
        drop(host.spawn(async move { host::http::serve(&owner, listener, routes, ServerConfig::default()).await }));
        this
    }

    pub(crate) fn becomes(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    pub(crate) fn listens(&self, listening: ListenMode) {
        self.control.set(listening).unwrap();
    }

    /// Connections stay open and silent.
    pub(crate) fn freeze(&self) {
        self.tasks.freeze();
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    async fn serve(&self, headers: HeaderMap, good: impl FnOnce() -> Response) -> Response {
        self.calls.lock().unwrap().push(headers);
        let behaviour = self.behaviour.lock().unwrap().clone();
        match behaviour {
            Behaviour::Good => good(),
            Behaviour::Slow(delay) => {
                tokio::time::sleep(delay).await;
                good()
            }
            Behaviour::Status(status) | Behaviour::Once(status) => {
                if matches!(behaviour, Behaviour::Once(_)) {
                    self.becomes(Behaviour::Good);
                }
                (StatusCode::from_u16(status).unwrap(), "secret of http://users:80").into_response()
            }
            Behaviour::Text(text) => text.into_response(),
            Behaviour::Hang => std::future::pending().await,
        }
    }
}

async fn one(State(fake): State<Arc<Fake>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let ids = fake.ids.lock().unwrap().clone();
    let value = match fake.kind {
        // There are no users from 900 on.
        _ if id.len() == 3 && id.starts_with('9') => Value::Null,
        Kind::User => json!({ "id": id, "name": format!("user {id}") }),
        Kind::Order => json!([{ "id": "o1", "user_id": id, "product_ids": ids }]),
        Kind::Product => Value::Null,
    };
    fake.serve(headers, || {
        if value.is_null() { StatusCode::NOT_FOUND.into_response() } else { Json(value).into_response() }
    })
    .await
}

/// Ids with `p` are found, those with `gone` and `unknown` are known to be missing, of others nothing is said.
async fn batch(State(fake): State<Arc<Fake>>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let ids: Vec<String> = serde_json::from_value(body["ids"].clone()).unwrap();
    assert!(ids.len() <= 500, "{}", ids.len());
    let with = |prefix: &str| ids.iter().filter(|id| id.starts_with(prefix)).cloned().collect::<Vec<_>>();
    let products: Vec<Value> =
        with("p").iter().map(|id| json!({ "id": id, "name": format!("product {id}") })).collect();
    let found = json!({ "products": products, "gone": with("gone"), "unknown": with("unknown") });
    fake.serve(headers, || Json(found).into_response()).await
}
