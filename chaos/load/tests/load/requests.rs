//! Tests of the requests that arrive at the target, and of their repetition by seed.

use crate::bench::{get, plan, run_all, serve, text};
use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue},
};
use chaos_load::{Plan, trace_id};
use chaos_model::{Rate, Stages, load::Variable};
use host::memory::MemoryNetwork;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Requests as a target saw them: method, path and header of each, in order.
type Seen = Vec<(String, BTreeMap<String, String>)>;

async fn seen(plan: Plan) -> Seen {
    let network = MemoryNetwork::new(1);
    let seen = Arc::new(Mutex::new(Seen::new()));
    let log = Arc::clone(&seen);
    let handler = move |request: Request| {
        let header =
            |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), value.to_str().unwrap().to_owned());
        let headers = request.headers().iter().map(header).collect();
        log.lock().unwrap().push((format!("{} {}", request.method(), request.uri()), headers));
        async {}
    };
    let _target = serve(&network, Router::new().fallback(handler));
    let (outcomes, _) = run_all(&network, plan).await;
    assert!(outcomes.iter().all(|outcome| outcome.result == Ok(200)));
    std::mem::take(&mut *seen.lock().unwrap())
}

fn varied() -> Plan {
    let mut plan = plan("/api/profile/{user}?page={page}");
    plan.seed = 42;
    plan.load.requests[0].headers =
        BTreeMap::from([("baggage".to_owned(), text("tenant={user}")), ("x-page".to_owned(), text("p{page}"))]);
    plan.load.requests[0].weight = 3;
    plan.load.requests.push(get("/health"));
    plan.load.vars = BTreeMap::from([
        ("user".to_owned(), Variable::Zipf { low: 1, high: 500, exponent: 1.0 }),
        ("page".to_owned(), Variable::Sequence { low: 1, high: 3 }),
    ]);
    plan
}

#[tokio::test(start_paused = true)]
async fn each_request_carries_its_number_and_a_trace() {
    let seen = seen(varied()).await;
    assert_eq!(seen.len(), 100);
    for (n, (line, headers)) in (0_u64..).zip(&seen) {
        let trace = format!("00-{:032x}-", trace_id(42, n.into()));
        assert!(headers["traceparent"].starts_with(&trace), "{headers:?}");
        assert_eq!((headers["traceparent"].len(), &headers["host"][..]), (55, "target"));
        assert_eq!(headers["user-agent"], concat!("chaos/", env!("CARGO_PKG_VERSION")));
        if line == "GET /health" {
            assert_eq!(headers["baggage"], format!("chaos.request=00000000000000ab-{n}-0"));
            continue;
        }
        let (user, page) = line.strip_prefix("GET /api/profile/").unwrap().split_once("?page=").unwrap();
        assert_eq!(page, (n % 3 + 1).to_string());
        assert_eq!(headers["x-page"], format!("p{page}"));
        assert_eq!(headers["baggage"], format!("tenant={user},chaos.request=00000000000000ab-{n}-0"));
    }
    let health = seen.iter().filter(|(line, _)| line == "GET /health").count();
    assert!((10..40).contains(&health), "{health} of 100 with a weight of one in four");
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_requests() {
    let first = seen(varied()).await;
    assert_eq!(seen(varied()).await, first);
    let other = Plan { seed: 43, ..varied() };
    assert_ne!(seen(other).await, first);
}

#[tokio::test(start_paused = true)]
async fn an_arrival_does_the_same_at_any_rate() {
    let first = seen(varied()).await;
    let mut faster = varied();
    faster.load.stages = Stages::constant(Rate { times: 100, per: Duration::from_millis(100) }, Duration::from_secs(1));
    assert_eq!(seen(faster).await[..100], first);
}
