//! `--grafana`: a run's faults, phases and verdict as annotations, posted to a Grafana that is none.

use crate::support::{Sandbox, ask, scenarios};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path},
};

/// A Grafana that takes everything, and calls what it gets 7.
async fn grafana() -> MockServer {
    let server = MockServer::start().await;
    let added = ResponseTemplate::new(200).set_body_json(json!({ "id": 7, "message": "Annotation added" }));
    Mock::given(method("POST")).and(path("/api/annotations")).respond_with(added).mount(&server).await;
    let patched = ResponseTemplate::new(200).set_body_json(json!({ "message": "Annotation patched" }));
    Mock::given(method("PATCH")).and(path("/api/annotations/7")).respond_with(patched).mount(&server).await;
    server
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

#[tokio::test]
async fn faults_and_phases_are_regions_and_the_verdict_ends_them() {
    let (sandbox, grafana) = (Sandbox::new(), grafana().await);
    let file = sandbox.write("one.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file} --grafana {}/", grafana.uri())).env("GRAFANA_TOKEN", "glsa_1");
    let run = run.run().await;
    run.exited(0);
    assert_eq!(run.err, "");
    let requests = grafana.received_requests().await.expect("they are recorded");
    for request in &requests {
        assert_eq!(request.headers["authorization"], "Bearer glsa_1");
        assert_eq!(request.headers["content-type"], "application/json");
    }
    let sent: Vec<(String, Value)> =
        requests.iter().map(|request| (request.method.to_string(), body(request))).collect();
    let tags: Vec<&Value> = sent.iter().map(|(_, body)| &body["tags"]).collect();
    let fault = json!(["chaos", "chaos-fault", "away"]);
    let baseline = json!(["chaos", "chaos-phase", "baseline"]);
    let recovery = json!(["chaos", "chaos-phase", "recovery"]);
    let verdict = json!(["chaos", "chaos-verdict", "pass"]);
    assert_eq!(tags, [&fault, &fault, &baseline, &recovery, &verdict]);
    let (opened, closed) = (&sent[0], &sent[1]);
    assert_eq!((opened.0.as_str(), closed.0.as_str()), ("POST", "PATCH"));
    assert!(opened.1.get("timeEnd").is_none(), "nobody knows when it ends");
    assert_eq!(opened.1["time"], closed.1["time"]);
    let lasted = closed.1["timeEnd"].as_u64().expect("an end") - closed.1["time"].as_u64().expect("a beginning");
    assert!((200..2000).contains(&lasted), "it was there for about 400 ms, and not {lasted}");
    assert!(closed.1["text"].as_str().expect("a text").starts_with("<b>away</b>: refuse on client -&gt; users<br>"));
    assert_eq!(sent[4].1["text"], "<b>pass</b>: One service<br>all 3 expectations held");
}

#[tokio::test]
async fn a_grafana_that_refuses_is_told_of_and_changes_no_verdict() {
    let (sandbox, grafana) = (Sandbox::new(), MockServer::start().await);
    let refused = ResponseTemplate::new(401).set_body_json(json!({ "message": "Invalid username or password" }));
    Mock::given(method("POST")).respond_with(refused).mount(&grafana).await;
    let file = sandbox.write("one.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file} --grafana {}", grafana.uri())).env("GRAFANA_PASSWORD", "wrong");
    let run = run.run().await;
    run.exited(0).said("PASS").complained("--grafana: 5 annotations could not be posted");
    run.complained("answers 401 Unauthorized: Invalid username or password");
    let requests = grafana.received_requests().await.expect("they are recorded");
    // admin:wrong
    assert_eq!(requests[0].headers["authorization"], "Basic YWRtaW46d3Jvbmc=");
}

#[tokio::test]
async fn a_grafana_that_is_not_there_is_told_of_and_changes_no_verdict() {
    let sandbox = Sandbox::new();
    let gone = ask::free();
    let file = sandbox.write("one.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file} --grafana http://{gone}")).env("GRAFANA_TOKEN", "t").run().await;
    run.exited(0).said("PASS").complained("annotations could not be posted").complained("Connection refused");
}

#[tokio::test]
async fn without_credentials_or_with_another_scheme_nothing_starts() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("one.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file} --grafana http://127.0.0.1:1")).run().await;
    run.exited(2).complained("set GRAFANA_TOKEN");
    let run = sandbox.chaos(&format!("run {file} --grafana https://127.0.0.1:1")).env("GRAFANA_TOKEN", "t").run().await;
    run.exited(2).complained("must be http://");
}
