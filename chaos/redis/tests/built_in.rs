//! What only the built-in Redis can be asked: exact times on a paused clock, its limits, and its end.

use bytes::BytesMut;
use chaos_redis::{Config, Error, codec::Request};
use host::{Connection, Halves, Host, Listener, Settings, Stream, memory::MemoryNetwork};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    time::timeout,
};

struct Running {
    network: MemoryNetwork,
    server: Host,
    task: host::Task<Result<(), Error>>,
}

/// Runs the program on a node called `redis` with these settings.
fn start(settings: &[(&str, &str)]) -> Running {
    let network = MemoryNetwork::new(0);
    let (server, _) = network.node("redis", Settings::from_iter(settings.iter().copied()));
    let task = server.spawn(chaos_redis::run(server.clone()));
    Running { network, server, task }
}

impl Running {
    async fn dial(&self) -> Stream {
        // The program may not have come as far as listening.
        for _ in 0..100 {
            match self.network.host("client").dial("redis", 6379).await {
                Ok(stream) => return stream,
                Err(_) => tokio::task::yield_now().await,
            }
        }
        panic!("nobody listens");
    }
}

async fn ask(stream: &mut Stream, line: &str, reply: &str) {
    let mut request = BytesMut::new();
    Request::encode(&line.split(' ').collect::<Vec<_>>(), &mut request);
    stream.write_all(&request).await.expect("the server reads");
    let mut read = vec![0; reply.len()];
    let whole = timeout(Duration::from_secs(5), stream.read_exact(&mut read)).await;
    assert!(matches!(whole, Ok(Ok(_))), "{line}: {}", read.escape_ascii());
    assert_eq!(String::from_utf8_lossy(&read), reply, "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_key_lives_exactly_as_long_as_it_should() {
    let running = start(&[]);
    let mut stream = running.dial().await;
    ask(&mut stream, "SET a 1 EX 30", "+OK\r\n").await;
    ask(&mut stream, "PTTL a", ":30000\r\n").await;
    tokio::time::sleep(Duration::from_millis(30_000)).await;
    ask(&mut stream, "PTTL a", ":0\r\n").await;
    ask(&mut stream, "GET a", "$1\r\n1\r\n").await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    ask(&mut stream, "PTTL a", ":-2\r\n").await;
    ask(&mut stream, "GET a", "$-1\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn expired_keys_are_swept_within_a_second_also_behind_a_far_deadline() {
    let running = start(&[]);
    let mut stream = running.dial().await;
    ask(&mut stream, "SET far 1 EX 1000000", "+OK\r\n").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    for n in 0..1000 {
        ask(&mut stream, &format!("SET key{n} 1 PX {}", 1 + n % 5), "+OK\r\n").await;
    }
    ask(&mut stream, "DBSIZE", ":1001\r\n").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    ask(&mut stream, "DBSIZE", ":1\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_and_expiry_makes_room() {
    let running = start(&[("REDIS_MAXMEMORY", "100000")]);
    let mut stream = running.dial().await;
    let value = "v".repeat(10_000);
    for n in 0..9 {
        ask(&mut stream, &format!("SET {n} {value} PX 5000"), "+OK\r\n").await;
    }
    let oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    ask(&mut stream, &format!("SET 9 {value}"), oom).await;
    ask(&mut stream, "SET small 1", "+OK\r\n").await;
    ask(&mut stream, "CONFIG GET maxmemory", "*2\r\n$9\r\nmaxmemory\r\n$6\r\n100000\r\n").await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    ask(&mut stream, &format!("SET 9 {value}"), "+OK\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_request_far_beyond_the_memory_ends_its_connection() {
    let running = start(&[("REDIS_MAXMEMORY", "100000")]);
    let mut stream = running.dial().await;
    stream.write_all(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5000000\r\n").await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert_eq!(reply, "-ERR Protocol error: too big request\r\n");
}

#[tokio::test(start_paused = true)]
async fn shutdown_closes_connections_and_returns() {
    let running = start(&[("REDIS_PASSWORD", "sesame")]);
    let mut stream = running.dial().await;
    ask(&mut stream, "PING", "-NOAUTH Authentication required.\r\n").await;
    ask(&mut stream, "AUTH sesame", "+OK\r\n").await;
    running.server.shutdown().cancel();
    assert_eq!(stream.read(&mut [0; 10]).await.unwrap(), 0);
    assert!(matches!(running.task.await, Ok(Ok(()))));
    let refused = running.network.host("client").dial("redis", 6379).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test(start_paused = true)]
async fn clients_beyond_the_limit_are_told_so() {
    let network = MemoryNetwork::new(0);
    let server = network.host("redis");
    let config = Config { max_clients: 1, ..Config::default() };
    drop(server.spawn(chaos_redis::serve(server.clone(), server.listen(6379).unwrap(), config)));
    let client = network.host("client");
    let mut first = client.dial("redis", 6379).await.unwrap();
    ask(&mut first, "PING", "+PONG\r\n").await;
    let mut second = client.dial("redis", 6379).await.unwrap();
    let mut reply = String::new();
    second.read_to_string(&mut reply).await.unwrap();
    assert_eq!(reply, "-ERR max number of clients reached\r\n");
    drop(first);
    tokio::time::sleep(Duration::from_millis(1)).await;
    ask(&mut client.dial("redis", 6379).await.unwrap(), "PING", "+PONG\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn replies_to_a_pipeline_are_one_write() {
    let network = MemoryNetwork::new(0);
    let server = network.host("redis");
    let writes = Arc::new(AtomicUsize::new(0));
    let listener = Listener::new(CountingAccept { inner: server.listen(6379).unwrap(), writes: Arc::clone(&writes) });
    drop(server.spawn(chaos_redis::serve(server.clone(), listener, Config::default())));
    let mut stream = network.host("client").dial("redis", 6379).await.unwrap();
    stream.write_all(&b"SET a 1\r\nGET a\r\n".repeat(100)).await.unwrap();
    let mut replies = vec![0; b"+OK\r\n$1\r\n1\r\n".len() * 100];
    stream.read_exact(&mut replies).await.unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), 1);
    ask(&mut stream, "PING", "+PONG\r\n").await;
    assert_eq!(writes.load(Ordering::Relaxed), 2);
}

struct CountingAccept {
    inner: Listener,
    writes: Arc<AtomicUsize>,
}

impl host::Accept for CountingAccept {
    fn accept(&mut self) -> Pin<Box<dyn Future<Output = io::Result<Stream>> + Send + '_>> {
        Box::pin(async {
            let inner = self.inner.accept().await?;
            Ok(Stream::new(Counting { inner, writes: Arc::clone(&self.writes) }))
        })
    }

    fn port(&self) -> u16 {
        self.inner.port()
    }

    fn control(&self) -> Arc<dyn host::Control> {
        self.inner.control()
    }
}

/// Counts writes.
struct Counting {
    inner: Stream,
    writes: Arc<AtomicUsize>,
}

impl Connection for Counting {
    fn split(&mut self) -> Halves<'_> {
        self.inner.split()
    }

    fn abort(self: Box<Self>) {
        self.inner.abort();
    }

    fn peer(&self) -> String {
        self.inner.peer()
    }
}

impl AsyncRead for Counting {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
