//! Tests of runs that end before their time: gates, aborts, and systems that are others'.

use crate::world::{MemoryWorld, ONE_SERVICE, Ran, run, run_in};
use axum::{Router, extract::Path, http::StatusCode, routing::get};
use chaos_model::{
    Event, Verdict,
    event::{EarlyEnd, EndedEarly, Fired},
};
use chaos_run::Ending;
use host::Host;
use std::{collections::BTreeMap, time::Duration};

const SECOND: u64 = 1_000_000;

/// Ten seconds of load, with a fault from the second to the eighth.
fn scenario(effect: &str, expectations: &str) -> String {
    let head = ONE_SERVICE.replace("duration = \"4s\"", "duration = \"10s\"");
    format!(
        "{head}[[fault]]\nname = \"outage\"\non = \"client -> web\"\n{effect}\nat = \"2s\"\nfor = \"6s\"\n{expectations}"
    )
}

fn expect(that: &str, lines: &str) -> String {
    format!("[[expect]]\nthat = \"{that}\"\n{lines}\n")
}

const REFUSES: &str = "effect = \"status\"\nstatus = \"503\"";
const GATE: &str = "during = \"baseline\"\navailability = \">= 99%\"\ngate = true";

fn well(_: Host, _: BTreeMap<String, String>) -> Router {
    Router::new().route("/users/{id}", get(|| async { "{}" }))
}

/// Serves nine of ten users.
fn unwell(_: Host, _: BTreeMap<String, String>) -> Router {
    let user =
        |Path(id): Path<u32>| async move { if id == 3 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK } };
    Router::new().route("/users/{id}", get(user))
}

/// Never responds to one of ten users.
fn hangs(_: Host, _: BTreeMap<String, String>) -> Router {
    let user = |Path(id): Path<u32>| async move {
        if id == 3 {
            std::future::pending::<()>().await;
        }
        "{}"
    };
    Router::new().route("/users/{id}", get(user))
}

/// Takes 300 ms for each.
fn slow(_: Host, _: BTreeMap<String, String>) -> Router {
    let user = || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "{}"
    };
    Router::new().route("/users/{id}", get(user))
}

/// When the fault was applied and taken back, and what it did.
fn faults(ran: &Ran) -> Vec<(&'static str, u64, Fired)> {
    let began = ran.records.iter().find(|record| record.event == Event::TimelineBegan).expect("it began").at_us;
    let of = |record: &chaos_model::Record| match &record.event {
        Event::FaultApplied { .. } => Some(("applied", record.at_us - began, Fired::default())),
        Event::FaultRemoved { fired, .. } => Some(("removed", record.at_us - began, *fired)),
        _ => None,
    };
    ran.records.iter().filter_map(of).collect()
}

fn early(ran: &Ran) -> Option<&EndedEarly> {
    ran.records.iter().find_map(|record| match &record.event {
        Event::EndedEarly(early) => Some(early),
        _ => None,
    })
}

/// The end of the run, in seconds after its begin.
fn took(ran: &Ran) -> u64 {
    ran.records.last().expect("it has an end").at_us / SECOND
}

#[tokio::test(start_paused = true)]
async fn where_a_gate_holds_a_run_goes_as_without_it() {
    for router in [well, slow] {
        let ran = run(&scenario(REFUSES, &expect("up", GATE)), &[("web", router)]).await;
        assert!(matches!(ran.ending, Ending::Judged(Verdict::Pass, _)), "{:?}", ran.ending);
        assert_eq!(faults(&ran).len(), 2);
        assert_eq!(early(&ran), None);
        assert!(took(&ran) >= 10);
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_gate_does_not_hold_no_fault_begins() {
    let more = expect("whatever", "during = \"outage\"\nstatus.503 = \">= 99%\"");
    for router in [unwell, hangs] {
        let ran = run(&scenario(REFUSES, &(expect("up", GATE) + &more)), &[("web", router)]).await;
        assert!(matches!(ran.ending, Ending::Judged(Verdict::Inconclusive, _)), "{:?}", ran.ending);
        assert_eq!(faults(&ran), []);
        let early = early(&ran).expect("it ends early");
        assert_eq!((early.by, early.that.as_deref()), (EarlyEnd::Gate, Some("up")));
        let [why] = ran.doubts()[..] else { panic!("{:?}", ran.doubts()) };
        assert!(why.starts_with("the system was not well before the first fault, so none began: availability >= 99%"));
        assert_eq!(ran.judged("up").verdict, Verdict::Inconclusive);
        assert_eq!(ran.judged("whatever").verdict, Verdict::Inconclusive);
        let phases = ran.records.iter().filter_map(|record| match &record.event {
            Event::Phase(figures) => Some(figures.phase.as_str()),
            _ => None,
        });
        assert_eq!(phases.collect::<Vec<_>>(), ["run", "baseline"], "nothing is told of what never was");
        assert!(took(&ran) < 4, "{} s", took(&ran));
    }
}

#[tokio::test(start_paused = true)]
async fn a_system_of_others_is_not_harmed_where_it_is_not_well() {
    let text = scenario(REFUSES, &expect("whatever", "during = \"outage\"\nstatus.503 = \">= 99%\""));
    let ended = async |text: &str, router, careful| {
        let mut world = MemoryWorld::new(&[("web", router)]);
        world.careful = careful;
        let ran = run_in(text, &mut world).await;
        let fired: u64 = faults(&ran).iter().map(|(_, _, fired)| fired.messages).sum();
        (early(&ran).map(|early| early.seen.clone()), fired > 0)
    };
    assert_eq!(ended(&text, well as _, true).await, (None, true));
    assert_eq!(ended(&text, slow as _, true).await, (None, true));
    let few = Some("90% of the requests were served".to_owned());
    assert_eq!(ended(&text, unwell as _, true).await, (few, false));
    let (gone, fired) = ended(&text, hangs as _, true).await;
    assert!(gone.is_some_and(|why| why.contains("were served")) && !fired, "some have timed out");
    let patient = text.replace("timeout = \"1s\"", "timeout = \"5s\"");
    let (hanging, fired) = ended(&patient, hangs as _, true).await;
    assert!(hanging.is_some_and(|why| why.contains("have waited longer for a response")) && !fired);
    assert_eq!(ended(&text, unwell as _, false).await, (None, true), "its own it may harm");
}

#[tokio::test(start_paused = true)]
async fn what_is_broken_for_too_long_takes_all_faults_back() {
    for (effect, check) in [
        (REFUSES, "availability = \">= 50%\""),
        ("effect = \"delay\"\ndelay = \"200ms\"", "latency.p50 = \"< 100ms\""),
        ("effect = \"status\"\nstatus = \"503\"\nshare = \"20%\"", "status.200 = \">= 90%\""),
    ] {
        let lines = format!("during = \"run\"\n{check}\nabort = \"2s\"");
        let later = expect("later", "after = \"outage\"\nwithin = \"1s\"\navailability = \">= 99%\"");
        let ran = run(&scenario(effect, &(expect("up", &lines) + &later)), &[("web", well)]).await;
        assert!(matches!(ran.ending, Ending::Judged(Verdict::Fail, _)), "{:?}", ran.ending);
        assert_eq!(ran.judged("up").verdict, Verdict::Fail, "{check}");
        assert_eq!(ran.judged("later").verdict, Verdict::Inconclusive);
        assert_eq!(early(&ran).expect("it ends early").by, EarlyEnd::Abort);
        let [("applied", applied, _), ("removed", removed, fired)] = faults(&ran)[..] else {
            panic!("{ran:?}", ran = faults(&ran))
        };
        assert_eq!(applied, 2 * SECOND);
        assert!((4 * SECOND..5 * SECOND).contains(&removed), "{check}: {removed}");
        assert!(fired.messages > 0);
        assert!(took(&ran) < 6);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_broken_for_a_moment_or_can_be_borne_ends_nothing() {
    let brief = |lines: &str| scenario(REFUSES, lines).replace("for = \"6s\"", "for = \"1s\"");
    let broken = expect("up", "during = \"run\"\navailability = \">= 99%\"\nabort = \"2s\"");
    let ran = run(&brief(&broken), &[("web", well)]).await;
    assert_eq!(early(&ran), None);
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Fail, _)), "it is judged at the end: {:?}", ran.ending);
    let borne = expect("up", "during = \"outage\"\nstatus.503 = \">= 99%\"\nabort = \"1s\"");
    let ran = run(&scenario(REFUSES, &borne), &[("web", well)]).await;
    assert_eq!(early(&ran), None);
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Pass, _)), "{:?}", ran.ending);
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_under_way_break_nothing_until_they_end() {
    // The client waits for a second: nobody knows before that what comes of them. When one of a hundred has timed out, the share
    // is broken whatever comes of the others.
    let lines = expect("up", "during = \"outage\"\navailability = \">= 99%\"\nabort = \"1s\"");
    let ran = run(&scenario("effect = \"hang\"", &lines), &[("web", well)]).await;
    let [_, ("removed", removed, _)] = faults(&ran)[..] else { panic!("{ran:?}", ran = faults(&ran)) };
    assert!((3 * SECOND..4 * SECOND).contains(&removed), "{removed}");
    let held = expect("up", "during = \"outage\"\navailability = \">= 99%\"\nabort = \"1s\"");
    let slow = scenario("effect = \"delay\"\ndelay = \"900ms\"", &held);
    let ran = run(&slow, &[("web", well)]).await;
    assert_eq!(early(&ran), None, "they come in the end");
}
