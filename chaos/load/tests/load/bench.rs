//! A client and a target on one network in memory.

use axum::Router;
use chaos_load::{Arrival, CheckResponse, Disruptions, Marks, Outcome, Plan, Response, Summary, run};
use chaos_model::{Arrivals, Load, Nonce, Rate, Request, Span, Stages, Text, load::TextPiece};
use host::{Host, Listener, Stream, memory::MemoryNetwork};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc::unbounded_channel,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

pub(crate) const MS: Duration = Duration::from_millis(1);

/// A text whose words in braces are variables.
pub(crate) fn text(text: &str) -> Text {
    let pieces = text.split(['{', '}']).enumerate().map(|(i, piece)| match i % 2 {
        0 => TextPiece::Plain(piece.to_owned()),
        _ => TextPiece::Variable(piece.to_owned()),
    });
    Text { pieces: pieces.collect() }
}

pub(crate) fn get(path: &str) -> Request {
    Request {
        name: path.to_owned(),
        method: "GET".to_owned(),
        path: text(path),
        headers: BTreeMap::new(),
        basic: None,
        body: None,
        weight: 1,
        step: chaos_model::load::Step::default(),
    }
}

/// A request every 10 ms, for so long.
pub(crate) fn for_so_long(lasts: Duration) -> Stages {
    Stages::constant(Rate { times: 100, per: Duration::from_secs(1) }, lasts)
}

/// A request every 10 ms for a second to `target`, port 80.
pub(crate) fn plan(path: &str) -> Plan {
    let load = Load {
        requests: vec![get(path)],
        stages: for_so_long(Duration::from_secs(1)),
        arrivals: Arrivals::Constant,
        warmup: Duration::ZERO,
        timeout: Duration::from_secs(2),
        vars: BTreeMap::new(),
        secrets: chaos_model::load::Secrets::default(),
        span: Span { source: 0, range: 0..0 },
    };
    Plan {
        load,
        host: "target".to_owned(),
        port: 80,
        seed: 1,
        nonce: Nonce(0xab),
        max_in_flight: 10_000,
        disruptions: Disruptions::default(),
    }
}

/// Serves `router` on a new service called `target`.
pub(crate) fn serve(network: &MemoryNetwork, router: Router) -> Host {
    let target = network.host("target");
    let listener = target.listen(80).unwrap();
    serve_on(&target, listener, router);
    target
}

pub(crate) fn serve_on(target: &Host, listener: Listener, router: Router) {
    let server = target.clone();
    drop(target.spawn(async move {
        host::http::serve(&server, listener, router.into_service(), host::http::ServerConfig::default()).await;
    }));
}

/// Serves a new service called `target` by hand: `script` has each connection once the first request's head has come.
pub(crate) fn serve_raw<F>(network: &MemoryNetwork, script: impl Fn(Stream) -> F + Send + 'static) -> Host
where
    F: Future<Output = ()> + Send + 'static,
{
    let target = network.host("target");
    let (server, mut listener) = (target.clone(), target.listen(80).unwrap());
    drop(target.spawn(async move {
        while let Ok(mut stream) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            drop(server.spawn(script(stream)));
        }
    }));
    target
}

/// Serves each connection one response, byte for byte, and closes it.
pub(crate) fn serve_bytes(network: &MemoryNetwork, response: &'static [u8]) -> Host {
    serve_raw(network, move |mut stream| async move { stream.write_all(response).await.unwrap() })
}

/// Notes how long the body was; all bits are set where it was not kept.
struct Length;

impl CheckResponse for Length {
    fn check(&self, _: &Arrival, response: &Response<'_>) -> Marks {
        Marks { bits: response.body.map_or(u64::MAX, |body| body.len() as u64), ..Marks::default() }
    }
}

/// Runs `plan` to its end, or until `stop`. The outcomes are sorted by number.
pub(crate) async fn run_until(network: &MemoryNetwork, plan: Plan, stop: CancellationToken) -> (Vec<Outcome>, Summary) {
    run_with(&network.host("client"), plan, Arc::new(Length), stop).await
}

pub(crate) async fn run_all(network: &MemoryNetwork, plan: Plan) -> (Vec<Outcome>, Summary) {
    run_until(network, plan, CancellationToken::new()).await
}

pub(crate) async fn run_with(
    client: &Host,
    plan: Plan,
    checker: Arc<dyn CheckResponse>,
    stop: CancellationToken,
) -> (Vec<Outcome>, Summary) {
    let (sender, mut receiver) = unbounded_channel();
    let summary = run(client, plan, Instant::now(), checker, sender, stop).await;
    let mut outcomes = Vec::new();
    while let Ok(outcome) = receiver.try_recv() {
        outcomes.push(outcome);
    }
    outcomes.sort_by_key(Outcome::id);
    assert_eq!(outcomes.len() as u64, summary.due, "an outcome for each arrival");
    let first = outcomes.iter().filter(|outcome| outcome.step == 0);
    assert!(first.enumerate().all(|(i, outcome)| outcome.n == i as u64), "each arrival once");
    assert!(outcomes.windows(2).all(|pair| pair[0].id() < pair[1].id()), "each step once");
    assert_eq!(summary.made + summary.not_made, summary.due);
    (outcomes, summary)
}
