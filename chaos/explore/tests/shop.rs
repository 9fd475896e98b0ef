//! A shop with classic mistakes, one at a time: an exploration finds each, shrinks it, and says nothing of a shop without one.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use bytes::Bytes;
use chaos_explore::{Budget, Exploration, Finding, Kind, Moment, Options, State as Cell, Subject, explore, html};
use chaos_model::{Protocol, check::CHECKS, language::Known};
use chaos_sim::{Outcome, Programs, Simulation};
use host::{Host, http};
use http_body_util::{BodyExt as _, Empty};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

type Client = http::Client<Empty<Bytes>>;

/// The mistake that only a second fault brings about, while the shop recovers from the first.
const RELAPSES: &str = "a relapse is never forgotten";

/// The mistake that only two faults at once bring about: a failure that was slow, too, is never forgotten.
const SLOW_FAILURES: &str = "slow failures are kept";

#[derive(Clone)]
struct Shop {
    client: Client,
    stock: String,
    mistake: String,
    host: Host,
    last: Arc<Mutex<Value>>,
    failed: Arc<Mutex<Option<Instant>>>,
    fell_back: Arc<AtomicBool>,
}

async fn shop(host: Host) -> Outcome {
    let setting = |name: &str| host.settings().get(name).unwrap_or_default().to_owned();
    let shop = Shop {
        client: http::client(&host, http::ClientConfig::default()),
        stock: setting("STOCK"),
        mistake: setting("MISTAKE"),
        host: host.clone(),
        last: Arc::default(),
        failed: Arc::default(),
        fell_back: Arc::default(),
    };
    let port = host.settings().get("PORT").unwrap_or("80").parse()?;
    let app = Router::new().route("/items/{id}", get(item)).with_state(shop);
    http::serve(&host, host.listen(port)?, app, http::ServerConfig::default()).await;
    Ok(())
}

async fn item(State(shop): State<Shop>, Path(id): Path<u64>) -> (StatusCode, Json<Value>) {
    let makes = |mistake: &str| shop.mistake == mistake;
    let attempts = if makes("retries without a budget") { 4 } else { 1 };
    let patience = match shop.mistake.as_str() {
        "no timeout" => 20_000,
        SLOW_FAILURES => 300,
        _ => 100,
    };
    let patience = Duration::from_millis(patience);
    let mut stock = None;
    for _ in 0..attempts {
        let began = Instant::now();
        let asked = tokio::time::timeout(patience, ask(&shop, id)).await;
        if matches!(asked, Ok(Err(true))) && began.elapsed() > Duration::from_millis(150) && makes(SLOW_FAILURES) {
            shop.fell_back.store(true, Ordering::Relaxed);
        }
        stock = asked.ok().and_then(Result::ok);
        if stock.is_some() {
            break;
        }
    }
    if stock.is_none() && makes("a failure is an absence") {
        return (StatusCode::NOT_FOUND, Json(json!({})));
    }
    if stock.is_none() && makes("ends itself") {
        shop.host.shutdown().cancel();
    }
    if stock.is_none() && makes(RELAPSES) {
        let before = shop.failed.lock().unwrap().replace(Instant::now());
        let is_relapse = before.is_some_and(|before| (700..2500).contains(&before.elapsed().as_millis()));
        shop.fell_back.fetch_or(is_relapse, Ordering::Relaxed);
    }
    if stock.is_none() && makes("a fallback without an end") {
        shop.fell_back.store(true, Ordering::Relaxed);
    }
    if shop.fell_back.load(Ordering::Relaxed) {
        stock = None;
    }
    let partial = stock.is_none() && !makes("partial and unmarked");
    let response = json!({ "id": id, "partial": partial, "stock": stock });
    let mut last = shop.last.lock().unwrap();
    if stock.is_none() && makes("what another asked for") && !last.is_null() {
        return (StatusCode::OK, Json(last.clone()));
    }
    last.clone_from(&response);
    (StatusCode::OK, Json(response))
}

/// The stock, or whether the service said by its status that it has failed.
async fn ask(shop: &Shop, id: u64) -> Result<Value, bool> {
    let uri = format!("http://{}/stock/{id}", shop.stock).parse().unwrap();
    let response = shop.client.get(uri).await.map_err(|_| false)?;
    if !response.status().is_success() {
        return Err(true);
    }
    let body = response.into_body().collect().await.map_err(|_| false)?.to_bytes();
    serde_json::from_slice(&body).ok().filter(|stock: &Value| stock["left"].is_u64()).ok_or(false)
}

async fn stock(host: Host) -> Outcome {
    let app = Router::new().route("/stock/{id}", get(async |Path(id): Path<u64>| Json(json!({ "left": id % 7 }))));
    http::serve(&host, host.listen(80)?, app, http::ServerConfig::default()).await;
    Ok(())
}

const SCENARIO: &str = r#"
title = "A shop asks for what is in stock"
entry = "shop"
service.stock.program = "stock"
service.shop.program = "shop"
service.shop.env.STOCK = "{stock}"
service.shop.env.MISTAKE = ""
responses.partial.body."$.partial" = "== true"
load.request = "GET /items/{item}"
load.rate = "50/s"
load.duration = "8s"
load.vars.item = "uniform 1..50"

[[expect]]
that = "nobody is sent away"
during = "run"
status.429 = "== 0%"
"#;

fn explored(mistake: &str, cases: u64, pairs: bool) -> Exploration {
    let sets = [("service.shop.env.MISTAKE".to_owned(), mistake.to_owned())];
    let subject = Subject::read(SCENARIO, &sets).unwrap();
    let programs = Programs::new().with("shop", shop).with("stock", stock);
    let read = |text: &str| {
        let known = Known { programs: &["shop", "stock"], protocols: Protocol::ALL, checks: CHECKS, ..Known::BUILT_IN };
        chaos_model::language::load_with(std::path::Path::new("case.toml"), &[], &known, &|_| Ok(text.to_owned()))
    };
    let budget = Budget { cases, is_over: &|| false };
    let on = ["shop -> stock".to_owned()];
    let options = Options { seed: 7, rate: 5, on: &on, pairs, budget };
    explore(&subject, &read, programs, &options, &mut |_| ()).unwrap()
}

/// The scenario of a finding, run by itself with a shop that makes this mistake.
fn fails(finding: &Finding, mistake: &str, seed: u64) -> bool {
    let programs = Simulation::new().program("shop", shop).program("stock", stock).seed(seed);
    let run = programs.set("service.shop.env.MISTAKE", mistake).run_text("found.toml", &finding.scenario).unwrap();
    run.failed() == [finding.that.as_str()]
}

/// A mistake is found as what it is, and the scenario that is written of it fails with it alone.
fn is_found(mistake: &str, kind: Kind) {
    let mut exploration = explored(mistake, 1000, false);
    let finding = exploration.findings.iter().find(|finding| finding.kind == kind);
    let finding = finding.unwrap_or_else(|| panic!("{mistake} is not found as {kind:?}\n{exploration}"));
    assert_eq!(finding.faults.len(), 1, "{exploration}");
    for seed in &finding.seeds {
        assert!(fails(finding, mistake, *seed), "{}", finding.scenario);
        assert!(!fails(finding, "", *seed), "it fails without the mistake too\n{}", finding.scenario);
    }
    let others = exploration.findings.iter().find(|other| !fails(other, mistake, other.seeds[0]));
    assert!(others.is_none(), "{exploration}");
    let name = finding.name.clone();
    let names: BTreeSet<String> = exploration.findings.iter().map(|finding| finding.name.clone()).collect();
    exploration.mark_known(&names);
    assert!(!exploration.has_news() && exploration.to_string().contains("(known)"), "{exploration}");
    exploration.mark_known(&names.into_iter().filter(|other| *other != name).collect());
    assert!(exploration.has_news(), "{exploration}");
}

#[test]
fn a_call_without_a_timeout_is_found() {
    is_found("no timeout", Kind::InTime);
}

#[test]
fn a_partial_response_that_does_not_say_so_is_found() {
    is_found("partial and unmarked", Kind::Complete);
}

#[test]
fn a_fallback_that_is_never_left_is_found() {
    is_found("a fallback without an end", Kind::Recovers);
}

#[test]
fn a_response_for_somebody_else_is_found() {
    is_found("what another asked for", Kind::Right);
}

#[test]
fn retries_without_a_budget_are_found() {
    is_found("retries without a budget", Kind::Amplification);
}

#[test]
fn a_failure_that_is_told_as_an_absence_is_found() {
    is_found("a failure is an absence", Kind::Denied);
}

#[test]
fn what_needs_a_second_fault_in_mid_recovery_is_found() {
    let exploration = explored(RELAPSES, 1000, false);
    let finding = exploration.findings.iter().find(|finding| finding.kind == Kind::Recovers);
    let finding = finding.unwrap_or_else(|| panic!("{exploration}"));
    assert!(finding.faults[0].contains("twice") && finding.scenario.contains("_again"), "{}", finding.scenario);
    assert!(exploration.alone.iter().any(|one| one.moment == Moment::Twice && one.state == Cell::NeverRecovered));
    assert!(fails(finding, RELAPSES, 7) && !fails(finding, "", 7), "{}", finding.scenario);
}

#[test]
fn a_service_that_ends_itself_is_told_and_is_news() {
    let exploration = explored("ends itself", 20, false);
    assert!(exploration.has_news() && exploration.died.len() == 1, "{exploration}");
    assert!(exploration.died[0].starts_with("shop: it returned ("), "{exploration}");
    assert!(exploration.to_string().contains("ended by themselves"), "{exploration}");
}

#[test]
fn the_page_shows_the_matrix_each_fault_and_the_findings() {
    let exploration = explored("a failure is an absence", 400, false);
    let page = html(&exploration, "a <shop>");
    assert!(page.contains("<h1>Exploration of a &lt;shop&gt;</h1>"), "{page}");
    assert!(page.contains("<td class=\"wrong\""), "{page}");
    assert!(page.contains("<summary>shop -&gt; stock</summary>") && page.contains("<th>GET /stock/*</th>"), "{page}");
    assert!(page.contains("denied_") && page.contains("effect = &quot;"), "{page}");
    let outside = ["<script", "http://", "https://", "src="].iter().find(|word| page.contains(*word));
    assert_eq!(outside, None, "it needs nothing else");
}

#[test]
fn what_needs_two_faults_is_found_by_pairs_alone() {
    let alone = explored(SLOW_FAILURES, 1000, false);
    assert!(alone.findings.is_empty(), "{alone}");
    let pairs = explored(SLOW_FAILURES, 1000, true);
    let finding = pairs.findings.iter().find(|finding| finding.kind == Kind::Recovers);
    let finding = finding.unwrap_or_else(|| panic!("{pairs}"));
    assert_eq!(finding.faults.len(), 2, "{pairs}");
    assert!(fails(finding, SLOW_FAILURES, 7) && !fails(finding, "", 7), "{}", finding.scenario);
}

#[test]
fn of_a_shop_without_a_mistake_nothing_is_found_and_all_is_told_twice_alike() {
    let (one, other) = (explored("", 1000, false), explored("", 1000, false));
    assert!(one.findings.is_empty(), "{one}");
    assert_eq!(one.unconfirmed, [""; 0], "{one}");
    assert_eq!(one.to_string(), other.to_string());
    assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&other).unwrap());
    assert!(one.to_string().lines().all(|line| line.chars().count() <= 80), "{one}");
    let row = one.matrix.effects.iter().find(|row| row.effect == "hang").unwrap();
    assert_eq!(row.cells["shop -> stock"], Cell::Partial, "{one}");
    let not_tried: Vec<&str> = one.not_tried.iter().map(|not_tried| not_tried.what.as_str()).collect();
    assert!(not_tried.iter().any(|what| what.contains("cpu")), "{not_tried:?}");
    assert!(one.invariants.iter().any(|that| that == "nobody is sent away"), "its own expectation is one: {one}");
}

#[test]
fn a_budget_bounds_the_cases_and_what_is_left_is_told() {
    let few = explored("no timeout", 10, true);
    assert_eq!(few.cases, 10);
    assert!(few.not_tried.iter().any(|one| one.why == "the budget was spent"), "{few}");
    assert!(few.cases < u64::try_from(few.points).unwrap());
}
