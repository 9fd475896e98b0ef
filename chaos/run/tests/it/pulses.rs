//! Faults that come and go.

use crate::world::{ONE_SERVICE, Ran, run};
use axum::{Router, routing::get};
use chaos_model::{Event, Verdict, event::Fired};
use chaos_run::Ending;
use host::Host;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Uses the other service in the first second and a half, and no longer.
fn web(host: Host, env: BTreeMap<String, String>) -> Router {
    let until = Instant::now() + Duration::from_millis(1500);
    let answer = move || {
        let (host, other) = (host.clone(), env.get("OTHER").cloned());
        async move {
            if let Some(other) = other.filter(|_| Instant::now() < until) {
                let (name, port) = other.split_once(':').unwrap();
                // Whether it is refused is the proxy's to count.
                let _ = host.dial(name, port.parse().unwrap()).await;
            }
            "{}"
        }
    };
    Router::new().route("/users/{id}", get(answer))
}

fn other(_: Host, _: BTreeMap<String, String>) -> Router {
    Router::new()
}

/// There from 1 s to 1.2 s, and from 2 s to 2.2 s.
const PULSES: &str =
    "[[fault]]\nname = \"outage\"\neffect = \"refuse\"\nat = \"1s\"\nfor = \"2s\"\npulse = \"200ms of 1s\"\n";
const WELL: &str = "[[expect]]\nthat = \"it\"\nduring = \"recovery\"\nstatus.200 = \">= 100%\"\n";

async fn pulsing(on: &str) -> Ran {
    let text = ONE_SERVICE.replace("[load]", "env.OTHER = \"{other}\"\n[service.other]\nprogram = \"redis\"\n[load]");
    let fault = PULSES.replace("effect", &format!("on = \"{on}\"\neffect"));
    run(&format!("{text}{fault}{WELL}"), &[("web", web), ("other", other)]).await
}

/// The times at which the fault came and went, in milliseconds of the timeline, and how often it fired each time.
fn course(ran: &Ran) -> (Vec<u64>, Vec<Fired>) {
    let began = ran.records.iter().find(|record| record.event == Event::TimelineBegan).unwrap().at_us;
    let (mut edges, mut fired) = (Vec::new(), Vec::new());
    for record in &ran.records {
        let at = record.at_us.saturating_sub(began) / 1000;
        match &record.event {
            Event::FaultApplied { .. } => edges.push(at),
            Event::FaultRemoved { fired: count, .. } => {
                edges.push(at);
                fired.push(*count);
            }
            _ => {}
        }
    }
    (edges, fired)
}

#[tokio::test(start_paused = true)]
async fn each_pulse_is_applied_and_taken_back_and_counts_for_itself() {
    let ran = pulsing("client -> web").await;
    let (edges, fired) = course(&ran);
    assert_eq!(edges, [1000, 1200, 2000, 2200]);
    // 100 requests a second, the first of which meets the reset of the connection that it was to use.
    assert_eq!(fired.iter().map(|fired| (fired.resets, fired.refused)).collect::<Vec<_>>(), [(1, 19), (1, 19)]);
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Pass, _)), "{:?}", ran.ending);
}

#[tokio::test(start_paused = true)]
async fn a_fault_has_fired_if_one_of_its_pulses_has() {
    let ran = pulsing("web -> other").await;
    let (_, fired) = course(&ran);
    assert_eq!(fired.iter().map(|fired| fired.refused).collect::<Vec<_>>(), [20, 0], "nobody uses it in the second");
    assert_eq!(ran.doubts(), Vec::<&str>::new());
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Pass, _)), "{:?}", ran.ending);
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_is_off_as_the_run_ends_is_taken_back_no_more() {
    let fault = PULSES.replace("effect", "on = \"client -> web\"\neffect").replace("for = \"2s\"", "for = \"3s\"");
    let ran = run(&format!("{ONE_SERVICE}{fault}{}", WELL.replace("recovery", "baseline")), &[("web", web)]).await;
    let (edges, _) = course(&ran);
    assert_eq!(edges, [1000, 1200, 2000, 2200, 3000, 3200]);
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Pass, _)), "{:?}", ran.ending);
}
