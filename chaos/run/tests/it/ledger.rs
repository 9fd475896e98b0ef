//! The ledger of a whole run: what proxies tell, joined with what clients saw.

use crate::world::{MemoryWorld, ONE_SERVICE, fault, run_in};
use axum::{Router, routing::get};
use chaos_model::{
    ArrivalId, Event, Impact, Injection, KeyKind,
    ledger::{FaultFigures, Joined, Recovery},
};
use host::Host;
use std::{collections::BTreeMap, time::Duration};

fn web(_: Host, _: BTreeMap<String, String>) -> Router {
    Router::new().route("/users/{id}", get(|| async { "{}" }))
}

const ANY: &str = "[[expect]]\nthat = \"it\"\nduring = \"run\"\nstatus.200 = \">= 1%\"\n";

fn injection(at_ms: u64, n: Option<u64>) -> Injection {
    Injection {
        fault: "outage".to_owned(),
        link: "client -> web".to_owned(),
        at: Duration::from_millis(at_ms),
        key: KeyKind::Request,
        subject: "GET /users/1".to_owned(),
        // The nonce is the memory world's.
        arrival: n.map(|n| ArrivalId::of_seed(7, n)),
        idle: false,
        attempt: n.unwrap_or(0) % 2,
        asked: None,
        achieved: None,
        bystanders: 0,
    }
}

async fn ledger(effect: &str, injections: Vec<Injection>) -> (Vec<Joined>, FaultFigures) {
    let mut world = MemoryWorld::new(&[("web", web)]);
    world.ledger = injections;
    let ran = run_in(&format!("{ONE_SERVICE}{}{ANY}", fault(effect)), &mut world).await;
    let (mut joined, mut figures) = (Vec::new(), None);
    for record in ran.records {
        match record.event {
            Event::Injected(injected) => joined.extend(injected.injections),
            Event::FaultFigures(found) => figures = Some(found),
            _ => {}
        }
    }
    (joined, figures.expect("each fault has figures"))
}

#[tokio::test(start_paused = true)]
async fn each_injection_is_told_with_the_request_that_met_it() {
    // The fault begins after a second, and 100 requests a second are due: 151 is refused at 1.51 s.
    let (joined, figures) = ledger("effect = \"refuse\"", vec![injection(510, Some(151)), injection(515, None)]).await;
    let told = |one: &Joined| (one.injection.at.as_millis(), one.met.map(|met| met.n), one.impact);
    let wanted = [(1510, Some(151), Impact::Failed), (1515, None, Impact::Background)];
    assert_eq!(joined.iter().map(told).collect::<Vec<_>>(), wanted);
    assert_eq!((figures.injections, figures.left_out, figures.retries), (2, 2, None));
    assert_eq!(figures.impacts, BTreeMap::from([(Impact::Failed, 1), (Impact::Background, 1)]));
    assert_eq!((figures.detected, figures.recovery), (Some(Duration::ZERO), Recovery::After { took: Duration::ZERO }));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_notices_is_neither_detected_nor_recovered_from() {
    let (joined, figures) =
        ledger("effect = \"latency\"\ndelay = \"1ms\"\njitter = \"0s\"", vec![injection(510, Some(151))]).await;
    // It took 1 ms, and none took as long before.
    assert_eq!(joined[0].impact, Impact::Slower);
    assert_eq!((figures.detected, figures.recovery), (None, Recovery::Unnoticed));
}

#[tokio::test(start_paused = true)]
async fn many_injections_come_in_batches_and_none_is_lost() {
    let all = (0..1203).map(|n| injection(n % 1000, Some(100 + n % 100))).collect();
    let (joined, figures) = ledger("effect = \"refuse\"", all).await;
    assert_eq!((joined.len(), figures.injections), (1203, 1203));
}
