//! A check that `chaos` doesn't bring, added by one file and one row, judges a simulated run.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use axum::{Router, extract::State, http::StatusCode, routing::get};
use chaos_model::{
    Comparison, Event, Share, Verdict,
    check::{Arrival, Evidence, Finding, Leaf, Need, Row, Shape, Subject, term},
    event::Judged,
};
use chaos_sim::Simulation;
use host::{Host, http};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The example of CONTRIBUTING.md, as it stands in the table's folder.
#[path = "../../model/src/check/shed.rs"]
mod shed;

/// Turns every tenth request away.
async fn shop(host: Host) -> chaos_sim::Outcome {
    let app = Router::new().route("/", get(busy)).with_state(Arc::default());
    http::serve(&host, host.listen(80)?, app, http::ServerConfig::default()).await;
    Ok(())
}

async fn busy(State(asked): State<Arc<AtomicU64>>) -> StatusCode {
    let tenth = asked.fetch_add(1, Ordering::Relaxed) % 10 == 9;
    if tenth { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK }
}

fn judged(expectation: &str) -> Judged {
    let scenario = format!(
        "title = \"it\"\nentry = \"shop\"\nservice.shop.program = \"shop\"\n\
         load.request = \"GET /\"\nload.rate = \"100/s\"\nload.arrivals = \"constant\"\nload.duration = \"4s\"\n\
         [[fault]]\nname = \"away\"\non = \"client -> shop\"\neffect = \"refuse\"\nat = \"2s\"\nfor = \"1s\"\n\
         [[expect]]\nthat = \"it\"\n{expectation}\n"
    );
    let run = Simulation::new().program("shop", shop).check(&shed::ROW).run_text("it.toml", &scenario).unwrap();
    let judged = run.records.iter().find_map(|record| match &record.event {
        Event::Judged(judged) => Some(judged.clone()),
        _ => None,
    });
    judged.unwrap()
}

#[test]
fn a_made_up_check_is_read_judged_and_explained() {
    let holds = judged("during = \"baseline\"\nshed = \"<= 10%\"");
    let check = &holds.checks[0];
    assert_eq!((check.verdict, check.expected.as_str()), (Verdict::Pass, "shed <= 10%"));
    assert_eq!(check.seen, "10% (20 of 200)");
    let fails = judged("during = \"baseline\"\nshed = \"<= 5%\"");
    let note = fails.checks[0].note.as_deref();
    assert_eq!((fails.verdict, note), (Verdict::Fail, Some("the first, request 9 at 0.09s, had response 429")));
    let during = judged("during = \"away\"\nshed = \"<= 5%\"");
    assert_eq!((during.verdict, during.checks[0].seen.as_str()), (Verdict::Pass, "0% (0 of 100)"));
}
