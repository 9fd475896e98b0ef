//! Requests for one profile share one aggregation, and nobody ever gets what belongs to somebody else.

use crate::support::{Behaviour, Mood, World};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const PROFILE: &str = "/api/profile/42";

fn slow(millis: u64) -> Behaviour {
    Behaviour::Slow(Duration::from_millis(millis))
}

#[tokio::test(start_paused = true)]
async fn concurrent_misses_make_one_aggregation() {
    let world = World::start(&[]).await;
    world.user.becomes(slow(50));
    let responses = join_all((0..50).map(|n| {
        let world = &world;
        async move {
            sleep(Duration::from_millis(n % 40)).await;
            let id = format!("r-{n}");
            (world.get_with(PROFILE, &[("x-request-id", &id)]).await, id)
        }
    }))
    .await;
    assert_eq!((world.user.calls(), world.order.calls(), world.product.calls()), (1, 1, 1));
    for (response, id) in &responses {
        assert_eq!((response.status.as_u16(), response.at("/user/id")), (200, "42".into()));
        assert_eq!(response.at("/meta/request_id"), id.as_str());
    }
    let shared =
        responses.iter().filter(|(response, _)| response.header("cache-status").contains("; collapsed")).count();
    assert_eq!((shared, world.metric("cache_coalesced_total").await), (49, 49.0));
    assert_eq!(world.metric("aggregation_duration_seconds_count").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn without_sharing_each_miss_asks_the_services() {
    let world = World::start(&[("GATEWAY_CACHE_COALESCE", "off")]).await;
    world.user.becomes(slow(50));
    join_all((0..20).map(|_| world.get(PROFILE))).await;
    assert_eq!(world.user.calls(), 20);
    assert_eq!(world.metric("cache_coalesced_total").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_takes_nothing_from_those_who_joined() {
    let world = World::start(&[]).await;
    world.user.becomes(slow(100));
    let first = timeout(Duration::from_millis(20), world.get(PROFILE));
    let second = async {
        sleep(Duration::from_millis(10)).await;
        world.get(PROFILE).await
    };
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err());
    assert_eq!((second.status.as_u16(), world.user.calls()), (200, 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_client_that_went_away_had_fetched_is_cached() {
    let world = World::start(&[]).await;
    world.user.becomes(slow(100));
    assert!(timeout(Duration::from_millis(20), world.get(PROFILE)).await.is_err());
    sleep(Duration::from_millis(200)).await;
    assert_eq!(world.get(PROFILE).await.at("/meta/parts/user/source"), "redis");
    assert_eq!(world.user.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flight_that_hangs_ends_in_time_for_all() {
    let patient = [("GATEWAY_USER_TIMEOUT", "1500ms"), ("GATEWAY_ORDER_TIMEOUT", "1500ms")];
    let world = World::start(&patient).await;
    world.user.becomes(Behaviour::Hang);
    let responses = join_all((0..10).map(|n| {
        let world = &world;
        async move {
            sleep(Duration::from_millis(n * 100)).await;
            world.get(PROFILE).await
        }
    }))
    .await;
    assert_eq!(world.user.calls(), 1);
    for response in responses {
        assert!(response.took <= Duration::from_millis(1500), "{:?}", response.took);
        assert_eq!((response.status.as_u16(), response.at("/errors/0/code")), (200, "deadline_exceeded".into()));
        assert_eq!(response.at("/products").as_array().unwrap().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn no_response_ever_carries_another_users_data() {
    let world = World::start(&[("GATEWAY_CACHE_TTL", "300ms")]).await;
    world.user.becomes(slow(4));
    world.order.becomes(slow(2));
    let trouble = async {
        let moods = [Mood::LosesOne, Mood::LosesOne, Mood::Reset, Mood::LosesOne, Mood::MuteForData, Mood::Silent];
        // Long enough apart for Redis to be found again in between.
        for mood in moods.into_iter().cycle().take(12) {
            sleep(Duration::from_millis(690)).await;
            world.redis.becomes(mood);
            sleep(Duration::from_millis(30)).await;
            world.redis.becomes(Mood::Good);
        }
    };
    let requests = join_all((0..12_000_u64).map(|n| {
        let world = &world;
        async move {
            // Four at a time for each.
            sleep(Duration::from_millis(n / 4 * 3)).await;
            let user = n / 4 * 7 % 31 + 1;
            // Some clients give up in the middle of a lookup or a flight.
            let patience = if n % 11 == 0 { 3 } else { 5_000 };
            let path = format!("/api/profile/{user}");
            let response = timeout(Duration::from_millis(patience), world.get(&path)).await.ok()?;
            Some((user.to_string(), response))
        }
    }));
    let (responses, ()) = tokio::join!(requests, trouble);
    let responses: Vec<_> = responses.into_iter().flatten().collect();
    assert!(responses.len() > 10_000, "{}", responses.len());
    for (user, response) in &responses {
        let body = response.json();
        assert_eq!(response.status, 200);
        assert_eq!((&body["user_id"], &body["user"]["id"]), (&user.as_str().into(), &user.as_str().into()));
        assert_eq!((&body["orders"][0]["user_id"], &body["partial"]), (&user.as_str().into(), &false.into()));
    }
    // What it guards against did happen.
    for sign in ["cache_misses_total{reason=\"wrong_key\"}", "cache_coalesced_total", "redis_connections_lost_total"] {
        assert!(world.metric(sign).await > 0.0, "{sign}");
    }
    for tier in ["redis", "memory"] {
        assert!(world.metric(&format!("cache_hits_total{{tier=\"{tier}\"}}")).await > 0.0, "{tier}");
    }
}
