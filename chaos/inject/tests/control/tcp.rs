//! The same over TCP, with the system's clock.

use crate::support::{MS, System, ask};
use chaos_model::effect::Hang;
use host::tcp;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_runner_heals() {
    let host = |name| tcp::host(tcp::Config::loopback(name)).unwrap();
    let (proxies, service, runner) = (host("proxies"), host("service"), host("runner"));
    let system = System::start(proxies, &service, "127.0.0.1", "127.0.0.1");
    let caller = system.steered_from(&runner);
    // The proxies count from when they heard of it, which is later.
    let asked = Instant::now();
    let lease = caller.lease("a runner", 500 * MS).await.unwrap();
    caller.apply(&lease, "silence", Hang {}).await;
    let mut stream = system.dial(&runner).await.unwrap();
    let answered = tokio::time::timeout(Duration::from_secs(20), ask(&mut stream)).await.unwrap();
    answered.unwrap();
    // The fault held until its lease lapsed; how much later it was noticed depends on what else this machine does.
    assert!(asked.elapsed() >= 500 * MS, "{:?}", asked.elapsed());
    assert_eq!(caller.renew(&lease).await, 410);
    let again = caller.lease("another", 60_000 * MS).await.unwrap();
    assert_eq!(caller.give_up(&again).await, 204);
    system.proxies.shutdown().cancel();
    drop(stream);
    system.serving.await.unwrap();
}
