//! Open-loop load on the gateway, and what came of it.

use crate::system::System;
use chaos_load::{Arrival, CheckResponse, Marks, Outcome, Plan, Response};
use chaos_model::{Arrivals, Histogram, Load, Nonce, Rate, Request, Span, Stages, Text, Variable, load::TextPiece};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{sync::mpsc::unbounded_channel, time::Instant};
use tokio_util::sync::CancellationToken;

/// The bit of responses that are partial.
const PARTIAL: u64 = 1;

struct Partial;

impl CheckResponse for Partial {
    fn check(&self, _: &Arrival, response: &Response<'_>) -> Marks {
        let partial = response.body.unwrap_or_default().windows(14).any(|window| window == b"\"partial\":true");
        Marks { bits: if partial { PARTIAL } else { 0 }, ..Marks::default() }
    }
}

/// All outcomes of a load, by their intended start.
pub(crate) struct Outcomes(Vec<Outcome>);

/// Puts `rate` requests a second on the gateway for `time`.
pub(crate) async fn put(system: &System, rate: u32, time: Duration, user: Variable) -> Outcomes {
    let pieces = vec![TextPiece::Plain("/api/profile/".to_owned()), TextPiece::Variable("user".to_owned())];
    let request = Request {
        name: String::new(),
        method: "GET".to_owned(),
        path: Text { pieces },
        headers: BTreeMap::new(),
        basic: None,
        body: None,
        weight: 1,
        step: chaos_model::load::Step::default(),
    };
    let load = Load {
        requests: vec![request],
        stages: Stages::constant(Rate { times: rate.into(), per: Duration::from_secs(1) }, time),
        arrivals: Arrivals::Poisson,
        warmup: Duration::ZERO,
        timeout: Duration::from_secs(5),
        vars: [("user".to_owned(), user)].into(),
        secrets: chaos_model::load::Secrets::default(),
        span: Span { source: 0, range: 0..0 },
    };
    let port = system.port("gateway");
    let host = "127.0.0.1".to_owned();
    let disruptions = chaos_load::Disruptions::default();
    let plan = Plan { load, host, port, seed: 1, nonce: Nonce(1), max_in_flight: 10_000, disruptions };
    let (outcomes, mut hear) = unbounded_channel();
    let (host, stop) = (system.host.clone(), CancellationToken::new());
    let run = system
        .host
        .spawn(async move { chaos_load::run(&host, plan, Instant::now(), Arc::new(Partial), outcomes, stop).await });
    let mut all = Vec::new();
    while let Some(outcome) = hear.recv().await {
        all.push(outcome);
    }
    let summary = run.await.unwrap();
    assert_eq!(summary.not_made, 0, "the load could not be made");
    Outcomes(all)
}

impl Outcomes {
    /// Requests that were due within this time.
    pub(crate) fn within(&self, from: Duration, to: Duration) -> Self {
        Self(self.0.iter().filter(|outcome| (from..to).contains(&outcome.intended)).cloned().collect())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The number of requests that did not end in 200.
    pub(crate) fn failed(&self) -> usize {
        self.0.iter().filter(|outcome| !matches!(outcome.result, Ok(200))).count()
    }

    pub(crate) fn partial(&self) -> usize {
        self.0.iter().filter(|outcome| outcome.marks.bits == PARTIAL).count()
    }

    pub(crate) fn slower_than(&self, limit: Duration) -> usize {
        self.0.iter().filter(|outcome| outcome.latency() > limit).count()
    }

    pub(crate) fn latency(&self, thousandths: u32) -> Duration {
        let mut histogram = Histogram::default();
        self.0.iter().for_each(|outcome| histogram.record(outcome.latency()));
        histogram.percentile(thousandths).unwrap()
    }

    pub(crate) fn slowest(&self) -> Duration {
        self.latency(100_000)
    }
}
