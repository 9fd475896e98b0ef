//! What a run tells of scrapes and of what proxies count.

use crate::world::{ONE_SERVICE, Ran, fault, run};
use axum::{Router, extract::State, http::StatusCode, response::IntoResponse as _, routing::get};
use chaos_model::{
    Event,
    event::{Counted, Fired, ProxyCounts, Sample, Scrape, Scraped},
};
use host::Host;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Its third scrape fails; its depth is the number of the scrape, and NaN in the first one.
fn web(_: Host, _: BTreeMap<String, String>) -> Router {
    let metrics = |State(scrapes): State<Arc<AtomicU64>>| async move {
        match scrapes.fetch_add(1, Ordering::SeqCst) {
            0 => "depth NaN\n".into_response(),
            2 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            n => format!("depth {n}\nother 7\n").into_response(),
        }
    };
    Router::new().route("/users/{id}", get(async || "{}")).route("/metrics", get(metrics)).with_state(Arc::default())
}

fn scraped(ran: &Ran) -> Vec<&Scraped> {
    let scraped = ran.records.iter().filter_map(|record| match &record.event {
        Event::Scraped(scraped) => Some(scraped),
        _ => None,
    });
    scraped.collect()
}

#[tokio::test(start_paused = true)]
async fn each_scrape_is_told_as_what_it_is() {
    let expect = "[[expect]]\nthat = \"it\"\nduring = \"run\"\nmetric.'depth' = \"<= 99\"\n";
    let ran = run(&format!("{ONE_SERVICE}{expect}{}", expect.replace("it", "again")), &[("web", web)]).await;
    let scraped = scraped(&ran);
    assert!(scraped.iter().all(|told| told.service == "web" && told.series.len() == 1), "{scraped:?}");
    let scrapes: Vec<&Scrape> = scraped.iter().flat_map(|told| &told.scrapes).collect();
    let times: Vec<u64> = scrapes.iter().map(|scrape| scrape.at.as_secs()).collect();
    assert_eq!(times, [0, 1, 2, 3, 4]);
    let [first, second, failed, ..] = scrapes[..] else { panic!("{scrapes:?}") };
    assert!(first.values[0].is_some_and(|Sample(value)| value.is_nan()), "{first:?}");
    assert_eq!(second.values, [Some(Sample(1.0))]);
    assert_eq!(failed.values, []);
    assert!(failed.failed.as_ref().is_some_and(|why| why.contains("answered 503")), "{failed:?}");
    let silent = run(
        &format!("{ONE_SERVICE}[[expect]]\nthat = \"it\"\nduring = \"run\"\nunanswered.any = \"< 1%\"\n"),
        &[("web", web)],
    )
    .await;
    assert_eq!(self::scraped(&silent), [] as [&Scraped; 0], "nothing was asked for");
}

#[tokio::test(start_paused = true)]
async fn what_links_carried_and_faults_did_is_told_at_each_second_and_edge() {
    let expect = "[[expect]]\nthat = \"it\"\nduring = \"run\"\nunanswered.any = \"<= 50%\"\n";
    let text = format!("{ONE_SERVICE}{}{expect}", fault("effect = \"status\"\nstatus = \"503\"\nshare = \"50%\""));
    let ran = run(&text.replace("at = \"1s\"", "at = \"1500ms\""), &[("web", web)]).await;
    let (mut all, mut at) = (ProxyCounts::default(), BTreeMap::new());
    for record in &ran.records {
        if let Event::Counted(Counted { at: moment, counts }) = &record.event {
            all.update(counts);
            at.insert(moment.as_millis(), all.clone());
        }
    }
    let moments: Vec<u128> = at.keys().copied().collect();
    assert!([1000, 1500, 2000, 2500, 3000, 4000].iter().all(|moment| moments.contains(moment)), "{moments:?}");
    let sent = |moment: u128| at[&moment].links["client -> web"].messages["GET /users/*"];
    // The one that is due at the very moment may have come or not.
    assert!((150..=151).contains(&sent(1500)) && (250..=251).contains(&sent(2500)), "{at:?}");
    assert_eq!(sent(4000), 400);
    let did = |moment: u128| at[&moment].faults.get("outage").copied().unwrap_or_default().messages;
    assert_eq!(did(1500), 0);
    assert!(did(2000) > 0 && did(2000) < did(2500), "{at:?}");
    let removed = ran.records.iter().find_map(|record| match &record.event {
        Event::FaultRemoved { fired, .. } => Some(*fired),
        _ => None,
    });
    assert_eq!(removed, at[&4000].faults.get("outage").copied(), "and once it is gone as it is told there");
    assert_ne!(removed, Some(Fired::default()));
    assert_eq!(ran.records.iter().filter(|record| record.event.name() == "slice").count(), 6);
    assert!(at.keys().all(|moment| Duration::from_millis(4000).as_millis() >= *moment));
}
