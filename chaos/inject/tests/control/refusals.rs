//! Tests of callers who are refused, and of what they are told.

use crate::support::{MS, System, kind};
use chaos_model::effect::Hang;
use http::Method;
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn without_the_token_nothing_is_told_and_nothing_done() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 60_000 * MS).await.unwrap();
    runner.apply(&lease, "silence", Hang {}).await;
    let mut stranger = system.steered_from(&host);
    for token in [None, Some("0".repeat(64)), Some(String::new())] {
        stranger.token = token;
        let wanted = json!({ "holder": "x", "ttl_ms": 1000, "seed": 1 });
        let messages = format!("{lease}/messages");
        let remove = json!({ "link": "gateway -> redis", "message": { "remove": { "fault": "silence" } } });
        let tries = [
            (Method::GET, "/v1/links", Value::Null),
            (Method::GET, "/v1/lease", Value::Null),
            (Method::POST, "/v1/lease", wanted),
            (Method::PUT, &lease, Value::Null),
            (Method::DELETE, &lease, Value::Null),
            (Method::POST, &messages, remove),
        ];
        for (method, path, body) in tries {
            let (parts, text) = stranger.raw(method, path, body.to_string()).await;
            assert_eq!(parts.headers["www-authenticate"], "Bearer", "{path}");
            let body = serde_json::from_slice::<Value>(&text).unwrap();
            assert_eq!(kind(&(parts.status, body)), (401, "unauthenticated"), "{path}");
        }
        assert_eq!(stranger.get("/v1/health").await, json!({ "status": "ok" }));
    }
    assert_eq!(runner.get("/v1/lease").await["lease"]["faults"], 1);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_read_is_said_so() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = async |body: &str| {
        let (parts, text) = runner.raw(Method::POST, "/v1/lease", body.to_owned()).await;
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        (parts.status, serde_json::from_slice::<Value>(&text).unwrap())
    };
    let long = json!({ "holder": "x".repeat(201), "ttl_ms": 1000, "seed": 1 }).to_string();
    for (body, why) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        (r#"{"holder":"x","ttl_ms":1000,"seed":1,"to":"here"}"#, "unknown field `to`"),
        (r#"{"holder":"x","ttl_ms":1000}"#, "missing field `seed`"),
        (r#"{"holder":"x","ttl_ms":199,"seed":1}"#, "`ttl_ms` must be from 200 to 60000"),
        (r#"{"holder":"x","ttl_ms":60001,"seed":1}"#, "`ttl_ms` must be from 200 to 60000"),
        (r#"{"holder":" ","ttl_ms":1000,"seed":1}"#, "`holder` says who asks, in at most 200 bytes on one line"),
        (r#"{"holder":"a\nb","ttl_ms":1000,"seed":1}"#, "`holder` says who asks, in at most 200 bytes on one line"),
        (&long, "`holder` says who asks, in at most 200 bytes on one line"),
    ] {
        let answer = lease(body).await;
        assert_eq!(kind(&answer), (400, "bad-request"), "{body}");
        assert!(answer.1["detail"].as_str().unwrap().starts_with(why), "{body}: {}", answer.1);
    }
    let large = lease(&" ".repeat((1 << 20) + 1)).await;
    assert_eq!(kind(&large), (413, "body-too-large"));
    assert_eq!(runner.get("/v1/lease").await, json!({ "lease": null }));
}

#[tokio::test(start_paused = true)]
async fn there_is_nothing_elsewhere() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    for path in ["/", "/v1", "/v2/links", "/v1/links/", "/v1/lease/x/y"] {
        assert_eq!(kind(&runner.call(Method::GET, path, Value::Null).await), (404, "no-such-route"), "{path}");
    }
    assert_eq!(kind(&runner.call(Method::POST, "/v1/links", Value::Null).await), (405, "method-not-allowed"));
    let nobodys = "/v1/lease/0123456789abcdef";
    assert_eq!(kind(&runner.call(Method::PUT, nobodys, Value::Null).await), (404, "no-such-lease"));
    assert_eq!(kind(&runner.call(Method::DELETE, nobodys, Value::Null).await), (404, "no-such-lease"));
    assert_eq!(kind(&runner.send(nobodys, json!("fired")).await), (404, "no-such-lease"));
}
