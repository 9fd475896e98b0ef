//! No response ever carries another user's data, though keys, flights and connections are shared, clients go away in the
//! middle of it all, and Redis loses, doubles, swaps and delays its replies.

use crate::support::{Behaviour, Mood, Response, World};
use proptest::prelude::{ProptestConfig, any, proptest};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const USERS: u64 = 12;

/// Profiles grow old soon, so that there are flights all the time.
const SETTINGS: [(&str, &str); 2] = [("GATEWAY_CACHE_TTL", "300ms"), ("GATEWAY_CACHE_STALE", "2s")];

/// All that speaks of a user speaks of this one.
fn assert_owned(response: &Response, user: u64) {
    assert_eq!(response.status, 200, "{}", response.text);
    let user = user.to_string();
    let orders = response.at("/orders");
    let owners = orders.as_array().unwrap().iter().map(|order| order["user_id"].clone());
    for owner in owners.chain([response.at("/user_id"), response.at("/user/id")]) {
        assert_eq!(owner, user, "{}", response.text);
    }
}

async fn ask(gateways: &[&World; 2], draw: u64) {
    let (user, gateway) = (draw % USERS + 1, gateways[usize::from((draw / 100).is_multiple_of(3))]);
    sleep(Duration::from_millis(draw / 1_000 % 1_200)).await;
    let path = format!("/api/profile/{user}");
    // Some go away while they wait for Redis, or for a flight that others have joined.
    let patience = if (draw / 10_000_000).is_multiple_of(5) { draw / 100_000_000 % 10 } else { 10_000 };
    if let Ok(response) = timeout(Duration::from_millis(patience), gateway.get(&path)).await {
        assert_owned(&response, user);
    }
}

/// Two gateways, one Redis, 200 requests; gives how often somebody else's value was found out.
async fn troubled(seed: u64) -> f64 {
    let world = World::start(&SETTINGS).await;
    let other = world.neighbour("gateway-2");
    other.redis_is_used().await;
    for service in [&world.user, &world.order, &world.product] {
        service.becomes(Behaviour::Slow(Duration::from_millis(3)));
    }
    let gateways = [&world, &other];
    for user in 1..=USERS {
        assert_owned(&world.get(&format!("/api/profile/{user}")).await, user);
    }
    world.redis.becomes(Mood::Troubled(seed));
    let requests = (0_u64..200).map(|n| ask(&gateways, host::hash(seed, &[b"request", &n.to_le_bytes()])));
    futures_util::future::join_all(requests).await;
    // Nor is it in memory, for later.
    world.redis.becomes(Mood::Refused);
    for gateway in gateways {
        gateway.until("cache_mode{mode=\"memory\"}", 1.0).await;
        for user in 1..=USERS {
            assert_owned(&gateway.get(&format!("/api/profile/{user}")).await, user);
        }
    }
    world.metric("cache_misses_total{reason=\"wrong_key\"}").await
        + other.metric("cache_misses_total{reason=\"wrong_key\"}").await
}

fn run(seed: u64) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(troubled(seed))
}

#[test]
fn the_trouble_is_real() {
    let found_out: Vec<f64> = (0..10).map(run).collect();
    assert!(found_out.iter().filter(|count| **count > 0.0).count() >= 5, "{found_out:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn no_response_carries_another_users_data(seed in any::<u64>()) {
        run(seed);
    }
}
