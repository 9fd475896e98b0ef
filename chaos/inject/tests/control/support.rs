//! A system of one service behind one proxy, its control server, and whoever steers.

use bytes::Bytes;
use chaos_inject::{
    Controlled, Links, Proxy, ProxyConfig,
    control::{ServeConfig, Token, serve},
};
use chaos_model::{Effect, Endpoint, Fault, Link, Protocol, Target, language::json::write_fault};
use host::{Host, Settings, Stream, Task, http as host_http, memory::MemoryNetwork};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use std::{io, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const LINK: &str = "gateway -> redis";
pub(crate) const TOKEN: [u8; 32] = [7; 32];
/// Connections that the control server has at once.
pub(crate) const PLACES: usize = 16;

pub(crate) struct System {
    /// Machine on which the proxy and its control server run.
    pub(crate) proxies: Host,
    pub(crate) serving: Task<()>,
    names: &'static str,
    control: u16,
    proxy: u16,
}

impl System {
    /// In memory; and a machine for whoever steers.
    pub(crate) fn memory() -> (Self, Host) {
        let network = MemoryNetwork::new(1);
        let (proxies, _) = network.node("proxies", Settings::default());
        (Self::start(proxies, &network.host("service"), "proxies", "service"), network.host("runner"))
    }

    /// The same with another link, whose service is said to speak this.
    pub(crate) fn memory_with(link: Link, protocol: Protocol) -> (Self, Host) {
        let network = MemoryNetwork::new(1);
        let (proxies, _) = network.node("proxies", Settings::default());
        let names = ("proxies", "service");
        (Self::start_with((link, protocol), proxies, &network.host("service"), names), network.host("runner"))
    }

    /// On machines that are called so.
    pub(crate) fn start(proxies: Host, service: &Host, names: &'static str, service_name: &str) -> Self {
        Self::start_with((link(), Protocol::TCP), proxies, service, (names, service_name))
    }

    fn start_with(
        (link, protocol): (Link, Protocol),
        proxies: Host,
        service: &Host,
        (names, service_name): (&'static str, &str),
    ) -> Self {
        let config = ProxyConfig { link: link.clone(), protocol, seed: 0, nonce: None, most_connections: None };
        let proxy = Proxy::start(&proxies, proxies.listen(0).unwrap(), config);
        proxy.point_at(service_name, echo(service));
        let listener = proxies.listen(0).unwrap();
        let (control, port) = (listener.port(), proxy.port());
        let controlled =
            Controlled { link, protocol, listen: format!("{names}:{port}"), target: "service:7".to_owned(), proxy };
        let host = proxies.clone();
        let config = ServeConfig { token: Token::new(TOKEN), most_connections: PLACES, patience: 5000 * MS };
        let serving =
            proxies.spawn(async move { serve(&host, listener, Links::of(vec![controlled]).into(), config).await });
        Self { proxies, serving, names, control, proxy: port }
    }

    /// Somebody on this machine who has the token.
    pub(crate) fn steered_from<'s>(&'s self, host: &Host) -> Caller<'s> {
        let client = host_http::client(host, host_http::ClientConfig::default());
        Caller { system: self, client, token: Some(Token::new(TOKEN).reveal().to_owned()) }
    }

    /// A connection to the control server.
    pub(crate) async fn knock(&self, from: &Host) -> Stream {
        from.dial(self.names, self.control).await.unwrap()
    }

    /// A connection through the proxy.
    pub(crate) async fn dial(&self, from: &Host) -> io::Result<Stream> {
        from.dial(self.names, self.proxy).await
    }

    /// The time that a byte takes to the service and back, on a connection of its own.
    pub(crate) async fn round_trip(&self, from: &Host) -> io::Result<Duration> {
        let began = tokio::time::Instant::now();
        let mut stream = self.dial(from).await?;
        ask(&mut stream).await?;
        Ok(began.elapsed())
    }
}

/// Somebody who steers.
pub(crate) struct Caller<'s> {
    system: &'s System,
    client: host_http::Client<Full<Bytes>>,
    pub(crate) token: Option<String>,
}

impl Caller<'_> {
    /// Sends a request; gives the status, the headers and the body.
    pub(crate) async fn raw(&self, method: Method, path: &str, body: String) -> (http::response::Parts, Bytes) {
        let uri = format!("http://{}:{}{path}", self.system.names, self.system.control);
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = self.client.request(request.body(Full::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts, body.collect().await.unwrap().to_bytes())
    }

    /// Sends a request whose body does not come; gives the status and the body of the response.
    pub(crate) async fn slow(&self, from: &Host, method: &Method, path: &str) -> (u16, Bytes) {
        let mut stream = self.system.knock(from).await;
        let token = self.token.as_deref().unwrap_or_default();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 9\r\n");
        stream.write_all(format!("{head}connection: close\r\n\r\n{{").as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head["HTTP/1.1 ".len()..][..3].parse().unwrap(), body.to_owned().into())
    }

    /// The status and the body, which is JSON where there is one.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (parts, body) = self.raw(method, path, body).await;
        (parts.status, if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() })
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Takes a lease; gives its path.
    pub(crate) async fn lease(&self, holder: &str, ttl: Duration) -> Result<String, (StatusCode, Value)> {
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap();
        let wanted = json!({ "holder": holder, "ttl_ms": ttl_ms, "seed": 1 });
        let (status, body) = self.call(Method::POST, "/v2/lease", wanted).await;
        if status != 201 {
            return Err((status, body));
        }
        assert_eq!(body["ttl_ms"], ttl_ms);
        Ok(format!("/v2/lease/{}", body["id"].as_str().unwrap()))
    }

    pub(crate) async fn send(&self, lease: &str, message: Value) -> (StatusCode, Value) {
        let body = json!({ "link": LINK, "message": message });
        self.call(Method::POST, &format!("{lease}/messages"), body).await
    }

    pub(crate) async fn apply(&self, lease: &str, name: &str, effect: impl Into<Effect>) {
        let answer = self.send(lease, json!({ "apply": words(&fault(name, effect)) })).await;
        assert_eq!(answer, (StatusCode::OK, json!("done")));
    }

    pub(crate) async fn renew(&self, lease: &str) -> StatusCode {
        self.call(Method::PUT, lease, Value::Null).await.0
    }

    pub(crate) async fn give_up(&self, lease: &str) -> StatusCode {
        self.call(Method::DELETE, lease, Value::Null).await.0
    }

    pub(crate) async fn remove(&self, lease: &str, fault: &str) -> (StatusCode, Value) {
        self.send(lease, json!({ "remove": { "fault": fault } })).await
    }
}

/// The kind of problem that was answered.
pub(crate) fn kind((status, body): &(StatusCode, Value)) -> (u16, &str) {
    let kind = body["type"].as_str().unwrap_or_else(|| panic!("{status} {body} is no problem"));
    assert_eq!(body["status"], status.as_u16());
    (status.as_u16(), kind.rsplit(':').next().unwrap_or_default())
}

pub(crate) fn link() -> Link {
    Link { from: Endpoint::Service("gateway".to_owned()), to: "redis".to_owned(), label: None }
}

/// A fault in the words of scenarios.
pub(crate) fn words(fault: &Fault) -> Value {
    write_fault(fault)
}

pub(crate) fn fault(name: &str, effect: impl Into<Effect>) -> Fault {
    Fault::new(name, Target::Link(link()), effect)
}

/// Sends a byte and waits for it to come back.
pub(crate) async fn ask(stream: &mut Stream) -> io::Result<()> {
    stream.write_all(b"?").await?;
    stream.read_exact(&mut [0]).await.map(drop)
}

/// Starts a service that sends back what it gets; its port.
fn echo(service: &Host) -> u16 {
    let mut listener = service.listen(0).unwrap();
    let (port, host) = (listener.port(), service.clone());
    drop(service.spawn(async move {
        while let Ok(mut stream) = listener.accept().await {
            drop(host.spawn(async move {
                let (mut read, mut write) = stream.split();
                // Until the client goes, however it goes.
                let _ = tokio::io::copy(&mut read, &mut write).await;
            }));
        }
    }));
    port
}
