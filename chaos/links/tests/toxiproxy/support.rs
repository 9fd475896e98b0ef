//! A server of the API, callers of it, and services behind its proxies.

use chaos_links::{Bounds, HostAt, ToxiproxyConfig, ToxiproxyServer, reach};
use host::{Host, Settings, Stream, Task, tcp};
use serde_json::{Value as Json, json};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

pub(crate) const MS: Duration = Duration::from_millis(1);

/// No step of a test takes so long, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server that listens, and the machine of those who use it.
pub(crate) struct Server {
    pub(crate) host: Host,
    port: u16,
    shutdown: CancellationToken,
    serving: Task<Result<(), String>>,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Response {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that it is an error of this status, whose words begin like this.
    pub(crate) fn is_error(&self, status: u16, words: &str) {
        let json = self.json();
        assert_eq!((self.status, &json["status"]), (status, &json!(status)), "{self:?}");
        assert!(json["error"].as_str().unwrap().starts_with(words), "{self:?}");
        assert!(self.head.contains("\r\nx-toxiproxy-request-id: "), "{self:?}");
    }
}

fn hosts(shutdown: CancellationToken) -> HostAt {
    Box::new(move |bind: IpAddr, reserve| {
        tcp::host(tcp::Config {
            name: "proxies".to_owned(),
            bind,
            seed: 1,
            settings: Settings::default(),
            shutdown: shutdown.clone(),
            reserve,
        })
    })
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(Bounds::default(), ToxiproxyConfig { seed: 1, ..ToxiproxyConfig::default() })
    }

    pub(crate) fn with(bounds: Bounds, config: ToxiproxyConfig) -> Self {
        let (shutdown, host) = (CancellationToken::new(), tcp::host(tcp::Config::loopback("client")).unwrap());
        let listen: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let at = hosts(shutdown.clone());
        let server = ToxiproxyServer::open(listen, at, bounds, reach::resolve_here(), Some(1024)).unwrap();
        let port = server.port();
        let serving = host.spawn(server.serve(config));
        Self { host, port, shutdown, serving }
    }

    /// Ends it; what it says at its end.
    pub(crate) async fn stop(self) -> Result<(), String> {
        self.shutdown.cancel();
        timeout(PATIENCE, self.serving).await.unwrap().unwrap()
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller { host: self.host.clone(), port: self.port }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Json) -> Response {
        self.caller().call(method, path, body).await
    }

    /// The same with other headers, and a body that may be no JSON.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Response {
        self.caller().send(method, path, headers, body).await
    }

    /// Makes a proxy before a service; its port.
    pub(crate) async fn proxy(&self, name: &str, service: u16) -> u16 {
        let body = json!({ "name": name, "listen": "127.0.0.1:0", "upstream": format!("127.0.0.1:{service}") });
        let made = self.call("POST", "/proxies", body).await;
        assert_eq!(made.status, 201, "{made:?}");
        port(&made.json())
    }

    /// Puts a toxic on a proxy.
    pub(crate) async fn toxic(&self, proxy: &str, toxic: Json) -> Json {
        let made = self.call("POST", &format!("/proxies/{proxy}/toxics"), toxic).await;
        assert_eq!(made.status, 200, "{made:?}");
        made.json()
    }

    pub(crate) async fn removed(&self, proxy: &str, toxic: &str) {
        assert_eq!(self.call("DELETE", &format!("/proxies/{proxy}/toxics/{toxic}"), Json::Null).await.status, 204);
    }

    pub(crate) async fn dial(&self, port: u16) -> Stream {
        self.host.dial("127.0.0.1", port).await.unwrap()
    }

    /// Starts a service that sends back what it gets; its port.
    pub(crate) fn echo(&self) -> u16 {
        self.service(|mut stream| async move {
            let (mut read, mut write) = stream.split();
            if tokio::io::copy(&mut read, &mut write).await.is_ok() {
                let _ = write.shutdown().await;
            }
        })
    }

    /// Starts a service that does this with each connection; its port.
    pub(crate) fn service<F>(&self, serve: fn(Stream) -> F) -> u16
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut listener = self.host.listen(0).unwrap();
        let (port, host) = (listener.port(), self.host.clone());
        drop(self.host.spawn(async move {
            while let Ok(stream) = listener.accept().await {
                drop(host.spawn(serve(stream)));
            }
        }));
        port
    }
}

/// Whoever sends requests.
#[derive(Clone)]
pub(crate) struct Caller {
    host: Host,
    port: u16,
}

impl Caller {
    pub(crate) async fn call(&self, method: &str, path: &str, body: Json) -> Response {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, "", &body).await
    }

    async fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Response {
        let mut stream = self.host.dial("127.0.0.1", self.port).await.unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n");
        stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).await.unwrap();
        let mut response = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut response)).await.unwrap().unwrap();
        let (head, text) = response.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Response { status, head: head.to_ascii_lowercase() + "\r\n", text: text.to_owned() }
    }
}

/// The port that a proxy's JSON says.
pub(crate) fn port(proxy: &Json) -> u16 {
    proxy["listen"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap()
}

/// Sends bytes and reads as many.
pub(crate) async fn ask(stream: &mut Stream, bytes: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(bytes).await?;
    let mut got = vec![0; bytes.len()];
    timeout(PATIENCE, stream.read_exact(&mut got)).await.expect("a response")?;
    Ok(got)
}

/// All that comes until the end, and the end: in good order, or not.
pub(crate) async fn rest(stream: &mut Stream) -> (Vec<u8>, Result<(), io::ErrorKind>) {
    let mut all = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("an end");
    (all, end.map(|_| ()).map_err(|error| error.kind()))
}

/// Asserts that nothing comes, nor an end.
pub(crate) async fn assert_silent(stream: &mut Stream) {
    let read = timeout(100 * MS, stream.read(&mut [0])).await;
    assert!(read.is_err(), "expected silence, got {read:?}");
}
