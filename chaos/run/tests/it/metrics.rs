//! Expectations on metrics.

use crate::world::{ONE_SERVICE, fault, run};
use axum::{Router, extract::State, routing::get};
use chaos_model::{Verdict, event::JudgedCheck};
use host::Host;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

#[derive(Clone, Default)]
struct Counts {
    hits: Arc<AtomicU64>,
    scrapes: Arc<AtomicU64>,
}

/// Counts hits by even and odd users; a restart sets the count back at the third scrape; the depth is 2, then 3.
fn web(_: Host, _: BTreeMap<String, String>) -> Router {
    let metrics = |State(counts): State<Counts>| async move {
        let hits = counts.hits.load(Ordering::SeqCst);
        let scrape = counts.scrapes.fetch_add(1, Ordering::SeqCst);
        let restarted = if scrape < 3 { 1000 + hits } else { hits };
        let depth = if hits < 300 { 2 } else { 3 };
        format!(
            "# TYPE hits_total counter\nhits_total{{parity=\"any\",tier=\"a\"}} {hits}\nhits_total{{tier=\"b\"}} 5\n\
             # TYPE restarted_total counter\nrestarted_total {restarted}\n# TYPE depth gauge\ndepth {depth}\n"
        )
    };
    let count = |State(counts): State<Counts>| async move {
        counts.hits.fetch_add(1, Ordering::SeqCst);
        "{}"
    };
    Router::new().route("/users/{id}", get(count)).route("/metrics", get(metrics)).with_state(Counts::default())
}

async fn check(scope: &str, selector: &str, bound: &str) -> JudgedCheck {
    let expect = format!("[[expect]]\nthat = \"it\"\n{scope}\nmetric.'{selector}' = \"{bound}\"\n");
    let text = format!("{ONE_SERVICE}{}{expect}", fault("effect = \"refuse\""));
    run(&text, &[("web", web)]).await.judged("it").checks[0].clone()
}

fn came(check: &JudgedCheck) -> (Verdict, &str) {
    (check.verdict, &check.seen)
}

#[tokio::test(start_paused = true)]
async fn a_counter_is_judged_by_its_increase_within_the_phase() {
    // The arrival at the very first moment and the scrape there may come in either order.
    let baseline = check("during = \"baseline\"", "hits_total{tier=\"a\"}", "99..100").await;
    assert_eq!(baseline.verdict, Verdict::Pass, "{baseline:?}");
    assert_eq!(came(&check("during = \"outage\"", "hits_total", "== 0").await), (Verdict::Pass, "+0"));
    assert_eq!(check("during = \"recovery\"", "hits_total", "< 190").await.verdict, Verdict::Fail);
}

#[tokio::test(start_paused = true)]
async fn what_has_to_be_reached_after_a_fault_counts_from_its_end() {
    let soon = "after = \"outage\"\nwithin = \"500ms\"";
    assert_eq!(check(soon, "hits_total", ">= 49").await.verdict, Verdict::Pass);
    assert_eq!(check(soon, "hits_total", "> 60").await.verdict, Verdict::Fail);
    // What has to be kept counts from then on.
    assert_eq!(check(soon, "hits_total", "<= 151").await.verdict, Verdict::Pass);
    assert_eq!(check(soon, "hits_total", "<= 140").await.verdict, Verdict::Fail);
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_the_service_does_not_hide_an_increase() {
    let check = check("during = \"run\"", "restarted_total", "> 250").await;
    assert_eq!(check.verdict, Verdict::Pass, "{check:?}");
}

#[tokio::test(start_paused = true)]
async fn a_gauge_must_hold_in_every_scrape() {
    assert_eq!(check("during = \"run\"", "depth", "<= 3").await.verdict, Verdict::Pass);
    let broken = check("during = \"run\"", "depth", "<= 2").await;
    assert_eq!(broken.verdict, Verdict::Fail);
    assert_eq!(broken.seen, "2 to 3 in 7 scrapes");
    assert_eq!(broken.note.as_deref(), Some("the first, at 4.00s, was 3"));
}

#[tokio::test(start_paused = true)]
async fn a_gauge_that_some_scrapes_lack_can_not_be_judged() {
    fn flaky(_: Host, _: BTreeMap<String, String>) -> Router {
        let metrics = |State(counts): State<Counts>| async move {
            let first = counts.scrapes.fetch_add(1, Ordering::SeqCst) == 0;
            if first { "# TYPE depth gauge\ndepth 2\n" } else { "" }
        };
        let router = Router::new().route("/users/{id}", get(|| async { "{}" })).route("/metrics", get(metrics));
        router.with_state(Counts::default())
    }
    let expect = "[[expect]]\nthat = \"it\"\nduring = \"run\"\nmetric.'depth' = \"<= 2\"\n";
    let ran = run(&format!("{ONE_SERVICE}{expect}"), &[("web", flaky)]).await;
    let check = &ran.judged("it").checks[0];
    assert_eq!(check.verdict, Verdict::Inconclusive, "{check:?}");
    assert_eq!(check.note.as_deref(), Some("the scrape at 1.00s does not have it"));
}

#[tokio::test(start_paused = true)]
async fn a_selector_that_no_scrape_has_can_not_be_judged() {
    let check = check("during = \"run\"", "hit_total{tier=\"a\"}", "== 0").await;
    assert_eq!(check.verdict, Verdict::Inconclusive);
    let note = check.note.unwrap();
    assert!(note.contains("the nearest is `hits_total{"), "{note}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_gives_no_scrape_can_not_be_judged() {
    fn silent(_: Host, _: BTreeMap<String, String>) -> Router {
        Router::new().route("/users/{id}", get(|| async { "{}" }))
    }
    let expect = "[[expect]]\nthat = \"it\"\nduring = \"run\"\nmetric.'hits_total' = \"== 0\"\n";
    let ran = run(&format!("{ONE_SERVICE}{expect}"), &[("web", silent)]).await;
    let check = &ran.judged("it").checks[0];
    assert_eq!(check.verdict, Verdict::Inconclusive);
    assert!(check.note.as_ref().unwrap().contains("answered 404"), "{check:?}");
}

/// A service whose page of metrics is what its setting says.
fn paged(_: Host, env: BTreeMap<String, String>) -> Router {
    let router = Router::new().route("/users/{id}", get(|| async { "{}" }));
    router.route("/metrics", get(move || async move { env["PAGE"].clone() }))
}

/// The outcome of a comparison where the service's page of metrics is this.
async fn of_page(page: &str, lines: &str) -> JudgedCheck {
    let page = page.replace('{', "{{").replace('}', "}}");
    let setting = format!("program = \"gateway\"\nenv.PAGE = '''{page}'''");
    let system = ONE_SERVICE.replacen("program = \"gateway\"", &setting, 1);
    let expect = format!("[[expect]]\nthat = \"it\"\nduring = \"run\"\n{lines}\n");
    run(&format!("{system}{expect}"), &[("web", paged)]).await.judged("it").checks[0].clone()
}

#[tokio::test(start_paused = true)]
async fn what_a_page_does_not_tell_clearly_is_not_judged() {
    let jobs = "metric.jobs = \"== 0\"";
    for (page, why) in [
        ("# TYPE jobs counter\njobs 1\njobs 1\n", "for the second time"),
        ("# TYPE jobs counter\njobs{a=\"1\"} 1\njobs{a= 1\n", "line 3 can't be read"),
        ("<html>\n", "no text of metrics"),
        ("jobs 1\n", "has no type"),
        ("# TYPE jobs unknown\njobs 1\n", "has no type"),
        ("# TYPE jobs counter\njobs NaN\n", "is no number there"),
        ("other_total 1\n", "no scrape has it"),
    ] {
        let check = of_page(page, jobs).await;
        let note = check.note.clone().unwrap_or_default();
        assert!(check.verdict == Verdict::Inconclusive && note.contains(why), "{page}: {check:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_scenario_says_of_a_metric_is_believed() {
    let typed = of_page("jobs 1\n", "metric.jobs = \"== 0\"\ntype = \"counter\"").await;
    assert_eq!((typed.verdict, typed.seen.as_str()), (Verdict::Pass, "+0"));
    let gauge = of_page("jobs 1\n", "metric.jobs = \"== 1\"\ntype = \"gauge\"").await;
    assert_eq!(gauge.verdict, Verdict::Pass, "{gauge:?}");
    let absent = of_page("other_total 1\n", "metric.jobs_total = \"> 0\"\nabsent = \"zero\"").await;
    assert_eq!((absent.verdict, absent.seen.as_str()), (Verdict::Fail, "+0, never seen"));
    let others = of_page("jobs_total{kind=\"a\"} 1\n", "metric.'jobs_total{kind=\"b\"}' = \"== 0\"").await;
    assert_eq!((others.verdict, others.seen.as_str()), (Verdict::Pass, "+0, never seen"));
    let elsewhere = of_page("jobs_total 1\n??\n", "metric.jobs_total = \"== 0\"").await;
    assert_eq!(elsewhere.verdict, Verdict::Pass, "an odd line that is nobody's hides nothing: {elsewhere:?}");
}

/// In OpenMetrics, a counter's series has an ending that its family has not.
#[tokio::test(start_paused = true)]
async fn the_name_of_a_family_is_told_from_those_of_its_series() {
    let check = check("during = \"outage\"", "restarted", "> 0").await;
    let note = check.note.as_deref().unwrap_or_default();
    assert_eq!(check.verdict, Verdict::Inconclusive);
    assert!(note.contains("`restarted` is the name of a family, and `restarted_total` is one of its series"), "{note}");
}
