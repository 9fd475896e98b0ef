//! The fourteen ways in which Redis fails, by number:
//!
//! | | |
//! |---|---|
//! | [`away`] | 1 refused, 2 blackholed, 3 frozen, 4 slow but alive, 5 reset in the middle of a reply, 6 half-open after idling |
//! | [`refusals`] | 7 LOADING, 8 READONLY after a failover, 9 OOM on SET, 10 NOAUTH, WRONGPASS, NOPERM, max clients, also as a poisoned handshake |
//! | [`data`] | 11 empty after a restart, 12 a value that is truncated, of another type, version or key, 13 a lost reply |
//! | [`back`] | 14 back again: no herd, nothing old over something newer, both tiers agree |
//!
//! Each rides through its failure with [`Ride`]: clients at 200 requests a second, none of whom may fail or wait longer
//! than for one GET, while attempts to connect are counted; the reason must be in metrics, log and `/health`; and what
//! is asked afterwards must come from Redis again. What is special to one way is in its own test.

mod away;
mod back;
mod data;
mod refusals;

use crate::support::{Logs, Response, World};
use futures_util::future;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A request waits for Redis no longer.
const GET_TIMEOUT: Duration = Duration::from_millis(25);

/// From one request to the next.
const PACE: Duration = Duration::from_millis(5);

/// Users whose profiles are in both tiers.
const WARM: u64 = 20;

/// Once a failure has lasted this long, nobody waits for Redis any more.
const NOTICED: Duration = Duration::from_millis(500);

/// A system, its log, and what its Redis was asked.
struct Ride {
    world: World,
    logs: Logs,
    next_user: u64,
}

impl std::ops::Deref for Ride {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Ride {
    /// Twenty profiles are in both tiers.
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let (world, logs) = Logs::of(|| World::start_with(settings, crate::support::Mood::Good));
        let ride = Self { world, logs, next_user: 1_000 };
        ride.redis_is_used().await;
        for user in 1..=WARM {
            assert_whole(&ride.profile(user).await, user);
        }
        // Long enough for the next attempt to connect to be the first of its second.
        sleep(Duration::from_secs(1)).await;
        assert_eq!(ride.profile(1).await.source(), "redis");
        ride
    }

    async fn profile(&self, user: u64) -> Response {
        self.get(&format!("/api/profile/{user}")).await
    }

    /// Requests for this long: nine for warm users, then one for a user whom nobody has asked for yet. Gives how long
    /// each took, in the order of their starts.
    async fn asked_for(&mut self, time: Duration) -> Vec<(Duration, Response)> {
        let (count, first_new) = (u64::try_from(time.as_millis() / PACE.as_millis()).unwrap(), self.next_user);
        self.next_user += count / 10 + 1;
        let started = Instant::now();
        let requests = (0..count).map(|n| {
            let user = if n % 10 == 9 { first_new + n / 10 } else { (n - n / 10) % WARM + 1 };
            let world = &self.world;
            async move {
                sleep(PACE * u32::try_from(n).unwrap()).await;
                let since = started.elapsed();
                let response = world.get(&format!("/api/profile/{user}")).await;
                assert_whole(&response, user);
                assert!(response.took <= GET_TIMEOUT, "{user} after {since:?} took {:?}", response.took);
                (since, response)
            }
        });
        let (responses, ()) = future::join(future::join_all(requests), self.connects_are_few(time)).await;
        responses
    }

    /// While a failure of reads lasts: as [`Ride::suffered_for`], and after a while Redis is asked no more, but by
    /// probes.
    async fn stopped_asking_for(&mut self, time: Duration) {
        self.suffered_for(NOTICED).await;
        let asked = self.redis.asked_for_profiles();
        self.suffered_for(time - NOTICED).await;
        assert_eq!(self.redis.asked_for_profiles(), asked, "profiles were asked for while it was away");
    }

    /// While a failure lasts: nobody fails, nobody waits for more than one GET, after a while nobody waits at all.
    async fn suffered_for(&mut self, time: Duration) {
        let responses = self.asked_for(time).await;
        let waited: Vec<_> = responses.iter().filter(|(_, response)| !response.took.is_zero()).collect();
        let last = waited.last().map(|(since, _)| *since).unwrap_or_default();
        assert!(last <= NOTICED, "{} waited, the last one after {last:?}", waited.len());
    }

    /// Never more than two attempts to connect within a second, nor two connections at once.
    async fn connects_are_few(&self, time: Duration) {
        let (mut attempts, mut counted) = (Vec::new(), self.redis.attempts());
        let end = Instant::now() + time;
        while Instant::now() < end {
            let now = self.redis.attempts();
            attempts.extend((counted..now).map(|_| Instant::now()));
            counted = now;
            assert!(self.redis.open() <= 1, "{} connections are open", self.redis.open());
            sleep(Duration::from_millis(1)).await;
        }
        for three in attempts.windows(3) {
            assert!(three[2] - three[0] >= Duration::from_secs(1), "{three:?}");
        }
    }

    /// The reason is in metrics, log and `/health`.
    async fn is_named(&self, reason: &str) {
        let failures = self.metric(&format!("redis_failures_total{{reason=\"{reason}\"}}")).await;
        assert!(failures > 0.0, "{reason} was not counted");
        let text = self.logs.text();
        // A line about Redis says it, or that of a request for which it gave nothing.
        let of_redis: Vec<&str> = text.lines().filter(|line| line.contains("redis: ")).collect();
        let said = of_redis.iter().any(|line| line.contains(&format!("\"{reason}\"")));
        let said_of_a_request = text.contains(&format!("redis:{reason}"));
        assert!(said || said_of_a_request, "{reason} is not in the log: {of_redis:#?}");
        assert_eq!(self.get("/health").await.at("/components/redis/last_reason"), reason);
    }

    /// The judgement of reads and writes in `/health`.
    async fn judged(&self) -> [serde_json::Value; 2] {
        let health = self.get("/health").await;
        ["reads", "writes"].map(|side| health.at(&format!("/components/redis/{side}")))
    }

    /// The failure is over: Redis is used again within `time`, and then answers everybody.
    async fn recovers_within(&mut self, time: Duration) {
        let over = Instant::now();
        for selector in ["redis_mode{side=\"read\",mode=\"up\"}", "redis_mode{side=\"write\",mode=\"up\"}"] {
            self.until(selector, 1.0).await;
        }
        assert!(over.elapsed() <= time, "it took {:?}", over.elapsed());
        // Those that Redis does not have are given back by whoever is asked for them.
        self.asked_for(Duration::from_millis(500)).await;
        self.settle().await;
        for user in 1..=WARM {
            let response = self.profile(user).await;
            assert_whole(&response, user);
            assert_eq!(response.source(), "redis", "{user}");
        }
        assert_eq!(self.get("/health").await.at("/status"), "ok");
    }
}

impl Response {
    fn source(&self) -> String {
        self.at("/meta/parts/user/source").as_str().unwrap().to_owned()
    }
}

/// Asserts the whole profile of this user and of nobody else.
fn assert_whole(response: &Response, user: u64) {
    let user = user.to_string();
    assert_eq!((response.status.as_u16(), response.at("/partial")), (200, false.into()), "{}", response.text);
    for place in ["/user_id", "/user/id", "/orders/0/user_id"] {
        assert_eq!(response.at(place), *user, "{place}");
    }
}
