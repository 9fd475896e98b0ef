//! Runs whose load is journeys: their steps are judged by themselves, and what is not reached is counted apart.

use crate::world::{MakeRouter, MemoryWorld, Ran, run, run_scenario};
use axum::{
    Json, Router,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chaos_model::{
    Event, Verdict,
    event::PhaseFigures,
    language::{self, Known},
    slice::Slice,
};
use chaos_run::{Ending, Options};
use host::Host;
use std::{collections::BTreeMap, io, path, time::Duration};

/// A login and an order, 100 a second for four seconds; a second goes by between them.
const JOURNEY: &str = r#"
title = "a test"
entry = "web"
service.web.program = "gateway"
[load]
rate = "100/s"
arrivals = "constant"
duration = "4s"
timeout = "500ms"
vars.user = "sequence 1..10"
[[load.journey]]
name = "buy"
[[load.journey.step]]
name = "login"
request = "POST /login"
json = { user = "{user}" }
capture.token = "$.token"
[[load.journey.step]]
name = "order"
request = "POST /orders/{user}"
headers.authorization = "Bearer {token}"
think = "1s"
[[fault]]
name = "outage"
on = "client -> web"
effect = "status"
status = "503"
only.path = "PATH"
at = "1s"
for = "1s"
"#;

/// Whoever orders is who has logged in. For user 3, the login's response has no token.
fn shop(_: Host, _: BTreeMap<String, String>) -> Router {
    let login = |Json(body): Json<serde_json::Value>| async move {
        let user = &body["user"];
        if user == 3 {
            return Json(serde_json::json!({ "error": "no token for you" }));
        }
        Json(serde_json::json!({ "token": format!("of-{user}") }))
    };
    let order = |Path(user): Path<u64>, headers: HeaderMap| async move {
        let is_theirs = headers["authorization"] == format!("Bearer of-{user}");
        if is_theirs { StatusCode::CREATED } else { StatusCode::INTERNAL_SERVER_ERROR }
    };
    Router::new().route("/login", post(login)).route("/orders/{user}", post(order))
}

async fn shopped(path: &str, expectations: &str) -> Ran {
    let shop: MakeRouter = shop;
    run(&format!("{}{expectations}", JOURNEY.replace("PATH", path)), &[("web", shop)]).await
}

fn expect(that: &str, lines: &str) -> String {
    format!("[[expect]]\nthat = \"{that}\"\n{lines}\n")
}

fn seen(ran: &Ran, that: &str) -> (Verdict, String) {
    let judged = ran.judged(that);
    (judged.verdict, judged.checks[0].seen.clone())
}

fn figures<'r>(ran: &'r Ran, name: &str) -> &'r PhaseFigures {
    let figures = ran.records.iter().find_map(|record| match &record.event {
        Event::Phase(figures) if figures.phase == name => Some(figures),
        _ => None,
    });
    figures.unwrap_or_else(|| panic!("{name} has figures"))
}

fn slices(ran: &Ran) -> Vec<&Slice> {
    let slice = |record: &'_ chaos_model::Record| matches!(record.event, Event::Slice(_));
    let slices = ran.records.iter().filter(|record| slice(record));
    slices.filter_map(|record| if let Event::Slice(slice) = &record.event { Some(slice) } else { None }).collect()
}

#[tokio::test(start_paused = true)]
async fn steps_are_judged_by_themselves_and_what_is_not_reached_is_no_request() {
    let all = [
        expect("logins", "during = \"outage\"\nof = \"login\"\navailability = \">= 99%\""),
        expect("orders of before", "during = \"outage\"\nof = \"order\"\navailability = \">= 100%\""),
        expect("orders after", "during = \"2s..3s\"\nof = \"order\"\navailability = \">= 100%\""),
        expect("the whole", "during = \"3s..4s\"\nof = \"buy\"\navailability = \">= 94%\""),
    ];
    let ran = shopped("/login", &all.concat()).await;
    // Of ten users, one never gets a token; while logins fail, those of the second before go on to order.
    assert_eq!(seen(&ran, "logins"), (Verdict::Fail, "0% (0 of 100)".to_owned()));
    assert_eq!(seen(&ran, "orders of before"), (Verdict::Pass, "100% (90 of 90)".to_owned()));
    // From the second in which all logins failed, nobody is left to order; that proves nothing.
    let orders = seen(&ran, "orders after");
    assert_eq!(orders, (Verdict::Inconclusive, "no requests".to_owned()));
    assert_eq!(seen(&ran, "the whole"), (Verdict::Pass, "94.74% (180 of 190)".to_owned()));
    let outage = figures(&ran, "outage");
    assert_eq!((outage.arrivals, outage.not_reached), (190, 100));
    assert_eq!((outage.statuses[&503], outage.statuses[&201], outage.unanswered.len()), (100, 90, 0));
    // Four seconds of logins, of which a second and a tenth of the others fail, and the orders of those begun in time.
    let whole = figures(&ran, "run");
    assert_eq!((whole.arrivals, whole.good, whole.not_reached), (400 + 180, 270 + 180, 130));
}

#[tokio::test(start_paused = true)]
async fn slices_have_all_that_was_due_in_them() {
    let ran = shopped("/login", &expect("it", "during = \"run\"\nstatus.200 = \">= 1%\"")).await;
    let slices = slices(&ran);
    let due: Vec<u64> = slices.iter().map(|slice| slice.counts.due + slice.straddled.due).collect();
    assert_eq!(due, [100, 190, 100, 190]);
    let of = |name: &str| slices.iter().map(|slice| slice.requests[name].counts.clone()).collect::<Vec<_>>();
    let not_reached: Vec<u64> = of("order").iter().map(|counts| counts.not_reached).collect();
    assert_eq!(not_reached, [10, 100, 10, 10]);
    assert!(of("login").iter().all(|counts| counts.not_reached == 0));
    let whole: u64 = slices.iter().map(|slice| slice.counts.not_reached + slice.straddled.not_reached).sum();
    assert_eq!(whole, 130);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_captured_fails_its_step_and_is_told() {
    let ran = shopped(
        "/nowhere",
        &expect("everybody gets a token", "during = \"baseline\"\nof = \"login\"\navailability = \">= 100%\""),
    )
    .await;
    let judged = ran.judged("everybody gets a token");
    let check = &judged.checks[0];
    assert_eq!((judged.verdict, check.seen.as_str()), (Verdict::Fail, "90% (90 of 100)"));
    let why = "`token` could not be captured by `$.token`: nothing there";
    let note = check.note.clone().unwrap_or_default();
    assert_eq!(note, format!("the first, request 2 at 0.02s, had response 200, and {why}"));
    let shown = &check.against.responses[0];
    assert_eq!((shown.n, shown.step, shown.uncaptured.as_deref()), (2, 0, Some(why)));
    assert_eq!(shown.request, "POST /login");
}

#[tokio::test(start_paused = true)]
async fn a_later_step_is_known_by_its_own_number() {
    let check = "during = \"outage\"\nof = \"order\"\navailability = \">= 100%\"";
    let ran = shopped("/orders/*", &expect("orders", check)).await;
    let check = &ran.judged("orders").checks[0];
    assert_eq!(check.note.as_deref(), Some("the first, request 0, step 2 at 1.00s, had response 503"));
    let shown = &check.against.responses[0];
    // What it captured is not shown: it may be a secret.
    assert_eq!((shown.n, shown.step, shown.request.as_str()), (0, 1, "POST /orders/1"));
    assert_eq!((shown.vars.len(), shown.met.as_slice()), (1, &["outage".to_owned()][..]));
    let figures = ran.records.iter().find_map(|record| match &record.event {
        Event::FaultFigures(figures) => Some(figures),
        _ => None,
    });
    let figures = figures.unwrap();
    assert_eq!(figures.injections, 90, "each is joined with the step that met it");
    assert_eq!(figures.impacts[&chaos_model::Impact::Failed], 90);
    assert_eq!(figures.detected, Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_gate_and_an_abort_see_later_steps_too() {
    let gate = "during = \"baseline\"\nof = \"order\"\navailability = \">= 99%\"\ngate = true";
    let slow = JOURNEY.replace("think = \"1s\"", "think = \"100ms\"").replace("PATH", "/orders/*");
    // The fault is there from the first to the eighth second.
    let slow = slow.replace("duration = \"4s\"", "duration = \"10s\"").replace("for = \"1s\"", "for = \"7s\"");
    let never: MakeRouter = |_, _| {
        let hangs = || async { std::future::pending::<Response>().await };
        Router::new()
            .route("/login", post(|| async { r#"{"token": "x"}"#.into_response() }))
            .fallback(get(hangs).post(hangs))
    };
    // Orders are under way for longer than logins took: a gate counts them against the system.
    let ran = run(&format!("{slow}{}", expect("orders", gate)), &[("web", never)]).await;
    assert!(!ran.records.iter().any(|record| matches!(record.event, Event::FaultApplied { .. })), "no fault begins");
    let Ending::Judged(verdict, _) = ran.ending else { panic!("{:?}", ran.ending) };
    assert_eq!(verdict, Verdict::Inconclusive);
    let abort = "during = \"outage\"\nof = \"order\"\navailability = \">= 99%\"\nabort = \"1s\"";
    let shop: MakeRouter = shop;
    let ran = run(&format!("{slow}{}", expect("orders", abort)), &[("web", shop)]).await;
    assert_eq!(ran.judged("orders").verdict, Verdict::Fail);
    let removed = ran.records.iter().find(|record| matches!(record.event, Event::FaultRemoved { .. })).unwrap();
    assert!(removed.at_us < 7_000_000, "taken back before its time: {}", removed.at_us);
}

/// A login by basic authentication and a cookie, and what the cookie opens; `more` is a part of `[load]`.
fn with_secrets(more: &str) -> String {
    let step = "[[load.journey.step]]\nrequest = ";
    format!(
        "title = \"it\"\nentry = \"web\"\nservice.web.program = \"gateway\"\n[load]\nrate = \"50/s\"\nduration = \"2s\"\n\
         {more}\n[[load.journey]]\n{step}\"POST /login\"\nauth.basic = \"shop:{{env:PASSWORD}}\"\n{step}\"GET /orders\"\n{}",
        expect("all come in", "during = \"run\"\nstatus.200 = \">= 100%\"")
    )
}

/// Opens what it has to whoever has the password, or the cookie that it gave for it. Each request has the key.
fn guarded(_: Host, _: BTreeMap<String, String>) -> Router {
    let login = |headers: HeaderMap| async move {
        // `shop:hunter2`
        let knows = headers.get("authorization").is_some_and(|it| it == "Basic c2hvcDpodW50ZXIy");
        let status = if knows && headers["x-key"] == "swordfish" { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        (status, [("set-cookie", "sid=of-shop; Path=/; HttpOnly")])
    };
    let orders = |headers: HeaderMap| async move {
        let knows = headers.get("cookie").is_some_and(|it| it == "sid=of-shop") && headers["x-key"] == "swordfish";
        if knows { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
    };
    Router::new().route("/login", post(login)).route("/orders", get(orders))
}

#[tokio::test(start_paused = true)]
async fn secrets_come_from_outside_and_go_nowhere_else() {
    let text = with_secrets("auth.header.x-key = \"{file:keys/shop.txt}\"");
    let read = |path: &path::Path| match path.to_str() {
        Some("it/test.toml") => Ok(text.clone()),
        Some("it/keys/shop.txt") => Ok("swordfish\n".to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let variable = |name: &str| (name == "PASSWORD").then(|| "hunter2".to_owned());
    let known = Known { variable: &variable, ..Known::BUILT_IN };
    let scenario = language::load_with(path::Path::new("it/test.toml"), &[], &known, &read)
        .unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 100)));
    let guarded: MakeRouter = guarded;
    let ran = run_scenario(&scenario, &mut MemoryWorld::new(&[("web", guarded)]), Options::default()).await;
    assert_eq!(ran.judged("all come in").verdict, Verdict::Pass, "{:?}", ran.judged("all come in"));
    let told = format!("{scenario:?} {:?}", ran.records);
    for secret in ["hunter2", "swordfish", "c2hvcDpodW50ZXIy", "of-shop"] {
        assert!(!told.contains(secret), "{secret}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_secrets_nothing_is_started() {
    let guarded: MakeRouter = guarded;
    let ran = run(&with_secrets(""), &[("web", guarded)]).await;
    assert_eq!(ran.ending, Ending::WorldFailed);
    let why = ran.records.iter().find_map(|record| match &record.event {
        Event::WorldFailed { why } => Some(why.as_str()),
        Event::ServiceReady { .. } => panic!("a service was started"),
        _ => None,
    });
    assert_eq!(why, Some("the environment variable PASSWORD that the load names is not set (test.toml:11)"));
}
