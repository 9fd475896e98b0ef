//! Spans on their way to a collector: the real program, real sockets, and a collector that keeps what it gets. Nothing
//! here depends on how fast the machine is.

#![expect(clippy::unwrap_used, reason = "the lint knows tests by their attribute, and not what they share")]

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value as Attribute,
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

const CLIENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

/// The program, until it is dropped.
struct Gateway {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Gateway {
    async fn start(services: &MockServer, collector: &str, more: &[(&str, &str)]) -> Self {
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (port, nobody) = (free(), free());
        let child = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .env_clear()
            .env("PORT", port.to_string())
            .envs(["USER_SERVICE_URL", "ORDER_SERVICE_URL", "PRODUCT_SERVICE_URL"].map(|name| (name, services.uri())))
            .env("REDIS_URL", format!("redis://127.0.0.1:{nobody}"))
            .env("GATEWAY_OTLP_ENDPOINT", collector)
            // A debug build on a busy machine.
            .envs([("GATEWAY_DEADLINE", "30s"), ("GATEWAY_USER_TIMEOUT", "20s"), ("GATEWAY_ORDER_TIMEOUT", "20s")])
            .envs([("GATEWAY_PRODUCT_TIMEOUT", "20s"), ("GATEWAY_RETRIES", "off"), ("GATEWAY_BREAKER", "off")])
            .envs(more.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut this = Self { child, url: format!("http://127.0.0.1:{port}"), client };
        while this.client.get(format!("{}/health/live", this.url)).send().await.is_err() {
            assert_eq!(this.child.try_wait().unwrap(), None, "it ended");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        this
    }

    async fn profile(&self, parent: Option<&str>) -> Value {
        let mut request = self.client.get(format!("{}/api/profile/4711", self.url));
        if let Some(parent) = parent {
            request = request.header("traceparent", parent);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    /// SIGTERM; what comes of it.
    #[expect(clippy::disallowed_methods, reason = "waits for a process, in no world")]
    async fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        tokio::task::spawn_blocking(move || {
            let status = self.child.wait().unwrap();
            assert!(status.success(), "{status}");
        })
        .await
        .unwrap();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Where a test failed; else it has ended.
        let _ = self.child.kill();
    }
}

/// A user service that works, orders without products.
async fn services() -> MockServer {
    let services = MockServer::start().await;
    for (at, body) in [("/users/4711", json!({ "id": "4711" })), ("/orders/user/4711", json!([]))] {
        let response = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(path(at)).respond_with(response).mount(&services).await;
    }
    services
}

async fn collector() -> MockServer {
    let collector = MockServer::start().await;
    Mock::given(path("/v1/traces")).respond_with(ResponseTemplate::new(200)).mount(&collector).await;
    collector
}

/// All that the collector got.
async fn spans(collector: &MockServer) -> Vec<Span> {
    let mut spans = Vec::new();
    for request in collector.received_requests().await.unwrap() {
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
        for resource in ExportTraceServiceRequest::decode(request.body.as_slice()).unwrap().resource_spans {
            let name = resource.resource.unwrap().attributes.into_iter().find(|there| there.key == "service.name");
            assert_eq!(name.unwrap().value.unwrap().value, Some(Attribute::StringValue("gateway".to_owned())));
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    spans
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, key: &str) -> Value {
    let value = span.attributes.iter().find(|there| there.key == key).and_then(|there| there.value.clone()?.value);
    match value {
        Some(Attribute::StringValue(text)) => text.into(),
        Some(Attribute::IntValue(number)) => number.into(),
        _ => Value::Null,
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut all = spans.iter().filter(|span| span.name == name);
    let (Some(span), None) = (all.next(), all.next()) else { panic!("not one {name} in {spans:#?}") };
    span
}

/// The span that each service was told of, by path.
async fn seen(services: &MockServer) -> Vec<(String, String)> {
    let requests = services.received_requests().await.unwrap();
    let calls = requests.iter().filter(|request| request.url.path() != "/health");
    calls.map(|call| (call.url.path().to_owned(), call.headers["traceparent"].to_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn spans_continue_the_clients_trace_up_to_the_services() {
    let (services, collector) = (services().await, collector().await);
    let gateway = Gateway::start(&services, &collector.uri(), &[]).await;
    let response = gateway.profile(Some(&format!("{CLIENT}-01"))).await;
    gateway.stop().await;
    let spans = spans(&collector).await;
    let id = response["meta"]["trace_id"].as_str().unwrap();
    assert_eq!(id, &CLIENT[3..35]);
    assert!(spans.iter().all(|span| hex(&span.trace_id) == id), "{spans:#?}");
    let request = named(&spans, "GET /api/profile/{user_id}");
    assert_eq!((hex(&request.parent_span_id), request.kind()), (CLIENT[36..].to_owned(), SpanKind::Server));
    assert_eq!(attribute(request, "http.response.status_code"), 200);
    for (tier, result) in [("redis", "down"), ("memory", "absent")] {
        let lookup = named(&spans, &format!("lookup {tier}"));
        assert_eq!((attribute(lookup, "cache.result"), &lookup.parent_span_id), (result.into(), &request.span_id));
    }
    let aggregation = named(&spans, "aggregation");
    assert_eq!((attribute(aggregation, "outcome"), &aggregation.parent_span_id), ("complete".into(), &request.span_id));
    let seen = seen(&services).await;
    assert_eq!(seen.len(), 2, "{seen:?}");
    for (path, parent) in seen {
        let call = named(&spans, if path.starts_with("/users") { "GET user" } else { "GET order" });
        assert_eq!((call.kind(), &call.parent_span_id), (SpanKind::Client, &aggregation.span_id));
        assert_eq!(parent, format!("00-{id}-{}-01", hex(&call.span_id)));
    }
    assert!(!format!("{spans:?}").contains("4711"), "no user is in them");
}

#[tokio::test]
async fn a_trace_that_starts_here_has_the_id_that_the_response_shows_and_failures_are_marked() {
    let (services, collector) = (MockServer::start().await, collector().await);
    Mock::given(wiremock::matchers::any()).respond_with(ResponseTemplate::new(500)).mount(&services).await;
    let gateway =
        Gateway::start(&services, &collector.uri(), &[("GATEWAY_RETRIES", "on"), ("GATEWAY_RETRY_BUDGET", "100%")])
            .await;
    let response = gateway.profile(None).await;
    gateway.stop().await;
    let spans = spans(&collector).await;
    let request = named(&spans, "GET /api/profile/{user_id}");
    assert_eq!(
        (hex(&request.trace_id), &*request.parent_span_id),
        (response["trace_id"].as_str().unwrap().to_owned(), &[][..])
    );
    assert_eq!(attribute(request, "http.response.status_code"), 502);
    assert_eq!(request.status.as_ref().unwrap().code(), StatusCode::Error);
    let mut attempts: Vec<_> = spans
        .iter()
        .filter(|span| span.name == "GET user")
        .map(|call| (attribute(call, "http.request.resend_count"), attribute(call, "error.type")))
        .collect();
    attempts.sort_by_key(|(count, _)| count.as_i64());
    assert_eq!(attempts, [(json!(0), json!("status_5xx")), (json!(1), json!("status_5xx"))]);
}

#[tokio::test]
async fn who_waits_for_what_another_request_gathers_is_linked_to_that() {
    let (services, collector) = (MockServer::start().await, collector().await);
    let response = |body| ResponseTemplate::new(200).set_body_json(body);
    let late = response(json!({ "id": "4711" })).set_delay(std::time::Duration::from_millis(300));
    Mock::given(path("/users/4711")).respond_with(late).mount(&services).await;
    Mock::given(path("/orders/user/4711")).respond_with(response(json!([]))).mount(&services).await;
    let gateway = Gateway::start(&services, &collector.uri(), &[]).await;
    tokio::join!(gateway.profile(None), gateway.profile(None));
    gateway.stop().await;
    let spans = spans(&collector).await;
    let aggregation = named(&spans, "aggregation");
    let requests = spans.iter().filter(|span| span.name == "GET /api/profile/{user_id}");
    let (first, second): (Vec<_>, Vec<_>) = requests.partition(|span| span.span_id == aggregation.parent_span_id);
    assert_eq!((first.len(), second.len()), (1, 1), "{spans:#?}");
    assert!(first[0].links.is_empty(), "{first:#?}");
    let links: Vec<_> = second[0].links.iter().map(|link| (&link.trace_id, &link.span_id)).collect();
    assert_eq!(links, [(&aggregation.trace_id, &aggregation.span_id)]);
}

#[tokio::test]
async fn a_probe_is_in_the_trace_of_its_request_and_outlasts_it() {
    let (services, collector) = (MockServer::start().await, collector().await);
    let response = |status: u16, body| ResponseTemplate::new(status).set_body_json(body);
    Mock::given(path("/users/4711")).respond_with(response(500, json!({}))).up_to_n_times(1).mount(&services).await;
    let late = response(200, json!({ "id": "4711" })).set_delay(std::time::Duration::from_secs(2));
    Mock::given(path("/users/4711")).respond_with(late).mount(&services).await;
    Mock::given(path("/orders/user/4711")).respond_with(response(200, json!([]))).mount(&services).await;
    let breaker = [("GATEWAY_BREAKER", "on"), ("GATEWAY_BREAKER_MINIMUM", "1"), ("GATEWAY_CACHE", "off")];
    let gateway = Gateway::start(&services, &collector.uri(), &breaker).await;
    let parent = format!("{CLIENT}-01");
    // The first call opens the circuit, and the probe closes it, which nobody waits for.
    while gateway.profile(Some(&parent)).await["partial"] == true {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    gateway.stop().await;
    let spans = spans(&collector).await;
    let probe = named(&spans, "probe GET user");
    let of = |id: &[u8]| spans.iter().find(|span| span.span_id == id).expect("it was recorded");
    let aggregation = of(&probe.parent_span_id);
    let request = of(&aggregation.parent_span_id);
    assert_eq!((aggregation.name.as_str(), hex(&probe.trace_id)), ("aggregation", CLIENT[3..35].to_owned()));
    for span in [aggregation, request] {
        assert!(span.end_time_unix_nano < probe.end_time_unix_nano, "{} lasts as long as the probe", span.name);
    }
    let told = format!("{}-01", hex(&probe.span_id));
    assert!(seen(&services).await.iter().any(|(path, parent)| path == "/users/4711" && parent.ends_with(&told)));
}

#[tokio::test]
async fn what_the_client_doesnt_want_recorded_is_not() {
    let (services, collector) = (services().await, collector().await);
    let gateway = Gateway::start(&services, &collector.uri(), &[]).await;
    let response = gateway.profile(Some(&format!("{CLIENT}-00"))).await;
    gateway.stop().await;
    assert_eq!(response["meta"]["trace_id"], CLIENT[3..35]);
    assert_eq!(spans(&collector).await.len(), 0);
    assert!(seen(&services).await.iter().all(|(_, parent)| parent.ends_with("-00") && parent[3..35] == CLIENT[3..35]));
}

/// More spans than the queue holds.
async fn many_requests_are_answered(collector: &str) {
    let services = services().await;
    let gateway = Gateway::start(&services, collector, &[]).await;
    for _ in 0..2_000 {
        assert_eq!(gateway.profile(None).await["partial"], false);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_collector_that_is_gone_fails_no_request() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    many_requests_are_answered(&format!("http://{nobody}")).await;
}

#[tokio::test]
async fn a_collector_that_says_nothing_fails_no_request() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    many_requests_are_answered(&format!("http://{}", silent.local_addr().unwrap())).await;
}
