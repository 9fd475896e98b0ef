//! Tests of what clients saw, by phase.

use crate::world::{ONE_SERVICE, Ran, fault, run};
use axum::{Router, routing::get};
use chaos_model::{Event, Share, Verdict, event::PhaseFigures};
use host::Host;
use std::{collections::BTreeMap, time::Duration};

/// Takes 50 ms to answer.
fn web(host: Host, _: BTreeMap<String, String>) -> Router {
    let answer = move || {
        let host = host.clone();
        async move {
            host.sleep(Duration::from_millis(50)).await;
            "{}"
        }
    };
    Router::new().route("/users/{id}", get(answer))
}

const ANY: &str = "[[expect]]\nthat = \"it\"\nduring = \"run\"\nstatus.200 = \">= 1%\"\n";

fn figures(ran: &Ran, name: &str) -> PhaseFigures {
    let figures = ran.records.iter().find_map(|record| match &record.event {
        Event::Phase(figures) if figures.phase == name => Some(figures.clone()),
        _ => None,
    });
    figures.unwrap()
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_when_a_fault_begins_are_counted_apart() {
    let ran = run(&format!("{ONE_SERVICE}{}{ANY}", fault("effect = \"refuse\"")), &[("web", web)]).await;
    let baseline = figures(&ran, "baseline");
    // 20 a second are in flight at any time: those of the last 50 ms meet the refusal.
    assert_eq!((baseline.arrivals, baseline.straddled), (95, 5));
    assert_eq!(baseline.availability(), Share::ALL);
    let outage = figures(&ran, "outage");
    assert_eq!((outage.arrivals, outage.straddled), (100, 0));
    assert_eq!(outage.unanswered, BTreeMap::from([("connect_refused".to_owned(), 100)]));
    let run = figures(&ran, "run");
    assert_eq!((run.arrivals, run.unanswered["reset"]), (400, 5));
}

#[tokio::test(start_paused = true)]
async fn what_a_fault_finds_under_way_can_be_judged_by_itself() {
    let of_them = "[[expect]]\nthat = \"they are reset\"\nacross = \"outage\"\nunanswered.any = \"== 100%\"\n\
                   [[expect]]\nthat = \"they are answered\"\nacross = \"outage\"\nstatus.200 = \"> 0%\"\n";
    let warmed = ONE_SERVICE.replace("duration = \"4s\"", "duration = \"4s\"\nwarmup = \"2s\"");
    for text in [ONE_SERVICE, &warmed] {
        let ran = run(&format!("{text}{}{of_them}", fault("effect = \"refuse\"")), &[("web", web)]).await;
        let (reset, answered) = (ran.judged("they are reset"), ran.judged("they are answered"));
        assert_eq!((reset.verdict, answered.verdict), (Verdict::Pass, Verdict::Fail));
        assert_eq!(reset.when, "across outage");
        assert!(reset.checks[0].seen.contains("5 of 5"), "{:?}", reset.checks);
    }
    // Nothing is under way where everything is answered at once, and nothing can be said.
    let text = format!("{ONE_SERVICE}{}{of_them}", fault("effect = \"refuse\""));
    let ran = run(&text, &[("web", |_, _| Router::new().route("/users/{id}", get(async || "{}")))]).await;
    assert_eq!(ran.judged("they are reset").verdict, Verdict::Inconclusive);
}

fn slow_to_scrape(host: Host, _: BTreeMap<String, String>) -> Router {
    let metrics = move || async move {
        host.sleep(Duration::from_millis(50)).await;
        "# TYPE asked_total counter\nasked_total 1\n"
    };
    Router::new().route("/users/{id}", get(async || "{}")).route("/metrics", get(metrics))
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_begins_with_the_timeline_is_there_before_the_first_request() {
    // A scrape comes before the fault, and takes as long as five requests are apart.
    let text = fault("effect = \"refuse\"").replace("at = \"1s\"", "at = \"0s\"");
    let metric = "[[expect]]\nthat = \"it counts\"\nduring = \"run\"\nmetric.asked_total = \"> 0\"\n";
    let ran = run(&format!("{ONE_SERVICE}{text}{metric}"), &[("web", slow_to_scrape)]).await;
    let outage = figures(&ran, "outage");
    assert_eq!(outage.unanswered, BTreeMap::from([("connect_refused".to_owned(), outage.arrivals)]));
}

#[tokio::test(start_paused = true)]
async fn requests_that_outlive_a_fault_belong_to_it() {
    let ran = run(&format!("{ONE_SERVICE}{}{ANY}", fault("effect = \"hang\"")), &[("web", web)]).await;
    let outage = figures(&ran, "outage");
    assert_eq!((outage.arrivals, outage.straddled), (100, 0));
    let latency = outage.latency.unwrap();
    // The first of them waits for the whole second, and is answered 50 ms later unless its client gave up.
    assert!(latency.max >= Duration::from_millis(990), "{latency:?}");
    assert_eq!(figures(&ran, "recovery").latency.unwrap().max, Duration::from_millis(50));
}

#[tokio::test(start_paused = true)]
async fn the_warm_up_is_not_judged() {
    let text = ONE_SERVICE.replace("duration = \"4s\"", "duration = \"4s\"\nwarmup = \"2s\"");
    let ran = run(&format!("{text}{}{ANY}", fault("effect = \"refuse\"")), &[("web", web)]).await;
    assert_eq!(figures(&ran, "run").arrivals, 400);
    let at = |wanted: &Event| {
        let found = ran.records.iter().find(|record| record.event == *wanted);
        found.map(|record| record.at_us / 1000)
    };
    assert_eq!(at(&Event::TimelineBegan), Some(2000));
    assert_eq!(at(&Event::FaultApplied { fault: "outage".to_owned() }), Some(3000));
}
