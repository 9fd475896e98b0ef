//! HTTP over the seam: server and client, and the end of a server.

use crate::world::{World, assert_reset, drain, soon, until};
use axum::{Extension, Router, extract::State, routing::get};
use bytes::Bytes;
use host::{
    Stream, Task,
    http::{Client, ClientConfig, ServerConfig, Trust, client, serve},
};
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, Response, StatusCode, body::Incoming};
use prometheus::IntCounter;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Notify,
};

/// Seen and steered by the tests.
#[derive(Clone, Default)]
struct Program {
    /// Requests that have reached `/slow`.
    started: Arc<AtomicUsize>,
    /// Lets one of them end.
    go_on: Arc<Notify>,
}

impl Program {
    fn router(&self) -> Router {
        let slow = async |State(program): State<Self>| {
            program.started.fetch_add(1, Ordering::SeqCst);
            program.go_on.notified().await;
            "slow"
        };
        let large = async || vec![b'x'; LARGE];
        let known = async |Extension(trust): Extension<Trust>| {
            trust.grant();
            "known"
        };
        let routes = Router::new().route("/", get(async || "hello")).route("/large", get(large));
        routes.route("/slow", get(slow)).route("/known", get(known)).with_state(self.clone())
    }

    /// Serves on a free port of the world's server.
    fn start(&self, world: &World, config: ServerConfig) -> (u16, Task<()>) {
        let listener = world.listen();
        let (port, host, router) = (listener.port(), world.server.clone(), self.router());
        (port, world.server.spawn(async move { serve(&host, listener, router, config).await }))
    }

    async fn reached(&self, count: usize) {
        until(|| self.started.load(Ordering::SeqCst) == count).await;
    }
}

/// Bytes of the response of `/large`: more than is under way on any network here.
const LARGE: usize = 16 << 20;

type Empties = Client<Empty<Bytes>>;

async fn ask(client: &Empties, world: &World, port: u16, path: &str) -> Result<Response<Incoming>, String> {
    let uri = format!("http://{}:{port}{path}", world.address);
    let request = Request::get(uri).body(Empty::new()).unwrap();
    client.request(request).await.map_err(|error| format!("{error:?}"))
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

pub(crate) async fn requests_go_round_and_connections_are_kept(world: World) {
    let (port, _server) = Program::default().start(&world, ServerConfig::default());
    let client = client(&world.client, ClientConfig::default());
    for _ in 0..10 {
        let response = ask(&client, &world, port, "/").await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(response).await, "hello");
    }
    assert_eq!(ask(&client, &world, port, "/nothing").await.unwrap().status(), StatusCode::NOT_FOUND);
    // The accept loop and a connection or two: one goes back to the pool a moment after its response.
    assert!(world.tasks.running() < 7, "{} tasks for 11 requests", world.tasks.running());
}

pub(crate) async fn a_request_under_way_ends_after_the_signal(world: World) {
    let program = Program::default();
    let (port, server) = program.start(&world, ServerConfig::default());
    let client = client(&world.client, ClientConfig::default());
    let asking = ask(&client, &world, port, "/slow");
    let stopping = async {
        program.reached(1).await;
        world.server.shutdown().cancel();
        // It listens no more, and waits for the request.
        let refused =
            |dialed: io::Result<_>| dialed.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        while !refused(world.dial(port).await) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(!server.is_finished());
        program.go_on.notify_one();
    };
    let (response, ()) = tokio::join!(asking, stopping);
    assert_eq!(text(response.unwrap()).await, "slow");
    server.await.unwrap();
    until(|| world.tasks.running() == 0).await;
}

pub(crate) async fn the_drain_has_an_end(world: World) {
    let program = Program::default();
    let config = ServerConfig { drain: Duration::from_millis(200), ..ServerConfig::default() };
    let (port, server) = program.start(&world, config);
    let client = client(&world.client, ClientConfig::default());
    let asking = ask(&client, &world, port, "/slow");
    let stopping = async {
        program.reached(1).await;
        let signal = tokio::time::Instant::now();
        world.server.shutdown().cancel();
        server.await.unwrap();
        let took = signal.elapsed();
        assert!(took >= Duration::from_millis(200) && took < Duration::from_secs(3), "{took:?}");
        // The connection's task ends with the drain.
        until(|| world.tasks.running() == 0).await;
    };
    let (response, ()) = tokio::join!(asking, stopping);
    assert!(response.is_err(), "the request is cut off");
}

pub(crate) async fn idle_and_fresh_connections_close_at_the_signal(world: World) {
    let (port, server) = Program::default().start(&world, ServerConfig::default());
    let mut idle = world.dial(port).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 15];
    idle.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    let mut fresh = world.dial(port).await.unwrap();
    until(|| world.tasks.running() == 3).await;
    let signal = tokio::time::Instant::now();
    world.server.shutdown().cancel();
    drain(&mut idle).await.1.unwrap();
    assert_eq!(drain(&mut fresh).await.0, b"");
    server.await.unwrap();
    assert!(signal.elapsed() < Duration::from_secs(1), "nothing was under way");
    until(|| world.tasks.running() == 0).await;
}

pub(crate) async fn a_slow_head_is_cut_off(world: World) {
    let config = ServerConfig { header_timeout: Duration::from_millis(200), ..ServerConfig::default() };
    let (port, server) = Program::default().start(&world, config);
    let mut slow = world.dial(port).await.unwrap();
    let mut silent = world.dial(port).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    drain(&mut slow).await.1.unwrap();
    assert_eq!(drain(&mut silent).await.0, b"");
    assert!(!server.is_finished());
    // Others are served meanwhile and afterwards.
    let client = client(&world.client, ClientConfig::default());
    assert_eq!(text(ask(&client, &world, port, "/").await.unwrap()).await, "hello");
}

pub(crate) async fn a_client_that_takes_nothing_is_reset(world: World) {
    let stalled = IntCounter::new("stalled", "connections").unwrap();
    let write_timeout = Duration::from_millis(400);
    let config = ServerConfig { write_timeout, stalled: Some(stalled.clone()), ..ServerConfig::default() };
    let (port, server) = Program::default().start(&world, config);
    let mut deaf = world.dial(port).await.unwrap();
    deaf.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(|| stalled.get() == 1).await;
    until(|| world.tasks.running() == 1).await;
    // What had arrived can be read, and then it is known to be no whole response.
    let (bytes, end) = drain(&mut deaf).await;
    assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\n") && bytes.len() < LARGE, "{} bytes", bytes.len());
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert!(!server.is_finished());
}

pub(crate) async fn a_client_that_reads_slowly_gets_all_of_it(world: World) {
    let stalled = IntCounter::new("stalled", "connections").unwrap();
    let write_timeout = Duration::from_secs(2);
    let config = ServerConfig { write_timeout, stalled: Some(stalled.clone()), ..ServerConfig::default() };
    let (port, _server) = Program::default().start(&world, config);
    let mut slow = world.dial(port).await.unwrap();
    slow.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let (mut piece, mut came) = (vec![0; LARGE / 40], 0);
    let start = tokio::time::Instant::now();
    loop {
        // Longer than the timeout in all, and never as long at a time.
        tokio::time::sleep(Duration::from_millis(80)).await;
        let (mut count, mut read) = (0, 1);
        while read > 0 && count < piece.len() {
            read = slow.read(&mut piece[count..]).await.unwrap();
            count += read;
        }
        came += count;
        if read == 0 {
            break;
        }
    }
    assert!(came > LARGE && start.elapsed() > write_timeout, "{came} bytes in {:?}", start.elapsed());
    assert_eq!(stalled.get(), 0);
}

/// Sends a request on a connection of its own and reads the response, of which this is the body.
async fn get_on(stream: &mut Stream, path: &str, body: &str) {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut response = Vec::new();
    while !response.ends_with(body.as_bytes()) {
        response.push(stream.read_u8().await.unwrap());
    }
}

pub(crate) async fn the_stranger_that_idled_for_longest_gives_way(world: World) {
    let config = ServerConfig { max_connections: 3, strangers_give_way: true, ..ServerConfig::default() };
    let (port, _server) = Program::default().start(&world, config);
    let mut known = world.dial(port).await.unwrap();
    get_on(&mut known, "/known", "known").await;
    let mut busy = world.dial(port).await.unwrap();
    get_on(&mut busy, "/", "hello").await;
    let mut idle = world.dial(port).await.unwrap();
    // The accept loop, and a task each.
    until(|| world.tasks.running() == 4).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    get_on(&mut busy, "/", "hello").await;
    let mut new = world.dial(port).await.unwrap();
    get_on(&mut new, "/known", "known").await;
    assert_eq!(drain(&mut idle).await.0, b"");
    get_on(&mut known, "/", "hello").await;
    get_on(&mut busy, "/known", "known").await;
    // Nobody is a stranger any more.
    match world.dial(port).await {
        Ok(mut stream) => assert_reset(&mut stream).await,
        // Over TCP it may show while it is being made.
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
    for known in [&mut known, &mut busy, &mut new] {
        get_on(known, "/", "hello").await;
    }
}

pub(crate) async fn an_abandoned_server_cuts_its_connections(world: World) {
    let (port, server) = Program::default().start(&world, ServerConfig::default());
    let mut open = world.dial(port).await.unwrap();
    until(|| world.tasks.running() == 2).await;
    server.abort();
    assert_eq!(drain(&mut open).await.0, b"");
    until(|| world.tasks.running() == 0).await;
}

pub(crate) async fn a_reset_in_mid_body_is_an_error(world: World) {
    let mut listener = world.listen();
    let port = listener.port();
    drop(world.server.spawn(async move {
        let mut stream = listener.accept().await.unwrap();
        let mut head = [0; 1024];
        let _ = stream.read(&mut head).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
        // What the client has not seen yet would be lost with the reset.
        let _ = soon(std::future::pending::<()>()).await;
        stream.abort();
    }));
    let client = client(&world.client, ClientConfig::default());
    let mut body = ask(&client, &world, port, "/").await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
    let error = body.frame().await.unwrap().unwrap_err();
    assert!(format!("{error:?}").contains("ConnectionReset"), "{error:?}");
}

pub(crate) async fn responses_carry_no_date(world: World) {
    let (port, _server) = Program::default().start(&world, ServerConfig::default());
    let client = client(&world.client, ClientConfig::default());
    let response = ask(&client, &world, port, "/").await.unwrap();
    assert!(response.headers().get("date").is_none());
}
