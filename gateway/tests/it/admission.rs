//! More than can be served: what is turned away, how, and what never is.

use crate::support::{Behaviour, Mood, World};
use std::time::Duration;
use tokio::time::sleep;

fn world(settings: &[(&str, &str)]) -> World {
    World::start_with(&[&[("GATEWAY_CACHE", "off")], settings].concat(), Mood::Good)
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_limit_get_503_at_once() {
    let world = world(&[("GATEWAY_MAX_REQUESTS", "2")]);
    assert_eq!(world.metric("gateway_shed_total{reason=\"requests\"}").await, 0.0);
    world.user.becomes(Behaviour::Slow(Duration::from_millis(200)));
    let late = async {
        sleep(Duration::from_millis(100)).await;
        let shed = world.get("/api/profile/3").await;
        assert_eq!((shed.status.as_u16(), shed.took), (503, Duration::ZERO));
        assert_eq!(shed.at("/type"), "urn:problem-type:gateway:overloaded");
        assert_eq!(shed.at("/request_id").as_str().unwrap(), shed.header("x-request-id"));
        assert_eq!((shed.header("content-type"), shed.header("retry-after")), ("application/problem+json", "1"));
        assert_eq!(world.get("/nothing").await.status, 503);
        // An overload must be seen.
        for path in ["/health", "/health/live", "/metrics"] {
            assert_eq!(world.get(path).await.status, 200, "{path}");
        }
        assert_eq!(world.get("/health/ready").await.status, 503);
        assert_eq!(world.metric("gateway_shed_total{reason=\"requests\"}").await, 2.0);
    };
    let (one, two, ()) = tokio::join!(world.get("/api/profile/1"), world.get("/api/profile/2"), late);
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
    // There is room again.
    assert_eq!(world.get("/health/ready").await.status, 200);
    assert_eq!(world.get("/api/profile/3").await.status, 200);
    assert_eq!(world.user.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn clients_that_go_away_make_room() {
    let world = world(&[("GATEWAY_MAX_REQUESTS", "1")]);
    world.user.becomes(Behaviour::Hang);
    let gone = tokio::time::timeout(Duration::from_millis(50), world.get("/api/profile/1")).await;
    assert!(gone.is_err());
    world.settle().await;
    world.user.becomes(Behaviour::Good);
    assert_eq!(world.get("/api/profile/2").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_all_are_let_in() {
    let world = world(&[("GATEWAY_MAX_REQUESTS", "0")]);
    assert_eq!(world.get("/api/profile/1").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_client_beyond_its_rate_gets_429_and_others_dont() {
    let world = world(&[("GATEWAY_CLIENT_RATE", "2"), ("GATEWAY_CLIENT_BURST", "3")]);
    for user in 1..=3 {
        assert_eq!(world.get(&format!("/api/profile/{user}")).await.status, 200);
    }
    let limited = world.get("/api/profile/4").await;
    assert_eq!((limited.status.as_u16(), limited.header("retry-after")), (429, "1"));
    assert_eq!(limited.at("/type"), "urn:problem-type:gateway:too-many-requests");
    assert_eq!(limited.header("content-type"), "application/problem+json");
    assert_eq!(world.metric("gateway_shed_total{reason=\"client_rate\"}").await, 1.0);
    for path in ["/health", "/health/live", "/health/ready"] {
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
    // Another client has its own rate.
    let other = host::http::client(&world.network.host("other"), host::http::ClientConfig::default());
    let request = http::Request::get("http://gateway:8000/api/profile/4");
    let request = request.body(http_body_util::Full::<bytes::Bytes>::default()).unwrap();
    assert_eq!(other.request(request).await.unwrap().status(), 200);
    sleep(Duration::from_millis(500)).await;
    assert_eq!(world.get("/api/profile/4").await.status, 200);
    assert_eq!(world.get("/api/profile/5").await.status, 429);
    assert_eq!(world.user.calls(), 5);
}

#[tokio::test(start_paused = true)]
async fn by_default_no_client_has_a_rate() {
    let world = world(&[]);
    for _ in 0..500 {
        assert_eq!(world.get("/api/profile/1").await.status, 200);
    }
    assert_eq!(world.metric("gateway_shed_total").await, 0.0);
}
