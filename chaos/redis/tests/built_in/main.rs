//! Tests of the built-in Redis alone: exact times on a paused clock, its limits, and its end.

mod counting;

use bytes::BytesMut;
use chaos_redis::{Config, Error, codec::Request};
use counting::{CountingAccept, CountingClock, Through};
use host::{Host, Listener, Parts, Settings, Stream, TaskGroup, memory::MemoryNetwork};
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
    time::timeout,
};
use tokio_util::sync::CancellationToken;

struct Running {
    network: MemoryNetwork,
    server: Host,
    task: host::Task<Result<(), Error>>,
}

/// Runs the program on a service called `redis` with these settings.
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
async fn an_idle_server_wakes_for_nothing() {
    let network = MemoryNetwork::new(0);
    let sleeps = Arc::new(AtomicUsize::new(0));
    let server = Host::new(Parts {
        name: "redis".to_owned(),
        network: Arc::new(Through(network.host("redis"))),
        clock: Arc::new(CountingClock(Arc::clone(&sleeps))),
        tasks: TaskGroup::default(),
        seed: 0,
        entropy: Ok,
        memory_limit: None,
        settings: Settings::default(),
        shutdown: CancellationToken::new(),
    });
    drop(server.spawn(chaos_redis::serve(server.clone(), server.listen(6379).unwrap(), Config::default())));
    let mut stream = network.host("client").dial("redis", 6379).await.unwrap();
    let hour = Duration::from_secs(3600);
    ask(&mut stream, "SET a 1", "+OK\r\n").await;
    tokio::time::sleep(hour).await;
    assert_eq!(sleeps.load(Ordering::Relaxed), 0);
    ask(&mut stream, "SET far 1 EX 1000000", "+OK\r\n").await;
    for n in 0..1000 {
        ask(&mut stream, &format!("SET key{n} 1 EX 30"), "+OK\r\n").await;
    }
    tokio::time::sleep(hour).await;
    ask(&mut stream, "DBSIZE", ":2\r\n").await;
    // Until the far one, until those of 30 s, and until the far one again.
    assert_eq!(sleeps.load(Ordering::Relaxed), 3);
    ask(&mut stream, "FLUSHALL", "+OK\r\n").await;
    tokio::time::sleep(500 * hour).await;
    // A day is as long as it sleeps.
    assert_eq!(sleeps.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn the_same_requests_evict_the_same_keys() {
    for policy in ["allkeys-random", "volatile-random", "allkeys-lfu"] {
        let mut runs = vec![];
        for _ in 0..2 {
            let running = start(&[("REDIS_MAXMEMORY", "20000"), ("REDIS_MAXMEMORY_POLICY", policy)]);
            let mut stream = running.dial().await;
            for n in 0..300 {
                ask(&mut stream, &format!("SET key{n} {n} EX 100"), "+OK\r\n").await;
            }
            stream.write_all(b"KEYS *\r\nRANDOMKEY\r\nINFO stats\r\nQUIT\r\n").await.unwrap();
            let mut reply = String::new();
            stream.read_to_string(&mut reply).await.unwrap();
            assert!(!reply.contains("evicted_keys:0\r\n"), "{reply}");
            runs.push(reply);
        }
        assert_eq!(runs[0], runs[1]);
    }
}

#[tokio::test(start_paused = true)]
async fn users_come_from_the_settings() {
    let users = "bob on >pw ~* +@all; carl on nopass ~cache:* +get";
    let running = start(&[("REDIS_PASSWORD", "sesame"), ("REDIS_USERS", users), ("REDIS_MAXCLIENTS", "1")]);
    let mut stream = running.dial().await;
    ask(&mut stream, "AUTH bob pw", "+OK\r\n").await;
    ask(&mut stream, "SET cache:1 1", "+OK\r\n").await;
    ask(&mut stream, "CONFIG GET maxclients", "*2\r\n$10\r\nmaxclients\r\n$1\r\n1\r\n").await;
    ask(&mut stream, "AUTH carl any", "+OK\r\n").await;
    ask(&mut stream, "GET cache:1", "$1\r\n1\r\n").await;
    ask(&mut stream, "DBSIZE", "-NOPERM this user has no permissions to run the 'dbsize' command\r\n").await;
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
