//! Responses that are shown where an expectation fails.

use crate::world::{ONE_SERVICE, fault, run};
use axum::{
    Json, Router,
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use chaos_model::{
    Verdict,
    event::{JudgedCheck, Shown, ShownResponse},
};
use flate2::{Compression, write::GzEncoder};
use host::Host;
use serde_json::json;
use std::{collections::BTreeMap, io::Write as _, time::Duration};

/// Users 1 to 10 come in turn, and the even ones are served by `b`: 4 fails there, 6 is partial, 8 slow. Of `a`, 5 is stale and
/// its body coded.
fn web(host: Host, _: BTreeMap<String, String>) -> Router {
    let user = move |Path(id): Path<u64>, RawQuery(_): RawQuery| {
        let host = host.clone();
        async move {
            if id == 8 {
                host.sleep(Duration::from_millis(80)).await;
            }
            let status = if id == 4 { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
            let state = if id == 5 { "stale" } else { "fresh" };
            let body = json!({
                "user": id,
                "token": "hunter2",
                "partial": id == 6,
                "meta": { "parts": { "user": { "state": state } } },
            });
            let mut headers = HeaderMap::new();
            headers.insert("x-served-by", if id % 2 == 0 { "b" } else { "a" }.parse().unwrap());
            let mut body = Json(body).to_string().into_bytes();
            if id == 5 {
                headers.insert("content-encoding", "gzip".parse().unwrap());
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(&body).unwrap();
                body = encoder.finish().unwrap();
            }
            (status, headers, body)
        }
    };
    Router::new().route("/users/{id}", get(user))
}

/// What is shown of the one check of a run.
async fn shown(comparison: &str, effect: &str, instance: bool) -> JudgedCheck {
    let mut text = ONE_SERVICE.replacen("/users/{user}", "/users/{user}?api_key=abc", 1);
    if instance {
        text = text.replacen("[responses]", "[responses]\ninstance.header = \"x-served-by\"", 1);
    }
    let text = format!("{text}{}[[expect]]\nthat = \"it\"\n{comparison}\n", fault(effect));
    run(&text, &[("web", web)]).await.judged("it").checks[0].clone()
}

const SLOW: &str = "effect = \"latency\"\ndelay = \"1ms\"\njitter = \"0s\"";

fn users(shown: &Shown) -> Vec<&str> {
    shown.responses.iter().map(|one| one.vars["user"].as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_failed_expectation_shows_up_to_three_responses() {
    let check = shown("during = \"outage\"\navailability = \">= 100%\"", SLOW, false).await;
    let body =
        "{\"meta\":{\"parts\":{\"user\":{\"state\":\"fresh\"}}},\"partial\":false,\"token\":*********,\"user\":4}";
    let first = ShownResponse {
        n: 103,
        step: 0,
        at: Duration::from_millis(1030),
        request: "GET /users/4?api_key=***".to_owned(),
        vars: BTreeMap::from([("user".to_owned(), "4".to_owned())]),
        instance: None,
        status: Some(502),
        unanswered: None,
        latency: check.against.responses[0].latency,
        body: Some(body.to_owned()),
        uncaptured: None,
        met: vec!["outage".to_owned()],
    };
    assert_eq!(check.verdict, Verdict::Fail);
    assert_eq!(check.against.responses[0], first);
    let numbers: Vec<u64> = check.against.responses.iter().map(|one| one.n).collect();
    assert_eq!((numbers, check.against.instances.len()), (vec![103, 113, 123], 0));
    assert!(!format!("{check:?}").contains("hunter2") && !format!("{check:?}").contains("abc"), "{check:?}");
}

#[tokio::test(start_paused = true)]
async fn what_speaks_against_each_kind_of_check_is_shown() {
    for (comparison, wanted) in [
        ("status.5xx = \"== 0%\"", vec!["4", "4", "4"]),
        ("latency.max = \"< 50ms\"", vec!["8", "8", "8"]),
        ("partial = \"== 0%\"", vec!["6", "6", "6"]),
        ("stale = \"<= 1%\"", vec!["5", "5", "5"]),
        ("body.\"$.user\" = \"!= 9\"", vec!["9", "9", "9"]),
        ("header.x-served-by = \"<= 10% == a\"", vec!["1", "3", "5"]),
    ] {
        let check = shown(&format!("during = \"recovery\"\n{comparison}"), SLOW, false).await;
        assert_eq!((check.verdict, users(&check.against)), (Verdict::Fail, wanted), "{comparison}");
        assert!(check.against.responses.iter().all(|one| one.met.is_empty()), "{check:?}");
        let stale = check.against.responses.iter().filter(|one| one.vars["user"] == "5");
        assert!(stale.flat_map(|one| &one.body).all(|body| body.contains("\"stale\"")), "decoded: {check:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_answered_is_shown_with_its_reason() {
    let check = shown("during = \"outage\"\nunanswered.any = \"== 0%\"", "effect = \"refuse\"", false).await;
    let one = check.against.responses.last().unwrap();
    let came = (one.status, one.unanswered.as_deref(), one.body.as_deref(), one.latency);
    assert_eq!(came, (None, Some("connect_refused"), None, Duration::from_secs(1)));
    assert_eq!(check.against.responses.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn responses_are_grouped_by_the_instance_that_made_them() {
    let check = shown("during = \"recovery\"\nbody.\"$.user\" = \">= 5\"", SLOW, true).await;
    let of: Vec<_> =
        check.against.responses.iter().map(|one| (one.instance.as_deref().unwrap(), one.n % 10 + 1)).collect();
    assert_eq!(of, [("a", 1), ("a", 3), ("b", 2)]);
    assert_eq!(check.against.instances, BTreeMap::from([("a".to_owned(), 40), ("b".to_owned(), 40)]));
}

#[tokio::test(start_paused = true)]
async fn what_holds_shows_nothing() {
    let check = shown("during = \"recovery\"\nstatus.5xx = \"<= 50%\"", SLOW, true).await;
    assert_eq!((check.verdict, check.against), (Verdict::Pass, Shown::default()));
}
