//! Tests of the times at which requests are made, and of the meaning of latency.

use crate::bench::{MS, plan, run_all, run_until, serve};
use axum::{Router, routing::get};
use chaos_load::Error;
use chaos_model::{Arrivals, Rate, Stages};
use host::memory::MemoryNetwork;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

fn ok() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

#[tokio::test(start_paused = true)]
async fn constant_arrivals_are_made_when_they_are_due() {
    let network = MemoryNetwork::new(1);
    let _target = serve(&network, ok());
    let mut plan = plan("/");
    plan.load.warmup = Duration::from_millis(500);
    let began = Instant::now();
    let (outcomes, summary) = run_all(&network, plan).await;
    assert_eq!(outcomes.len(), 150);
    assert_eq!((summary.due, summary.made, summary.not_made), (150, 150, 0));
    for outcome in &outcomes {
        assert_eq!(outcome.intended, 10 * MS * u32::try_from(outcome.n).unwrap());
        assert_eq!(outcome.started, Some(outcome.intended));
        assert_eq!(outcome.ended, outcome.intended);
        assert_eq!((outcome.result, outcome.marks.bits), (Ok(200), 5));
    }
    assert_eq!(summary.late.unwrap().max, Duration::ZERO);
    assert_eq!(began.elapsed(), 1490 * MS);
}

#[tokio::test(start_paused = true)]
async fn poisson_arrivals_repeat() {
    let run = |seed| async move {
        let network = MemoryNetwork::new(1);
        let _target = serve(&network, ok());
        let mut plan = plan("/");
        plan.seed = seed;
        plan.load.arrivals = Arrivals::Poisson;
        plan.load.stages = crate::bench::for_so_long(Duration::from_secs(60));
        run_all(&network, plan).await
    };
    let (outcomes, summary) = run(3).await;
    assert!(outcomes.len().abs_diff(6000) < 310, "{}", outcomes.len());
    assert!(outcomes.iter().all(|outcome| outcome.result == Ok(200)));
    // The paused clock counts in milliseconds.
    assert!(summary.late.unwrap().max <= MS, "{summary:?}");
    assert_eq!(run(3).await, (outcomes.clone(), summary));
    assert_ne!(run(4).await.0, outcomes);
}

#[tokio::test(start_paused = true)]
async fn a_stall_shows_in_full() {
    let network = MemoryNetwork::new(1);
    let began = Instant::now();
    let stall = move || async move {
        // From 200 ms to 700 ms nothing is answered.
        if began.elapsed() >= 200 * MS {
            tokio::time::sleep_until(began + 700 * MS).await;
        }
    };
    let _target = serve(&network, Router::new().route("/", get(stall)));
    let (outcomes, summary) = run_all(&network, plan("/")).await;
    assert_eq!((summary.made, outcomes.len()), (100, 100), "none is held back");
    for outcome in &outcomes {
        let expected =
            if outcome.intended >= 200 * MS { (700 * MS).saturating_sub(outcome.intended) } else { Duration::ZERO };
        assert_eq!(outcome.latency(), expected, "{outcome:?}");
        assert_eq!(outcome.started, Some(outcome.intended));
    }
}

#[tokio::test(start_paused = true)]
async fn latency_counts_from_when_it_was_due_where_the_generator_is_late() {
    let network = MemoryNetwork::new(1);
    let _target = serve(&network, ok());
    // As when the machine stalls: the start lies in the past.
    let (sender, mut outcomes) = tokio::sync::mpsc::unbounded_channel();
    tokio::time::advance(500 * MS).await;
    let start = Instant::now() - 300 * MS;
    let client = network.host("client");
    let stop = CancellationToken::new();
    let nothing = Arc::new(Nothing);
    let summary = chaos_load::run(&client, plan("/"), start, nothing, sender, stop).await;
    assert_eq!((summary.due, summary.made), (100, 100), "all that is due is caught up with");
    assert_eq!(summary.late.unwrap().max, 300 * MS);
    let late = |n| 300_u64.saturating_sub(10 * n);
    while let Some(outcome) = outcomes.recv().await {
        assert_eq!(outcome.latency(), Duration::from_millis(late(outcome.n)), "{outcome:?}");
    }
}

struct Nothing;

impl chaos_load::CheckResponse for Nothing {
    fn check(&self, _: &chaos_load::Arrival, _: &chaos_load::Response<'_>) -> chaos_load::Marks {
        chaos_load::Marks::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_exceeds_the_limit_is_not_made_and_says_so() {
    let network = MemoryNetwork::new(1);
    let slow = || tokio::time::sleep(95 * MS);
    let _target = serve(&network, Router::new().route("/", get(slow)));
    let mut plan = plan("/");
    plan.max_in_flight = 4;
    let (outcomes, summary) = run_all(&network, plan).await;
    // Of each ten, four are made; their responses come before the next ten are due.
    assert_eq!((summary.due, summary.made, summary.not_made), (100, 40, 60));
    for outcome in &outcomes {
        let made = outcome.n % 10 < 4;
        let expected = if made { Ok(200) } else { Err(Error::NotMade) };
        assert_eq!(outcome.result, expected, "{outcome:?}");
        assert_eq!(outcome.started, made.then_some(outcome.intended));
    }
}

#[tokio::test(start_paused = true)]
async fn stopping_gives_up_what_is_under_way() {
    let network = MemoryNetwork::new(1);
    let slow = || tokio::time::sleep(100 * MS);
    let target = serve(&network, Router::new().route("/", get(slow)));
    let (stop, began) = (CancellationToken::new(), Instant::now());
    let stopper = stop.clone();
    drop(target.spawn(async move {
        tokio::time::sleep(505 * MS).await;
        stopper.cancel();
    }));
    let (outcomes, summary) = run_until(&network, plan("/"), stop).await;
    assert_eq!(began.elapsed(), 505 * MS, "it returns at once");
    assert_eq!((summary.due, summary.made), (51, 51));
    for outcome in &outcomes {
        let expected =
            if outcome.n <= 40 { (Ok(200), outcome.intended + 100 * MS) } else { (Err(Error::Stopped), 505 * MS) };
        assert_eq!((outcome.result, outcome.ended), expected, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn stopping_after_the_last_arrival_is_heard_too() {
    let network = MemoryNetwork::new(1);
    let target = serve(&network, Router::new().route("/", get(|| tokio::time::sleep(1500 * MS))));
    let stop = CancellationToken::new();
    let stopper = stop.clone();
    drop(target.spawn(async move {
        tokio::time::sleep(1200 * MS).await;
        stopper.cancel();
    }));
    let (outcomes, _) = run_until(&network, plan("/"), stop).await;
    assert!(outcomes.iter().all(|outcome| outcome.result == Err(Error::Stopped) && outcome.ended == 1200 * MS));
}

#[tokio::test(start_paused = true)]
async fn what_was_handed_out_but_not_begun_is_reported_too() {
    let network = MemoryNetwork::new(1);
    let _target = serve(&network, ok());
    tokio::time::advance(35 * MS).await;
    let (stop, start) = (CancellationToken::new(), Instant::now() - 35 * MS);
    // No worker gets its turn between the hand-out of the first four and the stop.
    stop.cancel();
    let (sender, mut outcomes) = tokio::sync::mpsc::unbounded_channel();
    let client = network.host("client");
    let summary = chaos_load::run(&client, plan("/"), start, Arc::new(Nothing), sender, stop).await;
    assert_eq!((summary.due, summary.made, summary.not_made), (4, 0, 4));
    for _ in 0..4 {
        let outcome = outcomes.recv().await.unwrap();
        assert_eq!((outcome.result, outcome.started, outcome.ended), (Err(Error::Stopped), None, 35 * MS));
    }
}

#[tokio::test(start_paused = true)]
async fn many_at_once_are_all_made() {
    let network = MemoryNetwork::new(1);
    let _target = serve(&network, ok());
    let mut plan = plan("/");
    let rate = Rate { times: 20_000, per: Duration::from_secs(1) };
    plan.load.stages = Stages::constant(rate, Duration::from_secs(1));
    let (outcomes, summary) = run_all(&network, plan).await;
    assert_eq!(summary.made, 20_000);
    assert!(outcomes.iter().all(|outcome| outcome.result == Ok(200) && outcome.latency() <= MS));
}
