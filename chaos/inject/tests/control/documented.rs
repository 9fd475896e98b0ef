//! Real responses are held against the document.

use crate::support::{Caller, LINK, MS, System, fault, link, words};
use chaos_model::{Effect, Endpoint, Link, Protocol, effect::Hang};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The document as it is checked in.
fn checked_in() -> Value {
    serde_json::from_str(include_str!("../../openapi.json")).unwrap()
}

/// The document, and which of its responses were seen.
struct Documented<'c> {
    document: Value,
    caller: Caller<'c>,
    seen: BTreeSet<(String, String, String)>,
}

impl Documented<'_> {
    /// Sends a request to `path`, which the document has as `route`; the response must be one that it has.
    async fn call(&mut self, method: Method, route: &str, path: &str, body: &Value) -> Value {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let (parts, answer) = self.caller.raw(method.clone(), path, text).await;
        let kind = parts.headers.get("content-type").map(|kind| kind.to_str().unwrap());
        self.is_known(&method, route, parts.status.as_u16(), kind, &answer)
    }

    /// Asserts that the document has this response, and gives its body.
    fn is_known(&mut self, method: &Method, route: &str, status: u16, kind: Option<&str>, answer: &[u8]) -> Value {
        let (method, status) = (method.as_str().to_lowercase(), status.to_string());
        let known = &self.document["paths"][route][&method]["responses"][&status];
        assert!(known.is_object(), "{method} {route} answers {status}, which is not in the document");
        let answer = match known.get("content").and_then(Value::as_object) {
            None => {
                assert!(answer.is_empty(), "{method} {route} {status}: {answer:?}");
                Value::Null
            }
            Some(content) => {
                let answer = serde_json::from_slice(answer).unwrap();
                self.holds(&content[kind.unwrap()]["schema"], &answer);
                answer
            }
        };
        self.seen.insert((method, route.to_owned(), status));
        answer
    }

    /// Asserts that a value is of a schema of the document.
    fn holds(&self, schema: &Value, value: &Value) {
        let mut schema = schema.clone();
        assert!(schema.is_object());
        schema["components"] = self.document["components"].clone();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{value}: {wrong:?}");
    }

    /// All responses that the document has.
    fn all(&self) -> BTreeSet<(String, String, String)> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        let operations = paths.flat_map(|(path, methods)| {
            methods.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
        });
        let answers = operations.flat_map(|(path, method, operation)| {
            let statuses = operation["responses"].as_object().unwrap().keys();
            statuses.map(move |status| (method.clone(), path.clone(), status.clone()))
        });
        answers.collect()
    }
}

#[tokio::test(start_paused = true)]
async fn every_response_is_in_the_document_and_the_document_has_no_other() {
    let (system, host) = System::memory();
    let caller = system.steered_from(&host);
    let document = checked_in();
    assert_eq!(caller.get("/v2/openapi.json").await, document);
    let mut this = Documented { document, caller, seen: BTreeSet::new() };
    let none = &Value::Null;
    let (lease, of, messages) = ("/v2/lease", "/v2/lease/{id}", "/v2/lease/{id}/messages");
    let wanted = json!({ "holder": "me", "ttl_ms": 5000, "seed": 1 });
    let to = |message: Value| json!({ "link": "gateway -> redis", "message": message });
    let apply = to(json!({ "apply": words(&fault("silence", Hang {})) }));
    let remove = to(json!({ "remove": { "fault": "silence" } }));
    let schemas = this.document["components"]["schemas"].clone();
    this.holds(&schemas["Wanted"], &wanted);
    let large = json!("x".repeat(1 << 20));

    this.call(Method::GET, "/v2/health", "/v2/health", none).await;
    this.call(Method::GET, "/v2/openapi.json", "/v2/openapi.json", none).await;
    this.call(Method::GET, lease, lease, none).await;
    this.call(Method::GET, lease, lease, &json!({})).await;
    this.call(Method::GET, "/v2/links", "/v2/links", &json!({})).await;
    this.call(Method::POST, lease, lease, &json!({})).await;
    let (parts, unread) = this.caller.raw(Method::POST, lease, "{".to_owned()).await;
    this.is_known(&Method::POST, lease, parts.status.as_u16(), Some("application/problem+json"), &unread);
    this.call(Method::POST, lease, lease, &large).await;
    let (status, late) = this.caller.slow(&host, &Method::POST, lease).await;
    this.is_known(&Method::POST, lease, status, Some("application/problem+json"), &late);
    let granted = this.call(Method::POST, lease, lease, &wanted).await;
    let place = format!("/v2/lease/{}", granted["id"].as_str().unwrap());
    let place_of_messages = format!("{place}/messages");
    this.call(Method::POST, lease, lease, &wanted).await;
    this.call(Method::GET, lease, lease, none).await;
    for method in [Method::PUT, Method::DELETE] {
        this.call(method, of, &place, &json!({})).await;
    }
    this.call(Method::PUT, of, &place, none).await;
    let (parts, unread) = this.caller.raw(Method::POST, &place_of_messages, "{".to_owned()).await;
    this.is_known(&Method::POST, messages, parts.status.as_u16(), Some("application/problem+json"), &unread);
    for message in [&apply, &to(json!("fired")), &to(json!("clear")), &apply, &apply, &large, &json!({})] {
        if message.get("link").is_some() {
            this.holds(&schemas["Send"], message);
        }
        this.call(Method::POST, messages, &place_of_messages, message).await;
    }
    let (status, late) = this.caller.slow(&host, &Method::POST, &place_of_messages).await;
    this.is_known(&Method::POST, messages, status, Some("application/problem+json"), &late);
    this.call(Method::PUT, of, &place, none).await;
    this.call(Method::GET, "/v2/links", "/v2/links", none).await;
    let removed = this.call(Method::POST, messages, &place_of_messages, &remove).await;
    this.holds(&schemas["Fired"], &removed["removed"]["fired"]);
    this.holds(&schemas["Fault"], &words(&fault("silence", Hang {})));
    tokio::time::sleep(5000 * MS).await;
    this.call(Method::PUT, of, &place, none).await;
    this.call(Method::POST, messages, &place_of_messages, &to(json!("fired"))).await;
    this.call(Method::DELETE, of, &place, none).await;
    for method in [Method::PUT, Method::DELETE] {
        this.call(method, of, "/v2/lease/none", none).await;
    }
    this.call(Method::POST, messages, "/v2/lease/none/messages", &to(json!("fired"))).await;
    this.caller.token = None;
    for (method, route, path) in [
        (Method::GET, lease, lease),
        (Method::POST, lease, lease),
        (Method::GET, "/v2/links", "/v2/links"),
        (Method::PUT, of, "/v2/lease/none"),
        (Method::DELETE, of, "/v2/lease/none"),
        (Method::POST, messages, "/v2/lease/none/messages"),
    ] {
        this.call(method, route, path, none).await;
    }
    assert_eq!(this.seen, this.all());
}

/// Every effect on links is described with its keys, and its example is taken as it stands; without any of the keys that
/// it is said to need, it is not.
#[tokio::test(start_paused = true)]
async fn the_examples_of_faults_are_taken_as_they_are() {
    let document = checked_in();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let faults: Vec<(&String, &Value)> = schemas.iter().filter(|(name, _)| name.starts_with("Fault.")).collect();
    let of_links = Effect::ALL.iter().filter(|facts| facts.level.is_of_plain_links());
    let names: BTreeSet<String> = of_links.map(|facts| format!("Fault.{}", facts.name)).collect();
    assert_eq!(faults.iter().map(|(name, _)| (*name).clone()).collect::<BTreeSet<_>>(), names);
    for (name, schema) in faults {
        let fault = &schema["examples"][0];
        let (link, protocol) = match fault["on"].as_str().unwrap() {
            LINK => (link(), Protocol::REDIS),
            _ => (Link { from: Endpoint::Client, to: "gateway".to_owned(), label: None }, Protocol::HTTP),
        };
        let (system, host) = System::memory_with(link.clone(), protocol);
        let this = Documented { document: document.clone(), caller: system.steered_from(&host), seen: BTreeSet::new() };
        let place = format!("{}/messages", this.caller.lease("me", 1000 * MS).await.unwrap());
        let message = |fault: &Value| json!({ "link": link.to_string(), "message": { "apply": fault } });
        for needed in schema["required"].as_array().unwrap() {
            let mut without = fault.clone();
            without.as_object_mut().unwrap().remove(needed.as_str().unwrap());
            let (status, answer) = this.caller.call(Method::POST, &place, message(&without)).await;
            assert_eq!(status, 422, "{name} without {needed}: {answer}");
        }
        this.holds(&schemas["Send"], &message(fault));
        let answer = this.caller.call(Method::POST, &place, message(fault)).await;
        assert_eq!(answer, (http::StatusCode::OK, json!("done")), "{name}");
        // It is shown as it was sent.
        let shown = this.caller.get("/v2/links").await["links"][0]["faults"][0]["fault"].clone();
        this.holds(&schemas["Fault"], &shown);
        assert_eq!((&shown["name"], &shown["effect"]), (&fault["name"], &fault["effect"]), "{name}");
    }
}
