//! The same over real sockets: nothing about time but its order.

use crate::bench::{plan, run_with, serve_on};
use axum::{Router, routing::get};
use chaos_load::{Arrival, CheckResponse, Error, Marks, Response};
use chaos_model::{Arrivals, Rate, Stages};
use host::tcp::{Config, host};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Notes whether the body is as it should be.
struct Hello;

impl CheckResponse for Hello {
    fn check(&self, _: &Arrival, response: &Response<'_>) -> Marks {
        Marks {
            bits: u64::from(response.body == Some(&b"hello"[..]) && response.headers["content-length"] == "5"),
            ..Marks::default()
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_arrive_over_tcp() {
    let target = host(Config::loopback("target")).unwrap();
    let listener = target.listen(0).unwrap();
    let port = listener.port();
    serve_on(&target, listener, Router::new().route("/", get(|| async { "hello" })));
    let client = host(Config::loopback("client")).unwrap();
    let mut plan = plan("/");
    plan.host = "127.0.0.1".to_owned();
    plan.port = port;
    plan.load.stages = Stages::constant(Rate { times: 500, per: Duration::from_secs(1) }, Duration::from_secs(1));
    plan.load.arrivals = Arrivals::Poisson;
    plan.load.timeout = Duration::from_secs(30);
    let (outcomes, summary) = run_with(&client, plan, Arc::new(Hello), CancellationToken::new()).await;
    assert!(summary.due > 300 && summary.made == summary.due, "{summary:?}");
    for outcome in outcomes {
        assert_eq!((outcome.result, outcome.marks.bits), (Ok(200), 1));
        let started = outcome.started.unwrap();
        assert!(outcome.intended <= started && started <= outcome.ended, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let client = host(Config::loopback("client")).unwrap();
    // Bound and refusing, so that nobody else takes it meanwhile.
    let listener = client.listen(0).unwrap();
    listener.control().set(host::ListenMode::Refuse).unwrap();
    let mut plan = plan("/");
    plan.host = "127.0.0.1".to_owned();
    plan.port = listener.port();
    plan.load.stages = crate::bench::for_so_long(Duration::from_millis(100));
    let (outcomes, _) = run_with(&client, plan, Arc::new(Hello), CancellationToken::new()).await;
    assert!(outcomes.iter().all(|outcome| outcome.result == Err(Error::ConnectRefused)), "{outcomes:?}");
}
