//! Tests of journeys: when their steps are due, what ends them, and what goes from step to step.

use crate::bench::{MS, get, plan, run_with, serve, serve_on, text};
use axum::{
    Router,
    extract::{Path, Request},
    http::StatusCode,
    routing::get as on_get,
};
use chaos_load::{Arrival, CheckResponse, Draw, Error, Marks, Outcome, Plan, Response, Rest, Schedule, Summary};
use chaos_model::{
    ArrivalId, Arrivals, Rate, RequestId, Stage, Stages, Value, Values,
    load::{Step, Think, Variable},
};
use host::{Host, memory::MemoryNetwork};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Requests of one client, one after the other, with so long between them.
fn journey(paths: &[&str], think: Duration) -> Plan {
    let mut plan = plan("/");
    let step = |(nth, path): (usize, &&str)| {
        let think = Think { least: think, most: think };
        let step = Step { nth: nth.try_into().unwrap(), think, ..Step::default() };
        chaos_model::Request { step, ..get(path) }
    };
    plan.load.requests = paths.iter().enumerate().map(step).collect();
    plan
}

/// Takes what the header `x-token` says, and holds anything but 200 for a failure.
struct Token;

impl CheckResponse for Token {
    fn check(&self, _: &Arrival, response: &Response<'_>) -> Marks {
        let token = response.headers.get("x-token").map(|token| Value::Text(token.to_str().unwrap().into()));
        let captured = token.into_iter().map(|token| ("token".to_owned(), token)).collect();
        Marks { failed: response.status != 200, captured, ..Marks::default() }
    }
}

async fn run(network: &MemoryNetwork, plan: Plan, stop: CancellationToken) -> (Vec<Outcome>, Summary) {
    run_with(&network.host("client"), plan, Arc::new(Token), stop).await
}

fn slow_shop() -> Router {
    let login = on_get(|| tokio::time::sleep(30 * MS));
    Router::new().route("/login", login).route("/order", on_get(|| tokio::time::sleep(20 * MS)))
}

#[tokio::test(start_paused = true)]
async fn a_step_is_due_when_the_one_before_has_ended_and_its_think_time_is_over() {
    let network = MemoryNetwork::new(1);
    let _target = serve(&network, slow_shop());
    let (outcomes, summary) = run(&network, journey(&["/login", "/order"], 50 * MS), CancellationToken::new()).await;
    // Logins are due at 0, 10, … 990 ms; each order 80 ms later, unless that is after the end.
    assert_eq!((summary.due, summary.made), (100 + 92, 192));
    for outcome in &outcomes {
        let begins = 10 * MS * u32::try_from(outcome.n).unwrap();
        let (due, takes) = if outcome.step == 0 { (begins, 30 * MS) } else { (begins + 80 * MS, 20 * MS) };
        assert_eq!((outcome.intended, outcome.started), (due, Some(due)), "{outcome:?}");
        assert_eq!(outcome.latency(), takes, "it counts from when the step itself was due");
        assert_eq!(outcome.request, usize::try_from(outcome.step).unwrap());
        let follows = outcome.step == 0 && outcome.n < 92;
        assert_eq!(outcome.rest, if follows { Rest::Due(begins + 80 * MS) } else { Rest::Nothing }, "{outcome:?}");
    }
    assert_eq!(summary.late.unwrap().max, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_stall_holds_no_journey_back_that_begins_and_shows_in_full() {
    let network = MemoryNetwork::new(1);
    let began = tokio::time::Instant::now();
    let stall = move || async move {
        // From 200 ms to 700 ms nothing is answered.
        if began.elapsed() >= 200 * MS {
            tokio::time::sleep_until(began + 700 * MS).await;
        }
    };
    let _target = serve(&network, Router::new().route("/a", on_get(stall)).route("/b", on_get(stall)));
    let (outcomes, _) = run(&network, journey(&["/a", "/b"], 5 * MS), CancellationToken::new()).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.step == 0).count(), 100, "none is held back");
    for outcome in &outcomes {
        let stalled = outcome.intended >= 200 * MS;
        let expected = if stalled { (700 * MS).saturating_sub(outcome.intended) } else { Duration::ZERO };
        assert_eq!(outcome.latency(), expected, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_step_ends_its_journey() {
    let network = MemoryNetwork::new(1);
    let mut plan = journey(&["/{n}/a", "/{n}/b", "/{n}/c"], Duration::ZERO);
    plan.load.timeout = 100 * MS;
    // Of each four, one has an error in its first step, one no response in its second, one an error in its last.
    let respond = |Path((n, step)): Path<(u64, String)>| async move {
        match (n % 4, step.as_str()) {
            (1, "a") | (3, "c") => StatusCode::NOT_FOUND,
            (2, "b") => std::future::pending().await,
            _ => StatusCode::OK,
        }
    };
    let _target = serve(&network, Router::new().route("/{n}/{step}", on_get(respond)));
    let (outcomes, summary) = run(&network, plan, CancellationToken::new()).await;
    for n in 0..80 {
        let steps: Vec<_> =
            outcomes.iter().filter(|outcome| outcome.n == n).map(|one| (one.result, one.rest)).collect();
        let due = Rest::Due(10 * MS * u32::try_from(n).unwrap());
        let expected = match n % 4 {
            0 => vec![(Ok(200), due), (Ok(200), due), (Ok(200), Rest::Nothing)],
            1 => vec![(Ok(404), Rest::NotReached(2))],
            2 => vec![(Ok(200), due), (Err(Error::Timeout), Rest::NotReached(1))],
            _ => vec![(Ok(200), due), (Ok(200), due), (Ok(404), Rest::Nothing)],
        };
        assert_eq!(steps, expected, "journey {n}");
    }
    assert_eq!(summary.due, summary.made, "what is not reached is no request");
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_made_ends_its_journey_too() {
    let network = MemoryNetwork::new(1);
    let _target = serve(&network, Router::new().fallback(|| tokio::time::sleep(95 * MS)));
    let mut plan = journey(&["/a", "/b"], Duration::ZERO);
    plan.max_in_flight = 4;
    let (outcomes, summary) = run(&network, plan, CancellationToken::new()).await;
    assert!(summary.not_made > 50, "{summary:?}");
    for outcome in outcomes.iter().filter(|outcome| outcome.result == Err(Error::NotMade)) {
        assert_eq!(outcome.rest, if outcome.step == 0 { Rest::NotReached(1) } else { Rest::Nothing });
    }
}

#[tokio::test(start_paused = true)]
async fn a_journey_that_thinks_is_given_up_when_the_load_is_stopped() {
    let network = MemoryNetwork::new(1);
    let target = serve(&network, slow_shop());
    let stop = CancellationToken::new();
    let (stopper, began) = (stop.clone(), tokio::time::Instant::now());
    drop(target.spawn(async move {
        tokio::time::sleep(205 * MS).await;
        stopper.cancel();
    }));
    let (outcomes, _) = run(&network, journey(&["/login", "/order"], 100 * MS), stop).await;
    assert_eq!(began.elapsed(), 205 * MS, "it returns at once");
    // Orders are due 130 ms after their logins.
    assert_eq!(outcomes.iter().filter(|outcome| outcome.step == 0).count(), 21);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.step == 1).count(), 8, "those not yet due are no requests");
    for outcome in &outcomes {
        match outcome.result {
            Err(Error::Stopped) => assert_eq!((outcome.ended, outcome.rest), (205 * MS, Rest::Nothing), "{outcome:?}"),
            result => assert!(result == Ok(200) && outcome.ended <= 205 * MS, "{outcome:?}"),
        }
    }
}

/// A request as the shop counted it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Counted {
    line: String,
    token: Option<String>,
}

/// A shop that gives each login a token of its own, takes no order without one, and counts what comes by number.
fn counting(seen: &Arc<Mutex<BTreeMap<RequestId, Counted>>>) -> Router {
    let seen = Arc::clone(seen);
    let respond = move |request: Request| {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let id = header("baggage").unwrap().strip_prefix("chaos.request=").unwrap().parse::<ArrivalId>().unwrap();
        let path = request.uri().path().to_owned();
        let token = header("authorization").map(|token| token.strip_prefix("Bearer ").unwrap().to_owned());
        let user = path.rsplit('/').next().unwrap();
        let status = match &token {
            None if path.starts_with("/login/") => StatusCode::OK,
            Some(token) if *token == format!("secret-of-{user}") => StatusCode::OK,
            _ => StatusCode::UNAUTHORIZED,
        };
        let given = [("x-token", format!("secret-of-{user}"))];
        let counted = Counted { line: path, token };
        assert_eq!(seen.lock().unwrap().insert(id.request(), counted), None, "each request once");
        async move { (status, given) }
    };
    Router::new().fallback(respond)
}

fn login_and_order() -> Plan {
    let mut plan = journey(&["/login/{user}", "/order/{n}/{user}"], Duration::ZERO);
    plan.seed = 7;
    plan.load.vars = BTreeMap::from([("user".to_owned(), Variable::Uniform { low: 1, high: 1_000_000 })]);
    plan.load.requests[1].headers = BTreeMap::from([("authorization".to_owned(), text("Bearer {token}"))]);
    plan.load.requests[1].step.think = Think { least: MS, most: 20 * MS };
    plan.load.arrivals = Arrivals::Poisson;
    let rate = |times| Rate { times, per: Duration::from_secs(1) };
    let stage = |from, to| Stage { lasts: Duration::from_secs(1), from: rate(from), to: rate(to) };
    plan.load.stages = Stages::new(vec![stage(50, 50), stage(50, 500), stage(500, 500)]).unwrap();
    plan
}

/// Compares what a shop counted with what is drawn, number by number.
fn compare(plan: &Plan, outcomes: &[Outcome], seen: &BTreeMap<RequestId, Counted>) {
    let draw = Draw::new(&plan.load, plan.seed);
    let mut expected = BTreeMap::new();
    for (n, due) in Schedule::new(&plan.load, plan.seed) {
        let user = &draw.arrival(n.into(), due).vars["user"];
        expected.insert(n.into(), Counted { line: format!("/login/{user}"), token: None });
        let login = outcomes.iter().find(|outcome| outcome.id() == n.into()).expect("each that is due has an outcome");
        assert_eq!(login.intended, due);
        if let Rest::Due(_) = login.rest {
            let token = Some(format!("secret-of-{user}"));
            expected.insert(RequestId { n, step: 1 }, Counted { line: format!("/order/{n}/{user}"), token });
        }
    }
    let orders = expected.keys().filter(|id| id.step == 1).count();
    assert!(orders > 700, "{orders} of {}", expected.len());
    assert_eq!(*seen, expected);
    assert!(outcomes.iter().all(|outcome| outcome.result == Ok(200)), "whoever logs in is who orders");
}

#[tokio::test(start_paused = true)]
async fn whoever_logs_in_is_who_orders_while_a_stage_ramps() {
    let network = MemoryNetwork::new(1);
    let seen = Arc::default();
    let _target = serve(&network, counting(&seen));
    let (outcomes, _) = run(&network, login_and_order(), CancellationToken::new()).await;
    compare(&login_and_order(), &outcomes, &seen.lock().unwrap());
    let thinks = outcomes.iter().filter_map(|outcome| match outcome.rest {
        Rest::Due(due) => Some(due - outcome.ended),
        _ => None,
    });
    let thinks: Vec<Duration> = thinks.collect();
    assert!(thinks.iter().all(|think| (MS..=20 * MS).contains(think)));
    assert!(thinks.iter().max() > Some(&(18 * MS)) && thinks.iter().min() < Some(&(3 * MS)));
    // The same again, and by another seed otherwise.
    let again = Arc::default();
    let network = MemoryNetwork::new(2);
    let _target = serve(&network, counting(&again));
    assert_eq!(run(&network, login_and_order(), CancellationToken::new()).await.0, outcomes);
    assert_eq!(*again.lock().unwrap(), *seen.lock().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server_counts_what_was_drawn() {
    let target = host::tcp::host(host::tcp::Config::loopback("target")).unwrap();
    let (listener, seen) = (target.listen(0).unwrap(), Arc::default());
    let mut plan = login_and_order();
    (plan.host, plan.port) = ("127.0.0.1".to_owned(), listener.port());
    plan.load.timeout = Duration::from_secs(30);
    serve_on(&target, listener, counting(&seen));
    let client: Host = host::tcp::host(host::tcp::Config::loopback("client")).unwrap();
    let stop = CancellationToken::new();
    let (outcomes, summary) = run_with(&client, plan.clone(), Arc::new(Token), stop).await;
    assert_eq!(summary.made, summary.due);
    compare(&plan, &outcomes, &seen.lock().unwrap());
}

#[test]
fn a_journey_keeps_the_values_of_its_variables() {
    let plan = login_and_order();
    let draw = Draw::new(&plan.load, plan.seed);
    for n in 0..100 {
        let vars = |step| -> Values { draw.arrival(RequestId { n, step }, Duration::ZERO).vars };
        assert_eq!(vars(0), vars(1));
    }
}
