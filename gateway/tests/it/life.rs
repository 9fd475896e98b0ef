//! From start to stop: settings, health, draining.

use crate::support::{Behaviour, Mood, World};
use host::{ListenMode as Listening, Settings, memory::MemoryNetwork};
use std::time::Duration;
use tokio::time::sleep;

async fn refusal(settings: &[(&str, &str)]) -> String {
    let settings: Settings = settings.iter().copied().collect();
    let (host, _) = MemoryNetwork::new(1).node("gateway", settings);
    gateway::run(host).await.unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn bad_settings_are_refused_by_name() {
    assert!(refusal(&[("GATEWAY_CACHE_TTL", "30")]).await.starts_with("GATEWAY_CACHE_TTL can't be `30`"));
    assert!(refusal(&[("GATEWAY_CASHE", "off")]).await.contains("did you mean GATEWAY_CACHE?"));
}

#[tokio::test(start_paused = true)]
async fn a_taken_port_is_said_plainly() {
    let network = MemoryNetwork::new(1);
    let host = network.host("gateway");
    let _taken = host.listen(8000).unwrap();
    let error = gateway::run(host).await.unwrap_err().to_string();
    assert!(error.starts_with("port 8000 is taken by another program"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn health_tells_of_components_at_once() {
    let world = World::start(&[]).await;
    world.settle().await;
    let well = world.get("/health").await;
    assert_eq!((well.status.as_u16(), well.at("/status")), (200, "ok".into()));
    assert_eq!(well.at("/components/redis/status"), "up");
    for service in [&world.user, &world.order, &world.product] {
        service.freeze();
    }
    world.redis.becomes(Mood::Silent);
    sleep(Duration::from_secs(30)).await;
    let ill = world.get("/health").await;
    assert_eq!((ill.took, ill.status.as_u16(), ill.at("/status")), (Duration::ZERO, 503, 503.into()));
    assert_eq!(ill.header("content-type"), "application/problem+json");
    assert_eq!(ill.at("/type"), "urn:problem-type:gateway:unhealthy");
    for component in ["redis", "user-service", "order-service", "product-service"] {
        assert_eq!(ill.at(&format!("/components/{component}/status")), "down", "{component}");
    }
    assert!(ill.at("/components/redis/last_success").is_string());
    assert_eq!(world.get("/health/ready").await.status, 200);
    assert_eq!(world.get("/health/live").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn with_everything_blackholed_health_needs_no_time() {
    let world = World::start(&[]).await;
    for service in [&world.user, &world.order, &world.product] {
        service.listens(Listening::Blackhole);
        service.freeze();
    }
    world.redis.becomes(Mood::Silent);
    world.redis.listens(Listening::Blackhole);
    // Profiles are asked for all the while, so that probes and requests wait for the same dead connections.
    let asked = async {
        loop {
            world.get("/api/profile/42").await;
            sleep(Duration::from_millis(7)).await;
        }
    };
    let watched = async {
        for _ in 0..600 {
            sleep(Duration::from_millis(101)).await;
            for path in ["/health", "/health/live", "/health/ready"] {
                assert_eq!(world.get(path).await.took, Duration::ZERO, "{path}");
            }
        }
        world.get("/health").await
    };
    let health = tokio::select! {
        biased;
        health = watched => health,
        () = asked => unreachable!(),
    };
    assert_eq!((health.status.as_u16(), health.at("/type")), (503, "urn:problem-type:gateway:unhealthy".into()));
    for component in ["redis", "user-service", "order-service", "product-service"] {
        assert_eq!(health.at(&format!("/components/{component}/status")), "down", "{component}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_no_profile_can_be_had_health_is_503() {
    let world = World::start_with(&[], Mood::Good);
    world.user.listens(Listening::Refuse);
    world.order.listens(Listening::Refuse);
    sleep(Duration::from_millis(100)).await;
    let health = world.get("/health").await;
    assert_eq!((health.status.as_u16(), health.at("/type")), (503, "urn:problem-type:gateway:unhealthy".into()));
    assert_eq!(health.at("/components/user-service/status"), "down");
    assert_eq!(world.metric("service_calls_total").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_requests_end_and_writes_be_done() {
    let mut world = World::start(&[]).await;
    world.user.becomes(Behaviour::Slow(Duration::from_millis(300)));
    let host = world.gateway.clone();
    let stop = async {
        sleep(Duration::from_millis(100)).await;
        host.shutdown().cancel();
    };
    let (response, ()) = tokio::join!(world.get("/api/profile/42"), stop);
    assert_eq!((response.status.as_u16(), response.at("/partial")), (200, false.into()));
    (&mut world.running).await.unwrap().unwrap();
    assert!(world.redis.values.lock().unwrap().contains_key("gateway:profile:42"));
    let refused = world.network.host("late").dial("gateway", 8000).await;
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_no_longer_than_the_drain() {
    let mut world = World::start_with(&[("GATEWAY_DRAIN", "200ms"), ("GATEWAY_CACHE", "off")], Mood::Good);
    world.user.becomes(Behaviour::Hang);
    let stop = async {
        sleep(Duration::from_millis(50)).await;
        world.gateway.shutdown().cancel();
        let started = tokio::time::Instant::now();
        sleep(Duration::from_millis(200)).await;
        started
    };
    let (_, started) =
        tokio::join!(tokio::time::timeout(Duration::from_millis(240), world.get("/api/profile/42")), stop);
    (&mut world.running).await.unwrap().unwrap();
    assert!(started.elapsed() <= Duration::from_millis(210), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_bytes() {
    async fn run() -> String {
        let world = World::start(&[]).await;
        let mut all = String::new();
        for user in 1..=5 {
            let response = world.get(&format!("/api/profile/{user}")).await;
            all.push_str(&format!("{:?} {}\n", response.headers, response.text));
        }
        all
    }
    assert_eq!(run().await, run().await);
}

#[tokio::test(start_paused = true)]
async fn a_response_during_the_drain_says_that_the_connection_closes() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut world = World::start_with(&[("GATEWAY_CACHE", "off")], Mood::Good);
    world.user.becomes(Behaviour::Slow(Duration::from_millis(300)));
    tokio::task::yield_now().await;
    let mut stream = world.network.host("keeping").dial("gateway", 8000).await.unwrap();
    // The second one comes too late to be read.
    let request = b"GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\n\r\n";
    stream.write_all(request).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    world.gateway.shutdown().cancel();
    sleep(Duration::from_millis(100)).await;
    let stopped = tokio::time::Instant::now();
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text).await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("\r\nconnection: close\r\n"), "{text}");
    assert_eq!(text.matches("HTTP/1.1").count(), 1);
    (&mut world.running).await.unwrap().unwrap();
    assert!(stopped.elapsed() < Duration::from_millis(150), "{:?}", stopped.elapsed());
    assert_eq!(world.user.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_can_see_the_stop_before_the_port_is_closed() {
    let mut world = World::start_with(&[("GATEWAY_DRAIN_DELAY", "5s"), ("GATEWAY_CACHE", "off")], Mood::Good);
    assert_eq!(world.get("/health/ready").await.status, 200);
    world.gateway.shutdown().cancel();
    let stopped = tokio::time::Instant::now();
    world.settle().await;
    let ready = world.get("/health/ready").await;
    assert_eq!((ready.status.as_u16(), ready.header("retry-after")), (503, "1"));
    assert_eq!(ready.header("content-type"), "application/problem+json");
    assert_eq!(ready.at("/type"), "urn:problem-type:gateway:not-ready");
    assert_eq!(world.get("/health/live").await.status, 200);
    // A slow one that begins at the last moment still has all of the drain.
    sleep(Duration::from_millis(4_900).saturating_sub(stopped.elapsed())).await;
    world.user.becomes(Behaviour::Slow(Duration::from_millis(300)));
    drop(world.network.host("late").dial("gateway", 8000).await.unwrap());
    let late = async {
        sleep(Duration::from_millis(150)).await;
        world.network.host("too late").dial("gateway", 8000).await.map(drop).unwrap_err().kind()
    };
    let (response, refused) = tokio::join!(world.get("/api/profile/42"), late);
    assert_eq!((response.status.as_u16(), response.at("/partial")), (200, false.into()));
    assert_eq!(refused, std::io::ErrorKind::ConnectionRefused);
    (&mut world.running).await.unwrap().unwrap();
    assert_eq!(stopped.elapsed().as_millis() / 10, 520);
}
