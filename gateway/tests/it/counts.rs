//! Counts that add up, whatever happens: many requests at once, clients that go away, services and a Redis that fail
//! midway.

use crate::support::{Behaviour, Mood, World};
use futures_util::future::join_all;
use host::{Random, memory::MemoryNetwork};
use rand::RngExt as _;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{sleep, timeout};

const MOODS: [Mood; 8] = [
    Mood::Good,
    Mood::Silent,
    Mood::Reset,
    Mood::Error("LOADING Redis is loading the dataset in memory"),
    Mood::LosesOne,
    Mood::Slow(Duration::from_millis(20)),
    Mood::Refused,
    Mood::Good,
];

/// Places for requests and for calls: all of them must come back.
const LIMITS: [(&str, &str); 4] = [
    ("GATEWAY_MAX_REQUESTS", "300"),
    ("GATEWAY_BULKHEAD", "40"),
    ("GATEWAY_CACHE_TTL", "1s"),
    ("GATEWAY_BREAKER_OPEN", "500ms"),
];

fn millis(random: &mut Random, up_to: u64) -> Duration {
    Duration::from_millis(random.random_range(0..up_to))
}

/// One client, who waits for so long and no longer.
async fn client(world: &World, after: Duration, user: u32, patience: Duration) {
    sleep(after).await;
    let _ = timeout(patience, world.get(&format!("/api/profile/{user}"))).await;
}

/// Services and Redis change every now and then.
async fn trouble(world: &World, mut random: Random) {
    for mood in MOODS {
        world.redis.becomes(mood);
        for service in [&world.user, &world.order, &world.product] {
            service.becomes(match random.random_range(0..5) {
                0 => Behaviour::Hang,
                1 => Behaviour::Status(500),
                2 => Behaviour::Slow(Duration::from_millis(90)),
                _ => Behaviour::Good,
            });
        }
        sleep(Duration::from_millis(400)).await;
    }
}

async fn lookups_and_outcomes(world: &World, tier: &str) -> (f64, f64) {
    let lookups = world.metric(&format!("cache_lookups_total{{tier=\"{tier}\"}}")).await;
    let hits = world.metric(&format!("cache_hits_total{{tier=\"{tier}\"}}")).await;
    (lookups, hits + world.metric(&format!("cache_misses_total{{tier=\"{tier}\"}}")).await)
}

/// Names and labels of all series.
async fn series(world: &World) -> BTreeSet<String> {
    let text = world.get("/metrics").await.text;
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

async fn storm(seed: u64) {
    // Shared flights outlive their clients; without them, a client takes its calls along.
    let coalesce = [("GATEWAY_CACHE_COALESCE", if seed.is_multiple_of(2) { "on" } else { "off" })];
    let world = World::start(&[&LIMITS[..], &coalesce].concat()).await;
    let at_first = series(&world).await;
    let network = MemoryNetwork::new(seed);
    let mut random = network.host("storm").rng("clients");
    let clients = (0..400).map(|_| {
        let (after, user) = (millis(&mut random, 3_000), random.random_range(1..=30));
        // Some leave at once, some in the middle, some never.
        let patience = [millis(&mut random, 3), millis(&mut random, 200), Duration::from_secs(60)];
        client(&world, after, user, patience[random.random_range(0..3)])
    });
    let clients: Vec<_> = clients.collect();
    let odd = async {
        for (method, path) in
            [("BREW", "/x"), ("POST", "/api/profile/1"), ("HEAD", "/api/profile/1"), ("DELETE", "/health")]
        {
            world.ask(method, path).await;
        }
    };
    tokio::join!(join_all(clients), trouble(&world, network.host("storm").rng("trouble")), odd);
    for service in [&world.user, &world.order, &world.product] {
        service.becomes(Behaviour::Good);
    }
    // Flights outlive their clients, at most until the deadline.
    sleep(Duration::from_secs(3)).await;

    for tier in ["redis", "memory"] {
        let (lookups, outcomes) = lookups_and_outcomes(&world, tier).await;
        assert!(lookups > 100.0, "{lookups}");
        assert_eq!(lookups, outcomes, "{tier}, seed {seed}");
    }
    assert!(world.metric("http_requests_total{status=\"499\"}").await > 50.0);
    assert_eq!(world.metric("http_active_requests").await, 0.0, "seed {seed}");
    assert_eq!(world.metric("service_calls_active").await, 0.0, "seed {seed}");
    let mut user = 200;
    while world.metric("breaker_state{state=\"closed\"}").await < 3.0 {
        user += 1;
        assert!(user < 300, "the circuits don't close");
        world.get(&format!("/api/profile/{user}")).await;
        sleep(Duration::from_millis(50)).await;
    }
    // Every place is free again: as many as there are get one, and none is turned away.
    let users: Vec<String> = (101..=140).map(|user| format!("/api/profile/{user}")).collect();
    let responses = join_all(users.iter().map(|path| world.get(path))).await;
    let good = responses.iter().filter(|response| response.status == 200 && response.at("/partial") == false).count();
    assert_eq!(good, 40, "seed {seed}");
    let now = series(&world).await;
    let new: Vec<_> = now.difference(&at_first).collect();
    assert!(new.is_empty(), "these were not there at zero: {new:#?}");
}

#[tokio::test(start_paused = true)]
async fn hits_and_misses_make_up_the_lookups_and_gauges_return_to_zero() {
    for seed in 0..4 {
        storm(seed).await;
    }
}
