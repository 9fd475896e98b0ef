//! The OpenAPI document and the page that shows it: what the gateway really answers is held against the document.

use crate::support::{Behaviour, Mood, Response, World};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const PROFILE: &str = "/api/profile/{user_id}";

/// Headers of HTTP itself.
const PLAIN: [&str; 3] = ["content-type", "content-length", "vary"];

/// The document, and what was seen of it: the names of headers by path and status.
struct Document {
    json: Value,
    seen: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Document {
    async fn of(world: &World) -> Self {
        let response = world.get("/openapi.json").await;
        assert_eq!(response.text, include_str!("../../openapi.json"));
        let mut this = Self { json: response.json(), seen: BTreeMap::new() };
        this.json["components"]["schemas"].as_object_mut().unwrap().iter_mut().for_each(|(name, schema)| {
            // What services say is passed on; what is known of a component, and a problem, are part of other schemas.
            if !["User", "Order", "Product", "Seen", "Problem"].contains(&name.as_str()) && schema["type"] != "string" {
                schema["unevaluatedProperties"] = false.into();
            }
        });
        this.holds("/openapi.json", &response);
        this
    }

    /// The document told of this response: of its status, its headers, and everything that its body says.
    fn holds(&mut self, path: &str, response: &Response) {
        let responses = &self.json["paths"][path]["get"]["responses"];
        let mut status = response.status.as_str();
        if responses[status].is_null() {
            status = "default";
        }
        let promise = &responses[status];
        let headers: BTreeSet<String> =
            response.headers.keys().map(ToString::to_string).filter(|name| !PLAIN.contains(&name.as_str())).collect();
        let documented = documented(promise);
        assert!(headers.is_subset(&documented), "{path} {status}: {headers:?} not in {documented:?}");
        self.seen.entry((path.to_owned(), status.to_owned())).or_default().extend(headers);
        let content = &promise["content"];
        if content.is_null() {
            assert_eq!(response.text, "", "{path} {status}");
            return;
        }
        let mut schema = content[response.header("content-type")]["schema"].clone();
        assert!(!schema.is_null(), "{path} {status}: {} not in {content}", response.header("content-type"));
        if response.header("content-type") == "application/problem+json" {
            schema["unevaluatedProperties"] = false.into();
        }
        schema["components"] = self.json["components"].clone();
        let body =
            if response.header("content-type").contains("json") { response.json() } else { json!(response.text) };
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{path} {status}: {errors:#?} in {body:#}");
    }

    /// Nothing is documented that was never seen.
    fn all_was_seen(&self) {
        for (path, item) in self.json["paths"].as_object().unwrap() {
            for (status, response) in item["get"]["responses"].as_object().unwrap() {
                let seen = self.seen.get(&(path.clone(), status.clone()));
                assert_eq!(seen, Some(&documented(response)), "{path} {status}");
            }
        }
    }
}

fn documented(response: &Value) -> BTreeSet<String> {
    response["headers"].as_object().into_iter().flatten().map(|(name, _)| name.to_lowercase()).collect()
}

async fn complete_and_partial(document: &mut Document) {
    let world = World::start(&[]).await;
    let fresh = world.get("/api/profile/42").await;
    assert_eq!(fresh.at("/partial"), json!(false));
    document.holds(PROFILE, &fresh);
    world.settle().await;
    let cached = world.get("/api/profile/42").await;
    assert_eq!(cached.at("/meta/parts/user/source"), "redis");
    document.holds(PROFILE, &cached);
    let known = world.get_with("/api/profile/42", &[("if-none-match", cached.header("etag"))]).await;
    assert_eq!(known.status, 304);
    document.holds(PROFILE, &known);
    let other = world.get_with("/api/profile/42", &[("if-match", cached.header("etag"))]).await;
    assert_eq!(other.status, 412);
    document.holds(PROFILE, &other);
    tokio::time::sleep(Duration::from_secs(31)).await;
    world.user.becomes(Behaviour::Hang);
    let stale = world.get("/api/profile/42").await;
    assert_eq!(stale.at("/meta/parts/user/state"), "stale");
    document.holds(PROFILE, &stale);
    world.user.becomes(Behaviour::Good);
    *world.order.ids.lock().unwrap() = ["p1", "hole1", "gone1"].map(str::to_owned).to_vec();
    let holes = world.get("/api/profile/43").await;
    assert_eq!(holes.at("/errors/0/missing_ids"), json!(["hole1"]));
    document.holds(PROFILE, &holes);
    world.order.becomes(Behaviour::Status(500));
    let partial = world.get("/api/profile/44").await;
    assert_eq!(partial.at("/meta/parts/products/state"), "skipped");
    document.holds(PROFILE, &partial);
    document.holds("/metrics", &world.get("/metrics").await);
}

async fn failures(document: &mut Document) {
    let world = World::start_with(&[("GATEWAY_CACHE", "off"), ("GATEWAY_BREAKER_MINIMUM", "10")], Mood::Good);
    for (status, behaviour) in [(504, Behaviour::Hang), (502, Behaviour::Status(500))] {
        world.user.becomes(behaviour.clone());
        world.order.becomes(behaviour);
        let failed = world.get("/api/profile/42").await;
        assert_eq!(failed.status, status);
        document.holds(PROFILE, &failed);
    }
    for _ in 0..20 {
        let failed = world.get("/api/profile/42").await;
        document.holds(PROFILE, &failed);
        if failed.status == 503 {
            break;
        }
    }
    document.holds("/health", &world.get("/health").await);
    world.user.freeze();
    world.order.freeze();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let down = world.get("/health").await;
    assert_eq!((down.status.as_u16(), down.at("/type")), (503, json!("urn:problem-type:gateway:unhealthy")));
    document.holds("/health", &down);
}

async fn refusals(document: &mut Document) {
    let limits = [("GATEWAY_CLIENT_RATE", "1"), ("GATEWAY_CLIENT_BURST", "5"), ("GATEWAY_MAX_REQUESTS", "1")];
    let world = World::start_with(&limits, Mood::Silent);
    let second = Duration::from_secs(1);
    for (status, response) in [
        (400, world.get("/api/profile/x").await),
        (404, world.get("/api/profile/900").await),
        (405, world.post("/api/profile/42", Vec::new()).await),
        (413, world.get_with_body("/api/profile/42", vec![0; 20_000]).await),
    ] {
        assert_eq!(response.status, status);
        document.holds(PROFILE, &response);
    }
    world.user.becomes(Behaviour::Slow(second / 5));
    let meanwhile = async {
        tokio::time::sleep(second / 10).await;
        (world.get("/health/ready").await, world.get("/api/profile/42").await, world.get("/api/profile/42").await)
    };
    let (_, (unready, shed, limited)) = tokio::join!(world.get("/api/profile/42"), meanwhile);
    assert_eq!([unready.status, shed.status, limited.status].map(|status| status.as_u16()), [503, 503, 429]);
    document.holds("/health/ready", &unready);
    document.holds(PROFILE, &shed);
    document.holds(PROFILE, &limited);
    document.holds("/health/ready", &world.get("/health/ready").await);
    document.holds("/health/live", &world.get("/health/live").await);
    for path in ["/health", "/health/live", "/health/ready", "/metrics", "/openapi.json"] {
        document.holds(path, &world.post(path, Vec::new()).await);
    }
}

async fn tokens(document: &mut Document) {
    let (world, token) = crate::auth::guarded();
    let bearer = format!("Bearer {token}");
    let with = [("authorization", bearer.as_str())];
    for (status, response) in [
        (200, world.get_with("/api/profile/42", &with).await),
        (401, world.get("/api/profile/42").await),
        (403, world.get_with("/api/profile/43", &with).await),
        (406, world.get_with("/api/profile/42", &[with[0], ("accept-encoding", "identity;q=0")]).await),
    ] {
        assert_eq!(response.status, status);
        document.holds(PROFILE, &response);
    }
}

#[tokio::test(start_paused = true)]
async fn the_document_tells_of_all_that_is_answered_and_of_nothing_else() {
    let mut document = Document::of(&World::start_with(&[], Mood::Good)).await;
    complete_and_partial(&mut document).await;
    failures(&mut document).await;
    refusals(&mut document).await;
    tokens(&mut document).await;
    document.all_was_seen();
}

#[cfg(feature = "docs")]
#[tokio::test(start_paused = true)]
async fn the_page_has_all_that_it_needs_and_reaches_no_other_host() {
    let world = World::start_with(&[], Mood::Good);
    let page = world.get("/docs").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"));
    let start = world.get("/docs/start.js").await.text;
    assert!(!page.text.contains("//") && !start.contains("://"), "{} {start}", page.text);
    let mut linked = page.text.split('"').filter(|part| part.starts_with("docs/")).collect::<Vec<_>>();
    linked.sort_unstable();
    assert_eq!(linked, ["docs/favicon-32x32.png", "docs/start.js", "docs/swagger-ui-bundle.js", "docs/swagger-ui.css"]);
    for path in linked {
        let file = world.get(&format!("/{path}")).await;
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.header("content-encoding"), if path.ends_with("start.js") { "" } else { "gzip" });
    }
    for other in ["index.html", "swagger-initializer.js", "..%2fopenapi.json", "%ff", "nothing"] {
        let response = world.get(&format!("/docs/{other}")).await;
        assert!(matches!(response.status.as_u16(), 400 | 404), "{other}: {}", response.status);
        assert_eq!(response.header("content-type"), "application/problem+json", "{other}");
    }
    assert_eq!(world.metric("http_requests_total{route=\"/docs/{*file}\",status=\"200\"}").await, 5.0);
}
