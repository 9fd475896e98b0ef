//! Tests of callers who are refused, and of what they are told.

use crate::support::{LINK, MS, System, kind, link};
use chaos_model::{Protocol, effect::Hang};
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
            (Method::GET, "/v2/links", Value::Null),
            (Method::GET, "/v2/lease", Value::Null),
            (Method::POST, "/v2/lease", wanted),
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
        assert_eq!(stranger.get("/v2/health").await, json!({ "status": "ok" }));
    }
    assert_eq!(runner.get("/v2/lease").await["lease"]["faults"], 1);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_read_is_said_so() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = async |body: &str| {
        let (parts, text) = runner.raw(Method::POST, "/v2/lease", body.to_owned()).await;
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        (parts.status, serde_json::from_slice::<Value>(&text).unwrap())
    };
    let long = json!({ "holder": "x".repeat(201), "ttl_ms": 1000, "seed": 1 }).to_string();
    for (body, why) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("holder=x", "expected value at line 1 column 1"),
        (r#"{"holder":"x","ttl_ms":1000,"seed":1} and more"#, "trailing characters at line 1 column 39"),
    ] {
        let answer = lease(body).await;
        assert_eq!(kind(&answer), (400, "bad-request"), "{body}");
        assert!(answer.1["detail"].as_str().unwrap().starts_with(why), "{body}: {}", answer.1);
    }
    let holder = "`holder` says who asks, in at most 200 bytes on one line";
    for (body, pointer, why) in [
        (r#"{"holder":"x","ttl_ms":1000,"seed":1,"to":"here"}"#, "#/to", "unknown field `to`"),
        (r#"{"holder":"x","ttl_ms":1000,"seed":1,"a/b~c":0}"#, "#/a~1b~0c", "unknown field `a/b~c`"),
        (r#"{"holder":"x","holder":"y","ttl_ms":1000,"seed":1}"#, "#/holder", "`holder` stands there twice"),
        (r#"{"holder":"x","ttl_ms":1000}"#, "#", "missing field `seed`"),
        (r#"{"holder":"x","ttl_ms":1000,"seed":"1"}"#, "#/seed", "invalid type: string \"1\""),
        (r#"{"holder":"x","ttl_ms":1000,"seed":1,"nonce":"?"}"#, "#/nonce", ""),
        (r#"{"holder":"x","ttl_ms":199,"seed":1}"#, "#/ttl_ms", "`ttl_ms` must be from 200 to 60000"),
        (r#"{"holder":"x","ttl_ms":60001,"seed":1}"#, "#/ttl_ms", "`ttl_ms` must be from 200 to 60000"),
        (r#"{"holder":" ","ttl_ms":1000,"seed":1}"#, "#/holder", holder),
        (r#"{"holder":"a\nb","ttl_ms":1000,"seed":1}"#, "#/holder", holder),
        (r#"{"holder":"a\u202eb","ttl_ms":1000,"seed":1}"#, "#/holder", holder),
        (&long, "#/holder", holder),
        ("[]", "#", "invalid length 0"),
    ] {
        let answer = lease(body).await;
        assert_eq!(kind(&answer), (422, "invalid-request"), "{body}");
        let error = &answer.1["errors"][0];
        assert_eq!(error["pointer"], pointer, "{body}: {error}");
        assert!(error["detail"].as_str().unwrap().starts_with(why), "{body}: {error}");
    }
    let large = lease(&" ".repeat((1 << 20) + 1)).await;
    assert_eq!(kind(&large), (413, "body-too-large"));
    assert_eq!(runner.get("/v2/lease").await, json!({ "lease": null }));
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_is_not_valid_is_refused_with_the_places_of_all_mistakes_and_breaks_nobody() {
    let (system, host) = System::memory_with(link(), Protocol::HTTP);
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 60_000 * MS).await.unwrap();
    let fault = |key: &str, value: Value| {
        let mut fault = json!({ "name": "f", "on": LINK, "effect": "status", "status": "503" });
        fault[key] = value;
        fault
    };
    for (fault, places) in [
        // A selector that is misspelt would choose everybody.
        (fault("only", json!({ "methods": ["POST"] })), &["#/message/apply/only/methods"][..]),
        (
            fault("only", json!({ "method": ["POST"], "pth": "/" })),
            &["#/message/apply/only/method", "#/message/apply/only/pth"],
        ),
        (fault("ramp_us", json!(7)), &["#/message/apply/ramp_us"]),
        (fault("status", json!(503)), &["#/message/apply/status"]),
        (fault("on", json!("gateway -> moon")), &["#/message/apply/on"]),
        (fault("effect", json!("stop")), &["#/message/apply/on", "#/message/apply/status"]),
        (json!("f"), &["#/message/apply"]),
        (json!({ "name": "f", "on": LINK, "effect": "error", "reply": "LOADING" }), &["#/message/apply/on"]),
    ] {
        let answer = runner.send(&lease, json!({ "apply": fault })).await;
        assert_eq!(kind(&answer), (422, "invalid-fault"), "{fault}");
        let errors = answer.1["errors"].as_array().unwrap();
        let pointers: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(pointers, places, "{fault}: {errors:?}");
        assert!(errors.iter().all(|error| !error["advice"].as_str().unwrap().is_empty()), "{errors:?}");
    }
    for (message, pointer) in [
        (json!({ "remove": { "fault": "f", "now": true } }), "#/message/remove/now"),
        (json!({ "heal": {} }), "#/message"),
        (json!({ "apply": {}, "clear": {} }), "#/message"),
    ] {
        let answer = runner.send(&lease, message.clone()).await;
        assert_eq!(kind(&answer), (422, "invalid-request"), "{message}");
        assert_eq!(answer.1["errors"][0]["pointer"], pointer, "{message}: {}", answer.1);
    }
    // Of two selectors, one would be passed over.
    let twice = r#"{ "link": "gateway -> redis", "message": { "apply": { "name": "f", "on": "gateway -> redis",
        "effect": "close", "only": { "path": "/a" }, "only": { "path": "/b" } } } }"#;
    let (parts, text) = runner.raw(Method::POST, &format!("{lease}/messages"), twice.to_owned()).await;
    let answer = (parts.status, serde_json::from_slice::<Value>(&text).unwrap());
    assert_eq!(kind(&answer), (422, "invalid-request"));
    let error = &answer.1["errors"][0];
    assert_eq!(
        (&error["pointer"], &error["detail"]),
        (&json!("#/message/apply/only"), &json!("`only` stands there twice"))
    );
    assert_eq!(runner.get("/v2/links").await["links"][0]["faults"], json!([]));
    assert!(system.round_trip(&host).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_would_not_be_heard_is_refused() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 60_000 * MS).await.unwrap();
    // Whoever says for how long believes that it was heard.
    let longer = json!({ "ttl_ms": 30_000 });
    for (method, path) in
        [(Method::PUT, &*lease), (Method::DELETE, &*lease), (Method::GET, "/v2/lease"), (Method::GET, "/v2/links")]
    {
        let answer = runner.call(method.clone(), path, longer.clone()).await;
        assert_eq!(kind(&answer), (422, "invalid-request"), "{method} {path}");
        let answer = runner.call(method.clone(), &format!("{path}?ttl_ms=30000"), Value::Null).await;
        assert_eq!(kind(&answer), (422, "invalid-request"), "{method} {path}");
    }
    let wanted = json!({ "holder": "x", "ttl_ms": 1000, "seed": 1 });
    assert_eq!(kind(&runner.call(Method::POST, "/v2/lease?force=1", wanted).await), (422, "invalid-request"));
    assert_eq!(runner.renew(&lease).await, 204, "it was not given up");
}

#[tokio::test(start_paused = true)]
async fn a_fault_goes_to_the_link_that_it_is_on() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 60_000 * MS).await.unwrap();
    let spaces = json!({ "name": "f", "on": "gateway->redis", "effect": "hang" });
    assert_eq!(runner.send(&lease, json!({ "apply": spaces })).await.0, 200, "as a scenario may write it");
}

#[tokio::test(start_paused = true)]
async fn there_is_nothing_elsewhere() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    for path in ["/", "/v2", "/links", "/v", "/vx/links", "/v2/links/", "/v2/lease/x/y"] {
        assert_eq!(kind(&runner.call(Method::GET, path, Value::Null).await), (404, "no-such-route"), "{path}");
    }
    // What was said to an earlier version, or will be to a later one, is told which there is, with or without a token.
    let mut stranger = system.steered_from(&host);
    stranger.token = None;
    for (caller, path) in [(&runner, "/v1/links"), (&runner, "/v1"), (&stranger, "/v1/lease"), (&runner, "/v3/lease/x")]
    {
        for method in [Method::GET, Method::POST] {
            let refused = caller.call(method, path, json!({})).await;
            assert_eq!(kind(&refused), (404, "no-such-version"), "{path}");
            let why = refused.1["detail"].as_str().unwrap();
            assert!(why.contains("/v2/openapi.json") && why.contains(&format!("no {}", &path[..3])), "{why}");
        }
    }
    assert_eq!(kind(&runner.call(Method::POST, "/v2/links", Value::Null).await), (405, "method-not-allowed"));
    let nobodys = "/v2/lease/0123456789abcdef";
    assert_eq!(kind(&runner.call(Method::PUT, nobodys, Value::Null).await), (404, "no-such-lease"));
    assert_eq!(kind(&runner.call(Method::DELETE, nobodys, Value::Null).await), (404, "no-such-lease"));
    assert_eq!(kind(&runner.send(nobodys, json!("fired")).await), (404, "no-such-lease"));
}
