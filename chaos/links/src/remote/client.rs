//! The client of the control server: what it says, in the words of the messages.

use chaos_inject::{
    Message, Reply,
    control::{Granted, LinkState, LinkStates, PREFIX, Problem, Send, Token, Wanted, WireMessage},
};
use chaos_run::Address;
use host::{
    Host,
    http::{Client, ClientConfig},
};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Time that a response may take: as long as the run waits for a fault to be switched.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time that a connection may idle between two requests: less than the server has patience for.
const IDLE: Duration = Duration::from_secs(1);
/// The largest response that is read: a ledger of ten thousand injections has some two million bytes.
const LARGEST: usize = 32 << 20;

/// The reason that something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum ControlError {
    /// The server said so.
    #[error("{0}")]
    Refused(Problem),
    /// There is no server, or none of this kind.
    #[error("{0}")]
    Unreachable(String),
}

/// Somebody who steers.
pub(super) struct ControlClient {
    client: Client<Full<bytes::Bytes>>,
    host: Host,
    address: Address,
    authorization: String,
}

impl ControlClient {
    pub(super) fn new(host: &Host, address: Address, token: &Token) -> Self {
        let client = host::http::client(host, ClientConfig { idle_timeout: IDLE, ..ClientConfig::default() });
        Self { client, host: host.clone(), address, authorization: format!("Bearer {}", token.reveal()) }
    }

    pub(super) async fn links(&self) -> Result<Vec<LinkState>, ControlError> {
        let body = self.call(Method::GET, "/links", String::new(), PATIENCE).await?;
        read::<LinkStates>(&body).map(|states| states.links)
    }

    pub(super) async fn take(&self, wanted: &Wanted) -> Result<String, ControlError> {
        let body = self.call(Method::POST, "/lease", json(wanted), PATIENCE).await?;
        read::<Granted>(&body).map(|granted| granted.id)
    }

    pub(super) async fn renew(&self, lease: &str, patience: Duration) -> Result<(), ControlError> {
        self.call(Method::PUT, &format!("/lease/{lease}"), String::new(), patience).await.map(drop)
    }

    pub(super) async fn give_up(&self, lease: &str) -> Result<(), ControlError> {
        self.call(Method::DELETE, &format!("/lease/{lease}"), String::new(), PATIENCE).await.map(drop)
    }

    pub(super) async fn send(&self, lease: &str, link: &str, message: Message) -> Result<Reply, ControlError> {
        let body = json(&Send { link: link.to_owned(), message: WireMessage::of(&message) });
        read(&self.call(Method::POST, &format!("/lease/{lease}/messages"), body, PATIENCE).await?)
    }

    async fn call(
        &self,
        method: Method,
        route: &str,
        body: String,
        patience: Duration,
    ) -> Result<bytes::Bytes, ControlError> {
        let path = &format!("{PREFIX}{route}");
        let unreachable = |why: String| ControlError::Unreachable(format!("{} {path}: {why}", self.address));
        let asked = tokio::time::timeout(patience, self.ask(method, path, body));
        let late = |_| unreachable(format!("no response in {} ms", patience.as_millis()));
        let (status, body) = asked.await.map_err(late)?.map_err(unreachable)?;
        if status.is_success() {
            return Ok(body);
        }
        match Problem::read(&body) {
            Some(Problem::NoSuchRoute) => Err(unreachable(
                "these proxies are of another release, whose control API is none that this one speaks".to_owned(),
            )),
            Some(problem) => Err(ControlError::Refused(problem)),
            None => Err(unreachable(format!("it answered {status}, as no control server does"))),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: String) -> Result<(StatusCode, bytes::Bytes), String> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", authority(&self.address)))
            .header(header::AUTHORIZATION, &self.authorization)
            .body(Full::from(body))
            .map_err(|error| error.to_string())?;
        let response = self.client.request(request).await.map_err(|error| root(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST).collect().await.map_err(|error| error.to_string())?;
        Ok((status, body.to_bytes()))
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }
}

/// The address as it stands in a URL.
fn authority(Address { host, port }: &Address) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The words of the machine: what is around them says only that something failed.
fn root(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn json<T: serde::Serialize>(value: &T) -> String {
    // Maps of strings, and strings and numbers, are JSON.
    serde_json::to_string(value).unwrap_or_default()
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    let other = |error| ControlError::Unreachable(format!("the control server of another version: {error}"));
    serde_json::from_slice(body).map_err(other)
}
