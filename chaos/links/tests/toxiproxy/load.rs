//! Toxics that come and go under load: no byte is lost, and none waits.

use crate::support::{MS, Server};
use host::Stream;
use serde_json::{Value as Json, json};
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

/// Connections that are busy meanwhile.
const CONNECTIONS: usize = 8;

/// Additions and removals of each toxic. `chaos` promises a thousand in all without a loss; this is a part of them.
const TIMES: usize = if cfg!(debug_assertions) { 8 } else { 170 };

/// Longest time that one may take. The promise is a tenth of a second; a debug build beside other tests has more.
const PATIENCE: Duration = if cfg!(debug_assertions) { Duration::from_secs(1) } else { Duration::from_millis(100) };

/// Sends numbers to an echo and compares what comes back, until it is told to stop; how many bytes came back.
async fn busy(mut stream: Stream, stop: Arc<AtomicBool>) -> usize {
    let (mut read, mut write) = stream.split();
    let send = async {
        let mut sent = 0_u32;
        while !stop.load(Ordering::Relaxed) {
            let block: Vec<u8> = (sent..sent + 1000).flat_map(u32::to_be_bytes).collect();
            write.write_all(&block).await.unwrap();
            sent += 1000;
            tokio::time::sleep(MS).await;
        }
        write.shutdown().await.unwrap();
        sent as usize * 4
    };
    let receive = async {
        let (mut next, mut back, mut got) = (0_u32, 0, [0; 4]);
        while read.read_exact(&mut got).await.is_ok() {
            assert_eq!(u32::from_be_bytes(got), next, "after {back} bytes");
            (next, back) = (next + 1, back + got.len());
        }
        back
    };
    let (sent, back) = tokio::join!(send, receive);
    assert_eq!(sent, back, "all comes back");
    back
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn toxics_that_come_and_go_lose_no_byte_and_wait_for_nobody() {
    let server = Server::start();
    let listens = server.proxy("a", server.echo()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        tasks.push(server.host.spawn(busy(server.dial(listens).await, Arc::clone(&stop))));
    }
    let toxics = [
        ("latency", json!({ "latency": 3_600_000 })),
        ("bandwidth", json!({ "rate": 0 })),
        ("bandwidth", json!({ "rate": 1 })),
        ("slicer", json!({ "average_size": 64, "size_variation": 16, "delay": 100_000 })),
        ("limit_data", json!({ "bytes": i64::MAX })),
        ("half-open", json!({ "direction": "upstream" })),
    ];
    let mut slowest = (Duration::ZERO, "");
    for nth in 0..TIMES * toxics.len() {
        let (kind, attributes) = &toxics[nth % toxics.len()];
        let began = Instant::now();
        server.toxic("a", json!({ "name": "it", "type": kind, "attributes": attributes })).await;
        let added = began.elapsed();
        server.host.sleep(5 * MS).await;
        let began = Instant::now();
        assert_eq!(server.call("DELETE", "/proxies/a/toxics/it", Json::Null).await.status, 204);
        slowest = slowest.max((added.max(began.elapsed()), kind));
    }
    assert!(slowest.0 < PATIENCE, "{slowest:?}");
    stop.store(true, Ordering::Relaxed);
    let mut bytes = 0;
    for task in tasks {
        bytes += task.await.unwrap();
    }
    eprintln!("{} additions and removals over {bytes} bytes, the slowest {slowest:?}", TIMES * toxics.len());
    assert!(bytes > 0);
}
