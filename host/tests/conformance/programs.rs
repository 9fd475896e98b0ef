//! Programs and the rest that they get: clock, randomness, settings, metrics, the shutdown signal.

use crate::world::{World, settings, soon};
use rand::Rng as _;
use std::time::Duration;
use tokio::time::Instant;

pub(crate) async fn sleeps_are_never_early(world: World) {
    let sleeps = [0_u64, 1, 50, 999, 1_000, 1_500, 7_300, 20_000].map(|micros| {
        let host = world.server.clone();
        world.server.spawn(async move {
            let deadline = Instant::now() + Duration::from_micros(micros);
            host.sleep_until(deadline).await;
            assert!(Instant::now() >= deadline, "{micros} µs");
        })
    });
    for sleep in sleeps {
        sleep.await.unwrap();
    }
}

pub(crate) async fn an_abandoned_sleep_is_harmless(world: World) {
    let host = &world.server;
    assert!(soon(host.sleep(Duration::from_secs(3600))).await.is_none());
    // The first in line gives up; those behind it are woken all the same.
    let started = Instant::now();
    let (first, second) = (host.sleep(Duration::from_millis(20)), host.sleep(Duration::from_millis(40)));
    tokio::pin!(second);
    tokio::select! {
        biased;
        () = first => panic!("the ready branch wins"),
        () = &mut second => panic!("the ready branch wins"),
        () = std::future::ready(()) => {}
    }
    second.await;
    assert!(started.elapsed() >= Duration::from_millis(40));
    assert!(started.elapsed() < Duration::from_secs(2));
}

pub(crate) async fn dates_go_on_with_the_clock(world: World) {
    let first = world.server.unix_now();
    assert!(first > Duration::from_secs(1_700_000_000));
    world.server.sleep(Duration::from_millis(30)).await;
    let passed = world.server.unix_now() - first;
    // A machine's dates may be adjusted meanwhile, by a little.
    assert!(passed >= Duration::from_millis(20) && passed < Duration::from_secs(5), "{passed:?}");
}

pub(crate) async fn random_streams_depend_on_node_and_name(world: World) {
    let first = |host: &host::Host, name| host.rng(name).next_u64();
    assert_eq!(world.server.seed(), 7);
    assert_eq!(first(&world.server, "jitter"), first(&world.server.clone(), "jitter"));
    assert_ne!(first(&world.server, "jitter"), first(&world.server, "ids"));
    assert_ne!(first(&world.server, "jitter"), first(&world.client, "jitter"));
    // The same in every world: pinned here for both.
    assert_eq!(first(&world.server, "jitter"), PINNED);
}

/// The first number of seed 7, host `server`, stream `jitter`.
const PINNED: u64 = 9_979_894_990_006_966_879;

pub(crate) async fn settings_are_handed_through(world: World) {
    assert_eq!(world.server.settings(), &settings());
    assert_eq!(world.server.settings().get("CACHE"), Some("on"));
    assert_eq!(world.server.settings().get("EMPTY"), None);
    assert_eq!(world.server.settings().get("ABSENT"), None);
    assert_eq!(world.server.name(), "server");
}

pub(crate) async fn metrics_belong_to_a_host(world: World) {
    let counter = prometheus::IntCounter::new("requests_total", "Requests.").unwrap();
    world.server.metrics().register(Box::new(counter.clone())).unwrap();
    counter.inc();
    // A host on a real machine shows its process besides.
    let own = |host: &host::Host| {
        let families = host.metrics().gather();
        families.iter().filter(|family| !family.name().starts_with("process_")).count()
    };
    assert_eq!((own(&world.server), own(&world.client)), (1, 0));
}

pub(crate) async fn the_shutdown_signal_reaches_all_clones(world: World) {
    let host = world.server.clone();
    let task = world.server.spawn(async move { host.shutdown().cancelled().await });
    assert!(!world.server.shutdown().is_cancelled());
    world.server.shutdown().cancel();
    task.await.unwrap();
    assert!(!world.client.shutdown().is_cancelled());
}
