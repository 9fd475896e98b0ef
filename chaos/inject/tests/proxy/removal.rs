//! Taking back any fault on a link with 200 busy connections: at once, and no byte is lost.

use super::support::{MS, World, apply, fault, latency, remove, text};
use chaos_model::effect::{Bandwidth, Blackhole, DialDelay, HalfOpen, Hang, Limit, Refuse, Reset, Slice, SlowClose};
use chaos_model::{Directions, Effect, OpenConnections};
use host::{Stream, Task};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

conformance!(releases_busy_connections_at_once);

const CONNECTIONS: usize = 200;

/// Longest time it may take. The promise is a tenth of a second; a debug build beside other tests has more time.
const PATIENCE: Duration = if cfg!(debug_assertions) { Duration::from_secs(1) } else { Duration::from_millis(100) };

/// Every effect that leaves connections alive, as strong as it gets.
fn effects() -> Vec<Effect> {
    let (hour, direction) = (Duration::from_secs(3600), Directions::Both);
    vec![
        latency(hour, direction),
        Bandwidth { bytes_per_second: 1000, direction }.into(),
        DialDelay { delay: hour }.into(),
        Refuse { open: OpenConnections::Keep }.into(),
        Hang {}.into(),
        Blackhole {}.into(),
        HalfOpen { direction: Directions::Downstream }.into(),
        HalfOpen { direction: Directions::Upstream }.into(),
        Reset::after(hour).into(),
        Reset { after: Duration::ZERO, after_bytes: Some(u64::MAX), direction }.into(),
        Slice { size: 1000, variation: 0, gap: 10 * MS, direction }.into(),
        SlowClose::by(hour).into(),
        Limit { bytes: u64::MAX, direction }.into(),
    ]
}

/// Sends to an echo and compares what comes back, until it is told to stop; how many bytes came back.
async fn busy(mut stream: Stream, stop: Arc<AtomicBool>) -> usize {
    let block = text(2000);
    let (mut read, mut write) = stream.split();
    let send = async {
        let mut sent = 0;
        while !stop.load(Ordering::Relaxed) {
            write.write_all(&block).await.unwrap();
            sent += block.len();
            tokio::time::sleep(20 * MS).await;
        }
        write.shutdown().await.unwrap();
        sent
    };
    let receive = async {
        let (mut back, mut got) = (0, vec![0; block.len()]);
        loop {
            let count = read.read(&mut got).await.unwrap();
            if count == 0 {
                return back;
            }
            let at = back % block.len();
            let (whole, wrapped) = got[..count].split_at(count.min(block.len() - at));
            assert!(block[at..].starts_with(whole) && block.starts_with(wrapped), "after {back} bytes");
            back += count;
        }
    };
    let (sent, back) = tokio::join!(send, receive);
    assert_eq!(sent, back, "all comes back");
    back
}

async fn start(world: &World, proxy: &chaos_inject::Proxy, stop: &Arc<AtomicBool>) -> Vec<Task<usize>> {
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = world.dial(proxy).await.unwrap();
        tasks.push(world.client.spawn(busy(stream, Arc::clone(stop))));
    }
    tasks
}

async fn releases_busy_connections_at_once(world: &World) {
    let proxy = world.proxy();
    let stop = Arc::new(AtomicBool::new(false));
    let tasks = start(world, &proxy, &stop).await;
    let mut slowest = (Duration::ZERO, "");
    for effect in effects() {
        let name = effect.name();
        apply(&proxy, fault(name, effect)).await;
        world.client.sleep(50 * MS).await;
        let began = Instant::now();
        let fired = remove(&proxy, name).await;
        let took = began.elapsed();
        assert!(took < PATIENCE, "{name} took {took:?}");
        if name != "dial-delay" && name != "refuse" {
            assert_eq!(fired.connections, CONNECTIONS as u64, "{name}: {fired:?}");
        }
        slowest = slowest.max((took, name));
        // Every connection is alive again.
        world.client.sleep(20 * MS).await;
    }
    eprintln!("the slowest removal from {CONNECTIONS} busy connections: {} took {:?}", slowest.1, slowest.0);
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        assert!(task.await.unwrap() > 0);
    }
    world.await_connections(&proxy, 0).await;
}
