//! The control: the same load and the same judgement, and none of the faults.

use crate::world::{MemoryWorld, ONE_SERVICE, fault, run_so};
use axum::{Router, routing::get};
use chaos_model::{Event, Verdict};
use chaos_run::Options;
use host::Host;
use std::collections::BTreeMap;

fn web(_: Host, _: BTreeMap<String, String>) -> Router {
    Router::new().route("/users/{id}", get(|| async { "{}" }))
}

const EXPECT: &str = "[[expect]]\nthat = \"nobody is served\"\nduring = \"outage\"\nunanswered.any = \">= 100%\"\n\
                      [[expect]]\nthat = \"all are served\"\nafter = \"outage\"\nwithin = \"500ms\"\nstatus.200 = \">= 100%\"\n\
                      [[expect]]\nthat = \"it recovers\"\nafter = \"outage\"\nrecovery.time = \"< 1s\"\n";

#[tokio::test(start_paused = true)]
async fn the_faults_are_left_out_and_their_phases_are_judged() {
    let text = format!("{ONE_SERVICE}{}{EXPECT}", fault("effect = \"refuse\""));
    let verdicts = async |control| {
        let options = Options { control, ..Options::default() };
        let ran = run_so(&text, &mut MemoryWorld::new(&[("web", web)]), options).await;
        let judged = ["nobody is served", "all are served", "it recovers"].map(|that| ran.judged(that).verdict);
        let doubts = ran.doubts().len();
        let faults = |record: &&chaos_model::Record| {
            matches!(record.event, Event::FaultApplied { .. } | Event::FaultRemoved { .. } | Event::FaultFigures(_))
        };
        let faults = ran.records.iter().filter(faults).count();
        let Event::Begin(begin) = &ran.records[0].event else { panic!("it begins") };
        assert_eq!(begin.control, control);
        (judged, doubts, faults)
    };
    assert_eq!(verdicts(false).await, ([Verdict::Pass, Verdict::Pass, Verdict::Pass], 0, 3));
    assert_eq!(verdicts(true).await, ([Verdict::Fail, Verdict::Pass, Verdict::Inconclusive], 0, 0));
}
