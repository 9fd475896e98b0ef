//! Tasks of a host: their ends, a crash, a freeze.

use crate::world::{World, assert_open, drain, soon, until};
use host::{Host, Listener};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tracing::instrument::WithSubscriber as _;

pub(crate) async fn a_task_gives_its_output(world: World) {
    assert_eq!(world.server.spawn(async { 42 }).await.unwrap(), 42);
}

pub(crate) async fn an_aborted_task_is_stopped(world: World) {
    let task = world.server.spawn(std::future::pending::<()>());
    task.abort();
    assert!(task.await.is_err());
    until(|| world.tasks.running() == 0).await;
}

pub(crate) async fn a_panic_stops_one_task_only(world: World) {
    let other = world.server.spawn(std::future::pending::<()>());
    let task = world.server.spawn(async { panic!("this one is meant to") });
    assert!(task.await.is_err());
    until(|| world.tasks.running() == 1).await;
    assert!(!other.is_finished());
}

pub(crate) async fn a_dropped_task_runs_on(world: World) {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    drop(world.server.spawn(async move {
        tokio::task::yield_now().await;
        sender.send(1).unwrap();
    }));
    assert_eq!(receiver.await.unwrap(), 1);
}

pub(crate) async fn no_ended_task_is_counted(world: World) {
    let before = world.tasks.running();
    assert_eq!(before, 0, "a host has no tasks of its own");
    let tasks: Vec<_> = (0..100).map(|n| world.server.spawn(async move { n })).collect();
    for task in tasks {
        task.await.unwrap();
    }
    until(|| world.tasks.running() == 0).await;
}

/// Sends back whatever comes, on every connection.
async fn echo(host: Host, mut listener: Listener) {
    loop {
        let mut stream = listener.accept().await.unwrap();
        drop(host.spawn(async move {
            let mut buffer = [0; 64];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                stream.write_all(&buffer[..count]).await.unwrap();
            }
        }));
    }
}

async fn assert_echo(client: &mut host::Stream) {
    client.write_all(b"hello").await.unwrap();
    let mut buffer = [0; 5];
    client.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"hello");
}

pub(crate) async fn a_crash_drops_connections_and_frees_ports(world: World) {
    let listener = world.listen();
    let port = listener.port();
    let server = world.server.spawn(echo(world.server.clone(), listener));
    let mut client = world.dial(port).await.unwrap();
    assert_echo(&mut client).await;
    assert_eq!(world.tasks.running(), 2);
    world.tasks.crash();
    drain(&mut client).await.1.unwrap();
    assert!(server.await.is_err());
    until(|| world.tasks.running() == 0).await;
    assert_eq!(world.dial(port).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}

pub(crate) async fn nothing_starts_after_a_crash(world: World) {
    world.tasks.crash();
    let runs = Arc::new(AtomicUsize::new(0));
    // Many: another thread may take up a task between its start and its end, and each is such a moment.
    for _ in 0..1000 {
        let runs = Arc::clone(&runs);
        let task = world.server.spawn(async move {
            runs.fetch_add(1, Ordering::SeqCst);
        });
        assert!(task.await.is_err());
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    until(|| world.tasks.running() == 0).await;
}

pub(crate) async fn a_frozen_task_is_silent_until_the_thaw(world: World) {
    let listener = world.listen();
    let port = listener.port();
    drop(world.server.spawn(echo(world.server.clone(), listener)));
    let mut client = world.dial(port).await.unwrap();
    assert_echo(&mut client).await;
    let ticks = Arc::new(AtomicUsize::new(0));
    let (host, counted) = (world.server.clone(), Arc::clone(&ticks));
    drop(world.server.spawn(async move {
        loop {
            host.sleep(Duration::from_millis(2)).await;
            counted.fetch_add(1, Ordering::SeqCst);
        }
    }));
    until(|| ticks.load(Ordering::SeqCst) > 0).await;
    world.tasks.freeze();
    // What ran on another thread at that moment has reached its next wait by the time that this silence ends.
    client.write_all(b"still there?").await.unwrap();
    assert!(soon(client.read(&mut [0; 12])).await.is_none(), "open and silent");
    let mut late = world.dial(port).await.expect("the machine still shakes hands");
    let frozen = ticks.load(Ordering::SeqCst);
    assert!(soon(std::future::pending::<()>()).await.is_none());
    assert_eq!(ticks.load(Ordering::SeqCst), frozen, "its timers stand still");
    let started = world.server.spawn(async {});
    assert!(soon(started).await.is_none(), "what it starts stands still, too");
    world.tasks.thaw();
    let mut buffer = [0; 12];
    client.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"still there?");
    assert_echo(&mut late).await;
    until(|| ticks.load(Ordering::SeqCst) > frozen).await;
}

pub(crate) async fn a_frozen_task_can_be_aborted_and_crashed(world: World) {
    let (mut client, mut server) = world.pair().await;
    assert_open(&mut client, &mut server).await;
    world.tasks.freeze();
    let one = world.server.spawn(async move {
        let _held = server;
        std::future::pending::<()>().await;
    });
    let other = world.server.spawn(std::future::pending::<()>());
    one.abort();
    assert!(one.await.is_err());
    drain(&mut client).await.1.unwrap();
    world.tasks.crash();
    assert!(other.await.is_err());
    until(|| world.tasks.running() == 0).await;
}

pub(crate) async fn a_task_keeps_its_log_dispatcher(world: World) {
    let lines = Lines::default();
    let writer = lines.clone();
    let dispatch = host::logs::json(&world.server, "info", move || writer.clone()).unwrap();
    let host = world.server.clone();
    async move {
        let inner = host.clone();
        let task = host.spawn(async move {
            tokio::task::yield_now().await;
            // A task's tasks have it, too.
            inner.spawn(async { tracing::info!(answer = 42, "from within") }).await.unwrap();
        });
        task.await.unwrap();
    }
    .with_subscriber(dispatch)
    .await;
    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(lines.contains(r#""message":"from within""#) && lines.contains(r#""answer":42"#), "{lines}");
    assert_eq!(lines.lines().count(), 1);
}

#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
