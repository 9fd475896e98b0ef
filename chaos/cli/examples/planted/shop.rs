//! The shop: prices from the price service, from a cache for a second, and from an old list while the service fails.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};
use bytes::Bytes;
use host::{
    Host,
    http::{self, Client},
};
use http_body_util::{BodyExt as _, Empty};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// The greatest age of a price.
const TTL: Duration = Duration::from_secs(1);
/// The time for which the price service is waited for.
const PATIENCE: Duration = Duration::from_millis(100);
/// The time for which the old list is used before the service is asked again.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, PartialEq)]
enum Bug {
    None,
    Lock,
    Ttl,
    Fallback,
}

struct Shop {
    host: Host,
    prices: String,
    client: Client<Empty<Bytes>>,
    bug: Bug,
    cache: Mutex<BTreeMap<u64, Cached>>,
    /// Held while the cache of an item is filled, where the bug is that.
    filling: tokio::sync::Mutex<()>,
    /// Prices are from the old list.
    falls_back: AtomicBool,
    /// Calls to the service that are under way.
    asking: AtomicU64,
}

pub(crate) async fn run(host: Host) -> Result<(), chaos_cli::ProgramError> {
    let bug = match host.settings().get("BUG") {
        None | Some("none") => Bug::None,
        Some("lock") => Bug::Lock,
        Some("ttl") => Bug::Ttl,
        Some("fallback") => Bug::Fallback,
        Some(other) => return Err(format!("BUG is `{other}`: none, lock, ttl or fallback").into()),
    };
    let shop = Arc::new(Shop {
        prices: host.settings().get("PRICES").ok_or("PRICES is not set")?.to_owned(),
        client: http::client(&host, http::ClientConfig::default()),
        host: host.clone(),
        bug,
        cache: Mutex::default(),
        filling: tokio::sync::Mutex::default(),
        falls_back: AtomicBool::new(false),
        asking: AtomicU64::new(0),
    });
    let app = Router::new().route("/items/{item}", get(item)).with_state(shop);
    http::serve(&host, host.listen(80)?, app, http::ServerConfig::default()).await;
    Ok(())
}

async fn item(State(shop): State<Arc<Shop>>, Path(item): Path<u64>) -> Json<Value> {
    let (price, age) = match shop.cached(item) {
        Some((price, age)) => (Some(price), age),
        None => (shop.fresh(item).await, Duration::ZERO),
    };
    let old = price.is_none();
    let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    Json(json!({
        "price": price.unwrap_or_else(|| json!("as last year")),
        "partial": old,
        "meta": { "parts": { "price": { "state": "fresh", "age_ms": age } } },
    }))
}

struct Cached {
    price: Value,
    made: Instant,
    /// Until when it is used.
    until: Instant,
}

impl Shop {
    fn cached(&self, item: u64) -> Option<(Value, Duration)> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = cache.get_mut(&item)?;
        let left = cached.until.checked_duration_since(Instant::now())?;
        // The bug: a price that is asked for in its last moments lives on, to spare a call.
        if self.bug == Bug::Ttl && left < Duration::from_millis(3) {
            cached.until = Instant::now() + TTL;
        }
        Some((cached.price.clone(), cached.made.elapsed()))
    }

    async fn fresh(self: &Arc<Self>, item: u64) -> Option<Value> {
        if self.falls_back.load(Relaxed) {
            return None;
        }
        let alone = self.asking.fetch_add(1, Relaxed) == 0;
        // The bug: whoever meets another call waits for it, and for all that wait before.
        let _filling = if self.bug == Bug::Lock && !alone { Some(self.filling.lock().await) } else { None };
        let price = timeout(PATIENCE, self.ask(item)).await.ok().flatten();
        let others = self.asking.fetch_sub(1, Relaxed) - 1;
        match &price {
            Some(price) => {
                let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
                let made = Instant::now();
                cache.insert(item, Cached { price: price.clone(), made, until: made + TTL });
            }
            None => self.fall_back(others),
        }
        price
    }

    fn fall_back(self: &Arc<Self>, others: u64) {
        if self.falls_back.swap(true, Relaxed) {
            return;
        }
        // The bug: the way back is left to another call, which may never have been made for that.
        if self.bug == Bug::Fallback && others >= 8 {
            return;
        }
        let shop = Arc::clone(self);
        drop(self.host.spawn(async move {
            shop.host.sleep(PAUSE).await;
            shop.falls_back.store(false, Relaxed);
        }));
    }

    async fn ask(&self, item: u64) -> Option<Value> {
        let uri = format!("http://{}/{item}", self.prices).parse().ok()?;
        let response = self.client.get(uri).await.ok()?;
        let body = response.into_body().collect().await.ok()?.to_bytes();
        serde_json::from_slice(&body).ok()
    }
}
