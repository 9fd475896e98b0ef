//! Blame of whole runs: what a fault is charged with where the system itself is not always well, or others were there too.

use crate::world::{MemoryWorld, ONE_SERVICE, fault, run, run_in};
use axum::{Json, Router, extract::State, routing::get};
use chaos_model::{
    Event, Verdict,
    event::JudgedCheck,
    ledger::{FaultFigures, Recovery},
};
use host::Host;
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

type Served = Arc<AtomicU64>;

/// Each 50th response is partial, whatever happens.
fn noisy(_: Host, _: BTreeMap<String, String>) -> Router {
    let serve = |State(served): State<Served>| async move {
        let n = served.fetch_add(1, Ordering::SeqCst);
        Json(json!({ "partial": n % 50 == 7 }))
    };
    Router::new().route("/users/{id}", get(serve)).with_state(Served::default())
}

/// One response in the middle of the second second is partial.
fn once(_: Host, _: BTreeMap<String, String>) -> Router {
    let serve = |State(served): State<Served>| async move {
        let n = served.fetch_add(1, Ordering::SeqCst);
        Json(json!({ "partial": n == 150 }))
    };
    Router::new().route("/users/{id}", get(serve)).with_state(Served::default())
}

fn well(_: Host, _: BTreeMap<String, String>) -> Router {
    Router::new().route("/users/{id}", get(|| async { "{}" }))
}

/// A delay of each response by a millisecond, which hurts nobody.
const SLOW: &str = "effect = \"latency\"\ndelay = \"1ms\"";
/// The same for one request in ten.
const SOME_FAIL: &str = "effect = \"status\"\nstatus = \"503\"\nshare = \"10%\"";

const DETECT: &str = "[[expect]]\nthat = \"it\"\nduring = \"outage\"\ndetect.time = \"< 500ms\"\n";
const RECOVER: &str = "[[expect]]\nthat = \"it\"\nafter = \"outage\"\nrecovery.time = \"< 500ms\"\n";

type Program = fn(Host, BTreeMap<String, String>) -> Router;

/// A run: its one check, and the figures of its faults.
async fn of(faults: &str, expect: &str, program: Program) -> (JudgedCheck, Vec<FaultFigures>) {
    let ran = run(&format!("{ONE_SERVICE}{faults}{expect}"), &[("web", program)]).await;
    let figures = ran.records.iter().filter_map(|record| match &record.event {
        Event::FaultFigures(figures) => Some(figures.clone()),
        _ => None,
    });
    (ran.judged("it").checks[0].clone(), figures.collect())
}

#[tokio::test(start_paused = true)]
async fn a_system_that_is_never_quite_well_does_not_notice_a_harmless_fault() {
    let (check, figures) = of(&fault(SLOW), DETECT, noisy).await;
    let note = "2 of 100 responses were bad, no more than in the baseline (2%)";
    assert_eq!((check.verdict, check.note.as_deref()), (Verdict::Fail, Some(note)));
    assert_eq!(check.seen, "no bad response in 1s");
    assert_eq!((figures[0].detected, figures[0].recovery), (None, Recovery::Unnoticed));
    let (check, _) = of(&fault(SLOW), RECOVER, noisy).await;
    assert_eq!((check.verdict, check.seen.as_str()), (Verdict::Inconclusive, "nothing to recover from"));
    assert_eq!(check.note, Some(format!("`outage`: {note}")));
}

#[tokio::test(start_paused = true)]
async fn a_system_that_is_never_quite_well_notices_one_that_hurts() {
    let (check, figures) = of(&fault(SOME_FAIL), DETECT, noisy).await;
    assert_eq!(check.verdict, Verdict::Pass, "{check:?}");
    assert!(figures[0].detected.is_some() && figures[0].uncharged.is_none(), "{figures:?}");
}

#[tokio::test(start_paused = true)]
async fn one_bad_response_without_an_injection_may_be_chance() {
    // It meets another request, and is there as it happens.
    let elsewhere = "effect = \"status\"\nstatus = \"200\"\nonly.nth = \"3\"";
    let (check, figures) = of(&fault(elsewhere), DETECT, once).await;
    assert_eq!(figures[0].injections, 1);
    let note = "1 of 100 responses were bad, and 0 of 100 in the baseline: that may be chance";
    assert_eq!((check.verdict, check.note.as_deref()), (Verdict::Inconclusive, Some(note)));
}

#[tokio::test(start_paused = true)]
async fn of_two_faults_the_one_that_made_it_is_charged() {
    let other = fault(SLOW).replace("outage", "slow");
    let (check, figures) = of(&format!("{}{other}", fault(SOME_FAIL)), DETECT, well).await;
    assert_eq!(check.verdict, Verdict::Pass);
    let [status, slow] = &figures[..] else { panic!("{figures:?}") };
    assert!(status.detected.is_some() && slow.detected.is_none(), "{figures:?}");
    assert_eq!((slow.uncharged, slow.recovery), (None, Recovery::Unnoticed));
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_met_nobody_is_charged_with_nothing() {
    // It would meet a path that nobody asks for, while another fault hurts all.
    let nobody = fault("effect = \"status\"\nstatus = \"500\"\nonly.path = \"/none\"");
    let all = fault("effect = \"refuse\"").replace("outage", "refused");
    let text = format!("{ONE_SERVICE}{nobody}{all}{DETECT}");
    let ran = run_in(&text, &mut MemoryWorld::new(&[("web", well)])).await;
    let check = &ran.judged("it").checks[0];
    let note = "99 of 100 responses were bad, none of them by it";
    assert_eq!((check.verdict, check.note.as_deref()), (Verdict::Fail, Some(note)));
}

/// Where a fault begins with the run, nobody knows how it was before.
#[tokio::test(start_paused = true)]
async fn without_a_baseline_injections_count() {
    let at_once = |effect: &str| fault(effect).replace("at = \"1s\"", "at = \"0s\"");
    let (check, _) = of(&at_once("effect = \"status\"\nstatus = \"503\""), DETECT, well).await;
    assert_eq!((check.verdict, check.seen.as_str()), (Verdict::Pass, "0s"));
}
