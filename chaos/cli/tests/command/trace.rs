//! `chaos run --world sim --trace N`: one request, step by step.

use crate::support::{Finished, Sandbox, scenarios};
use serde_json::Value;
use std::path::Path;

/// All profiles are one, requests come in a row, and Redis and orders take their time: several look it up at once, and
/// who comes second waits for the first.
const ONE_PROFILE: &str = r#"
title = "One profile"

[load]
request  = "GET /api/profile/7"
arrivals = "constant"
rate     = "100/s"
duration = "1s"
warmup   = "0s"

[[fault]]
name   = "slow"
on     = "gateway -> order-service"
effect = "latency"
delay  = "45ms"
at     = "0s"
for    = "500ms"

[[fault]]
name   = "slow_redis"
on     = "gateway -> redis"
effect = "latency"
delay  = "15ms"
at     = "0s"
for    = "500ms"

[[expect]]
that = "all are answered"
status.200 = ">= 100%"
during = "run"
"#;

/// All profiles are others, and nobody gets their user.
const NO_USERS: &str = r#"
title = "No users"

[load]
request  = "GET /api/profile/{user}"
vars.user = "sequence 1..1000"
arrivals = "constant"
rate     = "100/s"
duration = "1s"
warmup   = "0s"

[[fault]]
name   = "no_users"
on     = "gateway -> user-service"
effect = "refuse"
at     = "0s"
for    = "900ms"

[[expect]]
that = "all are answered"
status.200 = ">= 99%"
during = "run"
"#;

async fn run(sandbox: &Sandbox, arguments: &str) -> Finished {
    sandbox.chaos(&format!("run --world sim {arguments}")).run().await
}

/// The steps, each on one line with single spaces.
fn steps(run: &Finished) -> Vec<String> {
    let trace = run.out.split_once("\nrequest ").unwrap_or_else(|| panic!("there is no trace:\n{run}")).1;
    let mut steps: Vec<String> = Vec::new();
    for line in trace.lines().skip(1) {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        match steps.last_mut() {
            Some(step) if !words.starts_with(['+', '~']) && !words.starts_with("while ") => {
                *step += &format!(" {words}")
            }
            _ => steps.push(words),
        }
    }
    steps
}

/// The places in `steps` of those that contain these, which must come in this order.
#[track_caller]
fn assert_in_order(steps: &[String], wanted: &[&str]) {
    let mut left = steps.iter();
    for want in wanted {
        assert!(left.any(|step| step.contains(want)), "`{want}` does not come in its turn in {steps:#?}");
    }
}

/// The number of the first request that `fault` met, and that came of it to this.
fn met(recording: &Path, fault: &str, impact: &str) -> u64 {
    let events = std::fs::read_to_string(recording).expect("it was recorded");
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event"));
    let of_fault = events.filter(|event| event["event"] == "injected" && event["fault"] == fault);
    let mut injections = of_fault.flat_map(|event| event["injections"].as_array().cloned().unwrap_or_default());
    // The request that was met is left out where it is the one whose number the message carried.
    let met = injections.find(|injection| injection["impact"] == impact);
    let met = met.and_then(|met| met["met"].as_u64().or_else(|| met["arrival"].as_u64()));
    met.unwrap_or_else(|| panic!("nobody met {fault} and was {impact}"))
}

/// The steps of the first request that a fault of this scenario met, and that came of it to this.
async fn steps_of_met(sandbox: &Sandbox, name: &str, fault: &str, impact: &str) -> Vec<String> {
    let file = scenarios::shipped().join(format!("{name}.toml")).display().to_string();
    run(sandbox, &format!("{file} --json events.jsonl")).await.exited(0);
    let n = met(&sandbox.path().join("events.jsonl"), fault, impact);
    steps(run(sandbox, &format!("{file} --trace {n}")).await.exited(0))
}

#[tokio::test]
async fn a_request_whose_cache_is_silent_shows_the_timeout_and_what_answered_instead() {
    let sandbox = Sandbox::new();
    let file = scenarios::shipped().join("redis_hangs.toml").display().to_string();
    run(&sandbox, &format!("{file} --json events.jsonl")).await.exited(0);
    let n = met(&sandbox.path().join("events.jsonl"), "silence", "slower");
    let traced = run(&sandbox, &format!("{file} --trace {n}")).await;
    traced.exited(0).said(&format!("request {n}, due at 4.0")).said("while silence: hang on gateway -> redis");
    let steps = steps(&traced);
    assert_in_order(
        &steps,
        &[
            "client begins",
            "client -> gateway GET /api/profile/",
            " gateway -> redis GET gateway:profile:",
            " gateway -> redis silence acts on GET gateway:profile:",
            "gateway lookup redis: timeout after 25ms",
            "gateway lookup memory: fresh",
            "gateway logs `request`: status 200, outcome complete",
            "client <- gateway 200 to GET /api/profile/",
            "client is answered 200",
            // When the fault is over.
            "s gateway -> redis goes on: GET gateway:profile:",
        ],
    );
    let answered = steps.iter().position(|step| step.contains("client is answered")).expect("it is answered");
    let reply = steps.iter().position(|step| step.contains("gateway <- redis"));
    assert!(reply.is_none_or(|reply| reply > answered), "nothing came back while it waited: {steps:#?}");
    assert!(!steps.iter().any(|step| step.contains('~')), "the gateway said when it asked: {steps:#?}");
}

#[tokio::test]
async fn what_a_fault_does_comes_behind_what_it_acts_on_and_before_what_comes_of_it() {
    let sandbox = Sandbox::new();
    assert_in_order(
        &steps_of_met(&sandbox, "orders_flaky", "flaky_orders", "slower").await,
        &[
            "gateway -> order-service GET /orders/user/",
            "gateway -> order-service flaky_orders acts on GET /orders/user/",
            "gateway GET order: reset after ",
            "gateway -> order-service GET /orders/user/",
            "gateway <- order-service 200 to GET /orders/user/",
            "client is answered 200",
        ],
    );
    let mixed = steps_of_met(&sandbox, "redis_mixes_values", "garbage", "unnoticed").await;
    assert_in_order(
        &mixed,
        &[
            "gateway -> redis GET gateway:profile:",
            "gateway -> redis garbage acts on GET gateway:profile:",
            "gateway lookup redis: corrupt",
            "client is answered 200",
        ],
    );
    assert_eq!(mixed.iter().filter(|step| step.contains("garbage acts on")).count(), 1, "{mixed:#?}");
}

#[tokio::test]
async fn a_call_that_is_not_made_is_said_to_be_refused_by_the_open_circuit() {
    let sandbox = Sandbox::new();
    let system = scenarios::shipped().join("system.toml");
    let file = sandbox.write("down.toml", format!("system = {system:?}\n{NO_USERS}"));
    let steps = steps(run(&sandbox, &format!("{file} --trace 60")).await.exited(0));
    assert_in_order(&steps, &["gateway not called: user, circuit_open", "gateway aggregation: partial"]);
}

#[tokio::test]
async fn a_request_goes_through_services_by_its_number_and_who_joins_a_flight_is_said_to() {
    let sandbox = Sandbox::new();
    let system = scenarios::shipped().join("system.toml");
    let file = sandbox.write("one.toml", format!("system = {system:?}\n{ONE_PROFILE}"));
    let first = steps(run(&sandbox, &format!("{file} --trace 0")).await.exited(0));
    assert_in_order(
        &first,
        &[
            "gateway -> order-service GET /orders/user/7",
            "order-service logs `request`: status 200",
            "gateway <- order-service 200 to GET /orders/user/7",
            "gateway <- order-service goes on: 200 to GET /orders/user/7",
            "gateway aggregation: complete",
            "client is answered 200",
        ],
    );
    assert!(!first.iter().any(|step| step.contains("shared")), "{first:#?}");
    let commands = |steps: &[String], command: &str| {
        let asked = format!("gateway -> redis {command} gateway:profile:7");
        steps.iter().filter(|step| step.contains(&asked)).count()
    };
    assert_eq!((commands(&first, "GET"), commands(&first, "SET")), (1, 1), "others' are theirs: {first:#?}");
    assert!(!first.iter().any(|step| step.contains('~')), "{first:#?}");
    let certain = first.iter().filter(|step| step.contains("-service"));
    assert!(certain.clone().count() > 6 && certain.clone().all(|step| !step.contains('~')), "{first:#?}");
    let second = steps(run(&sandbox, &format!("{file} --trace 2")).await.exited(0));
    assert_in_order(
        &second,
        &[
            "client -> gateway GET /api/profile/7",
            "gateway lookup redis: absent after 15ms",
            "gateway waits for what request 0 has under way (--trace 0 shows it)",
            ": shared after ",
            "client is answered 200",
        ],
    );
    assert_eq!((commands(&second, "GET"), commands(&second, "SET")), (1, 0), "{second:#?}");
    assert!(!second.iter().any(|step| step.contains("-service ")), "the services were asked for another: {second:#?}");
}

/// The first event of a recording but for the command line, which tells that somebody looks.
fn without_command(begin: &str) -> Value {
    let mut begin: Value = serde_json::from_str(begin).expect("an event");
    assert!(begin.as_object_mut().expect("an object").remove("command").is_some(), "{begin}");
    begin
}

#[tokio::test]
async fn events_are_the_same_byte_for_byte_whether_or_not_somebody_looks() {
    let sandbox = Sandbox::new();
    for name in ["redis_hangs", "slow_links", "redis_mixes_values", "orders_flaky"] {
        let file = scenarios::shipped().join(format!("{name}.toml")).display().to_string();
        run(&sandbox, &format!("{file} --json plain.jsonl")).await.exited(0);
        run(&sandbox, &format!("{file} --json traced.jsonl --trace 200")).await.exited(0).said("\nrequest 200, due ");
        let read = |name| std::fs::read_to_string(sandbox.path().join(name)).expect("it was recorded");
        let (plain, traced) = (read("plain.jsonl"), read("traced.jsonl"));
        let ((plain_begin, plain), (traced_begin, traced)) =
            (plain.split_once('\n').expect("two lines"), traced.split_once('\n').expect("two lines"));
        assert_eq!(without_command(plain_begin), without_command(traced_begin), "{name}");
        let differing = plain.lines().zip(traced.lines()).find(|(plain, traced)| plain != traced);
        assert!(plain == traced, "{name}: the first that differs: {differing:#?}");
    }
}

#[tokio::test]
async fn a_request_that_was_not_is_said_to_be_none_and_other_worlds_have_no_traces() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    run(&sandbox, &format!("{file} --trace 100000")).await.exited(0).said("there was no request 100000");
    let refused = sandbox.chaos(&format!("run {file} --trace 1")).run().await;
    refused.exited(2).complained("--trace is for `--world sim` and one scenario");
    run(&sandbox, &format!("{file} {file} --trace 1")).await.exited(2).complained("one scenario");
}
