//! Figures by instance, where responses say which one made them.

use crate::world::{ONE_SERVICE, Ran, fault, run};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use chaos_model::{Event, PhaseSum, event::PhaseFigures, phase::RUN};
use host::Host;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The time that the first instance takes; the second takes none.
const TAKES: Duration = Duration::from_millis(7);

/// Every fourth response comes of the second instance, which fails.
fn web(_: Host, _: BTreeMap<String, String>) -> Router {
    let respond = |State(responses): State<Arc<AtomicU64>>| async move {
        if responses.fetch_add(1, Ordering::SeqCst) % 4 == 3 {
            return (StatusCode::INTERNAL_SERVER_ERROR, [("x-served-by", "web-2")]);
        }
        tokio::time::sleep(TAKES).await;
        (StatusCode::OK, [("x-served-by", "web-1")])
    };
    Router::new().route("/users/{id}", get(respond)).with_state(Arc::default())
}

const EXPECT: &str = "[[expect]]\nthat = \"it\"\nduring = \"run\"\nunanswered.any = \"<= 90%\"\n";

fn phases(ran: &Ran) -> BTreeMap<&str, &PhaseFigures> {
    let figures = ran.records.iter().filter_map(|record| match &record.event {
        Event::Phase(figures) => Some((figures.phase.as_str(), figures)),
        _ => None,
    });
    figures.collect()
}

fn counted(figures: &PhaseFigures) -> Vec<(&str, u64, u64)> {
    figures.instances.iter().map(|(name, of)| (name.as_str(), of.responses, of.good)).collect()
}

#[tokio::test(start_paused = true)]
async fn phases_have_the_figures_of_each_instance_that_responded() {
    let refused = fault("effect = \"refuse\"");
    let service = ONE_SERVICE.replace("[responses]\n", "[responses]\ninstance.header = \"x-served-by\"\n");
    assert_ne!(service, ONE_SERVICE);
    let ran = run(&format!("{service}{refused}{EXPECT}"), &[("web", web)]).await;
    let phases = phases(&ran);
    let answered = phases[RUN].statuses.values().sum::<u64>();
    let of_run = counted(phases[RUN]);
    let [("web-1", first, good), ("web-2", second, 0)] = of_run[..] else { panic!("{of_run:?}") };
    assert!(first == good && first + second == answered && second.abs_diff(answered / 4) <= 1, "{of_run:?}");
    assert_eq!(counted(phases["outage"]), [], "nobody responds");
    let before = counted(phases["baseline"]);
    assert!(before.iter().map(|(_, responses, _)| responses).sum::<u64>() >= 99, "{before:?}");
    let median = |instance: &str| phases[RUN].instances[instance].latency.unwrap().p50;
    assert_eq!((median("web-1"), median("web-2")), (TAKES, Duration::ZERO));
    // Of its slices alone it comes to the same, as where the recording ends early.
    let begin = ran.records.iter().find_map(|record| match &record.event {
        Event::Begin(begin) => Some(begin),
        _ => None,
    });
    let begin = begin.unwrap();
    let mut sums: Vec<_> = begin.phases.iter().map(PhaseSum::new).collect();
    for record in &ran.records {
        if let Event::Slice(slice) = &record.event {
            sums.iter_mut().for_each(|sum| sum.add(slice));
        }
    }
    for figures in sums.iter().map(|sum| sum.figures(&begin.plan.system.markers)) {
        assert_eq!(counted(&figures), counted(phases[figures.phase.as_str()]), "{}", figures.phase);
    }
}

#[tokio::test(start_paused = true)]
async fn where_no_header_is_declared_nothing_is_counted_by_instance() {
    let ran = run(&format!("{ONE_SERVICE}{EXPECT}"), &[("web", web)]).await;
    assert!(phases(&ran)[RUN].instances.is_empty());
    let slices = ran.records.iter().filter_map(|record| match &record.event {
        Event::Slice(slice) => Some(slice),
        _ => None,
    });
    assert!(slices.into_iter().all(|slice| slice.instances.is_empty()));
}
