//! `--grafana URL`: a run's faults, phases and verdict as annotations of a Grafana.
//!
//! A thread of its own posts them, so that a Grafana that is slow, or away, holds up no run; what it did not take is
//! told at the end and changes no verdict.

use crate::machine::Machine;
use base64::Engine as _;
use bytes::Bytes;
use chaos_model::Record;
use chaos_report::annotations::{Annotation, Annotations, Step};
use host::{
    http::{Client, ClientConfig, client},
    tcp,
};
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use serde_json::{Value, json};
use std::{collections::BTreeMap, thread, time::Duration};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, timeout, timeout_at},
};

/// For one request.
const PATIENCE: Duration = Duration::from_secs(2);
/// For all that is left once the last run has ended.
const FAREWELL: Duration = Duration::from_secs(5);
/// Grafana's responses are short.
const LONGEST_RESPONSE: usize = 64 * 1024;

/// Posts what it is told.
pub(crate) struct Grafana {
    annotations: Annotations,
    steps: UnboundedSender<Step>,
    poster: thread::JoinHandle<Untaken>,
}

/// An error: Grafana did not take an annotation.
#[derive(Debug, Default)]
struct Untaken {
    steps: u64,
    first: Option<String>,
}

impl Untaken {
    fn before_all(why: impl std::fmt::Display) -> Self {
        Self { steps: 1, first: Some(why.to_string()) }
    }
}

/// Grafana's address, and the credentials for it.
struct Access {
    base: String,
    authorization: HeaderValue,
}

impl Grafana {
    /// Begins to post to this Grafana, with what the environment has of a token, or a user and a password.
    ///
    /// # Errors
    /// In words, for people: what is wrong with the command line or the environment.
    pub(crate) fn start(machine: &Machine, url: &str) -> Result<Self, String> {
        let access = Access::new(machine, url)?;
        let (steps, receiver) = unbounded_channel();
        let poster = thread::spawn(move || post_all(&access, receiver));
        Ok(Self { annotations: Annotations::default(), steps, poster })
    }

    /// Takes an event in.
    pub(crate) fn on(&mut self, record: &Record) {
        for step in self.annotations.on(record) {
            // The poster ends when this does.
            let _ = self.steps.send(step);
        }
    }

    /// Waits a while until all is posted. Gives what to tell, if there is anything.
    pub(crate) fn finish(self) -> Option<String> {
        drop(self.steps);
        let Untaken { steps, first } =
            self.poster.join().unwrap_or_else(|_| Untaken::before_all("what posts them has failed"));
        let first = first?;
        let annotations = if steps == 1 { "an annotation" } else { "annotations" };
        Some(format!("--grafana: {steps} {annotations} could not be posted: {first}"))
    }
}

impl Access {
    fn new(machine: &Machine, url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| format!("--grafana: `{url}` is no URL, as http://127.0.0.1:3000"))?;
        // Encryption would need a C compiler to build this with; who runs Grafana elsewhere has a tunnel or a proxy.
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(format!("--grafana: `{url}` must be http://…, as http://127.0.0.1:3000"));
        }
        let set = |name: &str| machine.env.get(name).filter(|value| !value.is_empty());
        let authorization = match (set("GRAFANA_TOKEN"), set("GRAFANA_USER"), set("GRAFANA_PASSWORD")) {
            (Some(token), ..) => format!("Bearer {token}"),
            (None, user, Some(password)) => {
                let user = user.map_or("admin", String::as_str);
                format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}")))
            }
            _ => return Err("--grafana: set GRAFANA_TOKEN, or GRAFANA_USER and GRAFANA_PASSWORD".to_owned()),
        };
        let mut authorization = HeaderValue::try_from(authorization)
            .map_err(|_| "--grafana: what GRAFANA_TOKEN is set to can stand in no header".to_owned())?;
        authorization.set_sensitive(true);
        Ok(Self { base: url.trim_end_matches('/').to_owned(), authorization })
    }
}

/// Posts until nobody tells it anything more, and then what is left, for a while.
fn post_all(access: &Access, mut steps: UnboundedReceiver<Step>) -> Untaken {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Untaken::before_all(error),
    };
    runtime.block_on(async {
        let host = match tcp::host(tcp::Config::loopback("annotations")) {
            Ok(host) => host,
            Err(error) => return Untaken::before_all(error),
        };
        let mut poster = Poster { access, client: client(&host, ClientConfig::default()), ids: BTreeMap::new() };
        let (mut untaken, mut until) = (Untaken::default(), None);
        while let Some(step) = steps.recv().await {
            if steps.is_closed() {
                until.get_or_insert(Instant::now() + FAREWELL);
            }
            let far = Instant::now() + PATIENCE;
            let result = timeout_at(until.map_or(far, |until| far.min(until)), poster.post(step)).await;
            if let Err(why) = result.unwrap_or_else(|_| Err(format!("{} does not answer", access.base))) {
                untaken.steps += 1;
                untaken.first.get_or_insert(why);
            }
        }
        untaken
    })
}

struct Poster<'a> {
    access: &'a Access,
    client: Client<Full<Bytes>>,
    /// Grafana's ids of the annotations that have no end yet.
    ids: BTreeMap<String, u64>,
}

impl Poster<'_> {
    async fn post(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Open(name, annotation) => {
                let id = self.ask(Method::POST, "/api/annotations", &annotation).await?;
                self.ids.insert(name, id);
            }
            Step::Close(name, annotation) => {
                // That it could not be opened is told already; now it can be posted whole.
                let Some(id) = self.ids.remove(&name) else {
                    return self.ask(Method::POST, "/api/annotations", &annotation).await.map(drop);
                };
                self.ask(Method::PATCH, &format!("/api/annotations/{id}"), &annotation).await?;
            }
            Step::Post(annotation) => {
                self.ask(Method::POST, "/api/annotations", &annotation).await?;
            }
        }
        Ok(())
    }

    /// Sends it, and gives the id that Grafana has for it (0 where it doesn't say).
    async fn ask(&self, method: Method, path: &str, annotation: &Annotation) -> Result<u64, String> {
        let Access { base, authorization } = self.access;
        let body = body(annotation).to_string();
        let request = Request::builder()
            .method(method)
            .uri(format!("{base}{path}"))
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .map_err(|error| error.to_string())?;
        let response = timeout(PATIENCE, self.client.request(request)).await;
        let response = response.map_err(|_| format!("{base} does not answer"))?;
        let response = response.map_err(|error| format!("{base}: {}", root(&error)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST_RESPONSE).collect().await;
        let body: Value = body.ok().and_then(|body| serde_json::from_slice(&body.to_bytes()).ok()).unwrap_or_default();
        if status.is_success() {
            return Ok(body["id"].as_u64().unwrap_or_default());
        }
        let said = body["message"].as_str().map(|message| format!(": {message}")).unwrap_or_default();
        Err(format!("{base} answers {status}{said}"))
    }
}

/// The body that Grafana's API of annotations wants:
/// <https://grafana.com/docs/grafana/latest/developers/http_api/annotations/>.
fn body(annotation: &Annotation) -> Value {
    let Annotation { from_ms, to_ms, tags, text } = annotation;
    let mut body = json!({ "time": from_ms, "tags": tags, "text": text });
    if let Some(to_ms) = to_ms {
        body["timeEnd"] = (*to_ms).into();
    }
    body
}

/// The root cause of an error: hyper's own words say only that something failed.
fn root(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), root)
}
