//! Each kind of expectation on responses.

use crate::world::{ONE_SERVICE, Ran, fault, run};
use axum::{Json, Router, extract::Path, http::HeaderMap, routing::get};
use chaos_model::Verdict;
use host::Host;
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

/// Answers with the user; slower, partial and stale for some, so that shares are known exactly: users 1 to 10 come in
/// turn.
fn web(host: Host, _: BTreeMap<String, String>) -> Router {
    let user = move |Path(id): Path<u64>| {
        let host = host.clone();
        async move {
            if id == 10 {
                host.sleep(Duration::from_millis(80)).await;
            }
            let state = if id == 3 { "stale" } else { "fresh" };
            let body = json!({
                "user": {"id": id.to_string(), "age": id},
                "partial": id <= 2,
                "nothing": null,
                "meta": {"parts": {"user": {"state": state}}},
            });
            let mut headers = HeaderMap::new();
            headers.insert("x-complete", if id <= 2 { "false" } else { "true" }.parse().unwrap());
            (headers, Json(body))
        }
    };
    Router::new().route("/users/{id}", get(user))
}

async fn expect(checks: &str) -> Ran {
    let text = format!("{ONE_SERVICE}{}[[expect]]\nthat = \"it\"\n{checks}\n", fault("effect = \"refuse\""));
    run(&text, &[("web", web)]).await
}

/// Runs one expectation and gives what came of it and what was seen.
async fn verdict(checks: &str) -> (Verdict, String) {
    let ran = expect(checks).await;
    let judged = ran.judged("it");
    (judged.verdict, judged.checks[0].seen.clone())
}

fn pass(seen: &str) -> (Verdict, String) {
    (Verdict::Pass, seen.to_owned())
}

fn fail(seen: &str) -> (Verdict, String) {
    (Verdict::Fail, seen.to_owned())
}

#[tokio::test(start_paused = true)]
async fn statuses() {
    assert_eq!(verdict("during = \"recovery\"\nstatus.200 = \">= 100%\"").await, pass("100% (200 of 200)"));
    assert_eq!(verdict("during = \"outage\"\nstatus.2xx = \">= 1%\"").await, fail("0% (0 of 100)"));
}

#[tokio::test(start_paused = true)]
async fn requests_without_a_response() {
    assert_eq!(verdict("during = \"outage\"\nunanswered.any = \">= 100%\"").await, pass("100% (100 of 100)"));
    let ran = expect("during = \"outage\"\nunanswered.any = \"== 0%\"").await;
    assert_eq!(ran.judged("it").verdict, Verdict::Fail);
    let note = ran.judged("it").checks[0].note.clone().unwrap();
    assert_eq!(note, "the first, request 100 at 1.00s, had no response: connect_refused");
}

/// The verdict on calls that came to the entry, and what was seen; `more` stands in the expectation too.
async fn calls(more: &str, calls: &str) -> (Verdict, String) {
    let load = "[[load.request]]\nrequest = \"GET /users/{user}\"\n[[load.request]]\nname = \"report\"\nrequest = \
                \"POST /reports/{user}\"\n";
    let head = ONE_SERVICE.replace("request = \"GET /users/{user}\"\n", "");
    // What is answered in the service's place is a call all the same.
    let fault = fault("effect = \"status\"\nstatus = \"503\"");
    let ran =
        run(&format!("{head}{load}{fault}[[expect]]\nthat = \"it\"\n{more}\ncalls.{calls}\n"), &[("web", web)]).await;
    (ran.judged("it").verdict, ran.judged("it").checks[0].seen.clone())
}

#[tokio::test(start_paused = true)]
async fn calls_on_a_link() {
    let during = "during = \"outage\"";
    assert_eq!(calls(during, "'client -> web' = \"== 100\"").await, pass("100"));
    assert_eq!(calls(during, "'client -> web' = \"< 1 per request\"").await, fail("1.00 per request (100 for 100)"));
    assert_eq!(calls(during, "'client -> web' = \"<= 99/s\"").await, fail("100/s"));
    assert_eq!(calls(during, "'client -> web PUT *' = \"== 0\"").await, pass("0"));
    assert_eq!(calls("during = \"1500ms..2500ms\"", "'client -> web' = \"== 100\"").await, pass("100"));
    assert_eq!(calls("", "'client -> web' = \"== 400\"").await, pass("400"));
    let (get, post) = (
        calls(during, "'client -> web GET /users/*' = \"> 0\"").await,
        calls(during, "'client -> web POST /reports/*' = \"> 0\"").await,
    );
    let number = |(verdict, seen): (Verdict, String)| {
        assert_eq!(verdict, Verdict::Pass);
        seen.parse::<u64>().unwrap()
    };
    let (get, post) = (number(get), number(post));
    assert_eq!(get + post, 100);
    // Per request of the kind that makes them.
    let some = format!("{during}\nof = \"report\"");
    let seen = format!("1.00 per request ({post} for {post})");
    assert_eq!(calls(&some, "'client -> web POST' = \"== 1 per request\"").await, pass(&seen));
}

/// Two kinds of requests, three to one, of which a fault takes the rarer; the other gets slow ones.
async fn of_some(expectations: &str) -> Ran {
    let load = "[[load.request]]\nrequest = \"GET /users/{user}\"\nweight = 3\n[[load.request]]\nname = \
                \"report\"\nrequest = \"GET /users/7?report=1\"\n";
    let head = ONE_SERVICE.replace("request = \"GET /users/{user}\"\n", "").replace("1..10", "4..10");
    let taken = fault("effect = \"status\"\nstatus = \"503\"\nonly.query = \"report=*\"");
    run(&format!("{head}{load}{taken}{expectations}"), &[("web", web)]).await
}

#[tokio::test(start_paused = true)]
async fn some_of_the_requests() {
    let one = |name: &str, of: &str, checks: &str| format!("[[expect]]\nthat = \"{name}\"\n{of}\n{checks}\n");
    let (report, users) = ("of = \"report\"", "of = \"GET /users/{user}\"");
    let ran = of_some(
        &[
            one("all", "", "during = \"outage\"\navailability = \">= 99%\""),
            one("reports", report, "during = \"outage\"\navailability = \"== 0%\"\nstatus.503 = \">= 100%\""),
            one("by line", "of = \"GET /users/7?report=1\"", "during = \"outage\"\navailability = \"== 0%\""),
            one("users", users, "during = \"outage\"\navailability = \">= 100%\""),
            one("slow", users, "during = \"recovery\"\nlatency.max = \"<= 10ms\""),
            one("quick", report, "during = \"recovery\"\nlatency.max = \"<= 10ms\""),
            one("detected", report, "during = \"outage\"\ndetect.time = \"< 500ms\""),
            one("undetected", users, "during = \"outage\"\ndetect.time = \"< 500ms\""),
            one("recovered", report, "after = \"outage\"\nrecovery.time = \"< 1s\""),
            one("unharmed", users, "after = \"outage\"\nrecovery.time = \"< 1s\""),
        ]
        .concat(),
    )
    .await;
    let verdict = |that: &str| ran.judged(that).verdict;
    let wanted = [
        ("all", Verdict::Fail),
        ("reports", Verdict::Pass),
        ("by line", Verdict::Pass),
        ("users", Verdict::Pass),
        ("slow", Verdict::Fail),
        ("quick", Verdict::Pass),
        ("detected", Verdict::Pass),
        ("undetected", Verdict::Fail),
        ("recovered", Verdict::Pass),
        ("unharmed", Verdict::Inconclusive),
    ];
    for (that, wanted) in wanted {
        assert_eq!(verdict(that), wanted, "{that}: {:?}", ran.judged(that).checks);
    }
    let due = |that: &str| {
        let seen = &ran.judged(that).checks[0].seen;
        seen.rsplit(' ').next().unwrap().trim_end_matches(')').parse::<u64>().unwrap()
    };
    assert_eq!(due("reports") + due("users"), due("all"), "each request is of one kind");
    assert_eq!(ran.judged("reports").when, "outage, of report");
}

#[tokio::test(start_paused = true)]
async fn latencies() {
    assert_eq!(verdict("during = \"recovery\"\nlatency.p50 = \"< 10ms\"").await, pass("0s"));
    assert_eq!(verdict("during = \"recovery\"\nlatency.p99 = \"< 80ms\"").await, fail("80ms"));
    assert_eq!(verdict("during = \"recovery\"\nlatency.max = \"<= 80ms\"").await, pass("80ms"));
    assert_eq!(verdict("during = \"recovery\"\nlatency.mean = \"<= 8ms\"").await, pass("8ms"));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_answered_counts_as_the_clients_timeout() {
    assert_eq!(verdict("during = \"outage\"\nlatency.p50 = \"< 10ms\"").await, fail("1s"));
}

#[tokio::test(start_paused = true)]
async fn partial_responses() {
    assert_eq!(verdict("during = \"recovery\"\npartial = \"<= 20%\"").await, pass("20% (40 of 200)"));
    assert_eq!(verdict("during = \"recovery\"\npartial = \"< 20%\"").await, fail("20% (40 of 200)"));
}

#[tokio::test(start_paused = true)]
async fn stale_responses() {
    assert_eq!(verdict("during = \"recovery\"\nstale = \"> 0%\"").await, pass("10% (20 of 200)"));
    assert_eq!(verdict("during = \"recovery\"\nstale = \"== 0%\"").await, fail("10% (20 of 200)"));
}

#[tokio::test(start_paused = true)]
async fn bodies() {
    let recovery = |check: &str| format!("during = \"recovery\"\nbody.{check}");
    assert_eq!(verdict(&recovery("\"$.user.id\" = \"== {user}\"")).await, pass("100% (200 of 200)"));
    assert_eq!(verdict(&recovery("\"$.user.age\" = \"== {user}\"")).await, pass("100% (200 of 200)"));
    assert_eq!(verdict(&recovery("\"$.user.id\" = \"!= 7\"")).await, fail("90% (180 of 200)"));
    assert_eq!(verdict(&recovery("\"$.user.age\" = \">= 80% <= 8\"")).await, pass("80% (160 of 200)"));
    assert_eq!(verdict(&recovery("\"$.nothing\" = \"missing\"")).await, pass("100% (200 of 200)"));
    assert_eq!(verdict(&recovery("\"$.nowhere\" = \"exists\"")).await, fail("0% (0 of 200)"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_differs_is_shown() {
    let ran = expect("during = \"recovery\"\nbody.\"$.user.id\" = \"!= 7\"").await;
    let note = ran.judged("it").checks[0].note.clone().unwrap();
    assert_eq!(note, "the first, request 206 at 2.06s, saw \"7\"");
}

#[tokio::test(start_paused = true)]
async fn where_no_request_had_a_response_nobody_saw_anything() {
    let checks = [
        "partial = \"== 0%\"",
        "stale = \"== 0%\"",
        "body.\"$.user.id\" = \"0% == 7\"",
        "header.x-complete = \"0% == true\"",
    ];
    for check in checks {
        let ran = expect(&format!("during = \"outage\"\n{check}")).await;
        let check = &ran.judged("it").checks[0];
        assert_eq!((check.verdict, check.note.as_deref()), (Verdict::Inconclusive, Some("no request had a response")));
    }
}

/// A marker whose place is written wrong is in no response, as one that is never said.
#[tokio::test(start_paused = true)]
async fn a_marker_that_no_response_has_anything_of_is_no_pass() {
    let ran = async |marker: &str, check: &str| {
        let text = ONE_SERVICE.replacen("partial.body.\"$.partial\" = \"== true\"", marker, 1);
        let text = format!("{text}[[expect]]\nthat = \"it\"\nduring = \"run\"\n{check}\n");
        let check = run(&text, &[("web", web)]).await.judged("it").checks[0].clone();
        (check.verdict, format!("{}: {}", check.seen, check.note.unwrap_or_default()))
    };
    let (verdict, words) = ran("partial.body.\"$.partail\" = \"== true\"", "partial = \"== 0%\"").await;
    assert_eq!(verdict, Verdict::Inconclusive, "{words}");
    assert!(words.contains("no response of the run has `$.partail` at all"), "{words}");
    // Many services send a header only when there is something to say.
    let (verdict, words) = ran("partial.header.x-partial = \"== true\"", "partial = \"<= 5%\"").await;
    assert_eq!(verdict, Verdict::Pass, "{words}");
    assert!(words.contains(", and no response of the run has the header `x-partial`"), "{words}");
    // What is said by being there may be in none, and that is told.
    let (verdict, words) = ran("partial.body.\"$.errors[0]\" = \"exists\"", "partial = \"== 0%\"").await;
    assert_eq!(verdict, Verdict::Pass, "{words}");
    assert!(words.contains(", and no response of the run has `$.errors[0]`"), "{words}");
    // One place of several is enough.
    let both = "partial.body.\"$.partail\" = \"== true\"\npartial.status = \"== 206\"";
    assert_eq!(ran(both, "partial = \"== 0%\"").await.0, Verdict::Pass);
    let seen = ran("partial.body.\"$.partial\" = \"== true\"", "partial = \"<= 99%\"").await;
    assert_eq!(seen.0, Verdict::Pass, "{}", seen.1);
}

#[tokio::test(start_paused = true)]
async fn headers() {
    let recovery = |check: &str| format!("during = \"recovery\"\nheader.{check}");
    assert_eq!(verdict(&recovery("x-complete = \">= 80% == true\"")).await, pass("80% (160 of 200)"));
    assert_eq!(verdict(&recovery("x-complete = \"== true\"")).await, fail("80% (160 of 200)"));
    assert_eq!(verdict(&recovery("x-other = \"missing\"")).await, pass("100% (200 of 200)"));
}

#[tokio::test(start_paused = true)]
async fn all_checks_of_an_expectation_must_hold() {
    let ran = expect("during = \"recovery\"\nstatus.200 = \">= 100%\"\npartial = \"== 0%\"").await;
    let verdicts: Vec<_> = ran.judged("it").checks.iter().map(|check| check.verdict).collect();
    assert_eq!((ran.judged("it").verdict, &verdicts[..]), (Verdict::Fail, &[Verdict::Pass, Verdict::Fail][..]));
}

#[tokio::test(start_paused = true)]
async fn after_a_fault_answers_must_hold_from_then_on() {
    let soon = "after = \"outage\"\nwithin = \"500ms\"\n";
    assert_eq!(verdict(&format!("{soon}status.200 = \">= 100%\"")).await, pass("100% (150 of 150)"));
    assert_eq!(verdict(&format!("{soon}unanswered.any = \"> 0%\"")).await, fail("0% (0 of 150)"));
}

#[tokio::test(start_paused = true)]
async fn a_window_of_its_own() {
    assert_eq!(verdict("during = \"500ms..900ms\"\nstatus.200 = \">= 100%\"").await, pass("100% (40 of 40)"));
    assert_eq!(verdict("during = \"1500ms..2500ms\"\nstatus.200 = \">= 51%\"").await, fail("50% (50 of 100)"));
}

/// The instance that a system's responses name stands beside what speaks against a comparison.
#[tokio::test(start_paused = true)]
async fn an_example_names_its_instance() {
    let named = ONE_SERVICE.replacen("[responses]", "[responses]\ninstance.header = \"x-complete\"", 1);
    let text = format!("{named}[[expect]]\nthat = \"it\"\nduring = \"run\"\nheader.x-complete = \"== true\"\n");
    let note = run(&text, &[("web", web)]).await.judged("it").checks[0].note.clone().unwrap();
    assert!(note.ends_with("saw \"false\", from false"), "{note}");
}
