//! Redis is frozen under 200 requests a second.

use crate::{load, system::System};
use chaos_model::Variable;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

const USERS: Variable = Variable::Zipf { low: 1, high: 500, exponent: 1.0 };
const RATE: u32 = 200;
const TTL: Duration = Duration::from_secs(5);

/// The times at which Redis is frozen and thawed, and at which it must be as before.
const FROZEN: Duration = Duration::from_secs(8);
const THAWED: Duration = Duration::from_secs(16);
const AS_BEFORE: Duration = Duration::from_secs(16 + 5 + 2);
const END: Duration = Duration::from_secs(16 + 5 + 2 + 5);

/// Calls to the user service up to a moment.
type Calls = Vec<(Duration, f64)>;

/// Looks at a system from time to time until `end`.
async fn watch<T>(
    started: Instant,
    end: Duration,
    every: Duration,
    mut look: impl AsyncFnMut() -> T,
) -> Vec<(Duration, T)> {
    let mut seen = Vec::new();
    while started.elapsed() < end {
        let at = started.elapsed();
        seen.push((at, look().await));
        sleep(every).await;
    }
    seen
}

async fn calls(system: &System) -> f64 {
    system.metric_of("user-service", "http_requests_total{route=\"/users/{id}\"}").await
}

/// The most calls in any second between two moments.
fn peak(calls: &Calls, from: Duration, to: Duration) -> f64 {
    let within: Vec<_> = calls.iter().filter(|(at, _)| (from..to).contains(at)).collect();
    let rates = within.iter().enumerate().filter_map(|(index, (at, before))| {
        let (then, after) = within[index..].iter().find(|(then, _)| *then - *at >= Duration::from_secs(1))?;
        Some((after - before) / (*then - *at).as_secs_f64())
    });
    rates.fold(0.0, f64::max)
}

/// Share of lookups in Redis that gave a profile, between two moments of `(lookups, hits)`.
fn hit_ratio(seen: &[(Duration, (f64, f64))], from: Duration, to: Duration) -> f64 {
    let at = |moment: Duration| seen.iter().find(|(at, _)| *at >= moment).or(seen.last()).unwrap().1;
    let ((lookups, hits), (later_lookups, later_hits)) = (at(from), at(to));
    (later_hits - hits) / (later_lookups - lookups)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute, and wants a release build and a quiet machine"]
async fn nobody_fails_nobody_waits_and_it_is_found_again() {
    // What it costs where nothing is cached.
    let cold = System::start(&[("GATEWAY_CACHE", "off")]).await;
    let started = Instant::now();
    let time = Duration::from_secs(6);
    let (outcomes, cold_calls) = tokio::join!(
        load::put(&cold, RATE, time, USERS),
        watch(started, time, Duration::from_millis(50), async || calls(&cold).await),
    );
    assert_eq!(outcomes.failed(), 0);
    let second = Duration::from_secs(1);
    let (cold_p99, cold_peak) = (outcomes.within(second, time).latency(99_000), peak(&cold_calls, second, time));
    drop(cold);

    let system = System::start(&[("GATEWAY_CACHE_TTL", "5s")]).await;
    let started = Instant::now();
    let freezing = async {
        sleep_until(started + FROZEN).await;
        system.freeze("redis");
        sleep_until(started + THAWED).await;
        system.thaw("redis");
    };
    let (outcomes, served, looked_up, sockets, ()) = tokio::join!(
        load::put(&system, RATE, END, USERS),
        watch(started, END, Duration::from_millis(50), async || calls(&system).await),
        watch(started, END, Duration::from_millis(50), async || {
            let lookups = system.metric("cache_lookups_total{tier=\"redis\"}").await;
            (lookups, system.metric("cache_hits_total{tier=\"redis\"}").await)
        }),
        watch(started, THAWED, Duration::from_millis(5), async || system.connections_to_redis()),
        freezing,
    );

    let during = outcomes.within(FROZEN, THAWED);
    let before = hit_ratio(&looked_up, FROZEN - Duration::from_secs(3), FROZEN);
    let after = hit_ratio(&looked_up, AS_BEFORE, END);
    let peak_after = peak(&served, THAWED, END);
    let (most, closest) = connects(&sockets);
    println!("cold: p99 {cold_p99:?}, {cold_peak:.0} calls/s at most");
    println!(
        "frozen: {} requests, {} failed, p50 {:?}, p99 {:?}, slowest {:?}",
        during.count(),
        during.failed(),
        during.latency(50_000),
        during.latency(99_000),
        during.slowest()
    );
    println!("frozen: {most} connections at once at most, three connects within {closest:?} at the closest");
    println!("hit ratio of Redis: {before:.3} before, {after:.3} from TTL + 2 s after the thaw");
    println!("thawed: {peak_after:.0} calls/s at most");
    assert_eq!((outcomes.failed(), outcomes.partial()), (0, 0));
    assert!(during.latency(99_000) <= cold_p99 + Duration::from_millis(30));
    assert!(most <= 1 && closest >= Duration::from_millis(980));
    assert!(after >= 0.95 * before);
    assert!(peak_after <= 1.25 * cold_peak);
    assert_eq!(AS_BEFORE, THAWED + TTL + Duration::from_secs(2));
}

/// The most connections at once while Redis is frozen, and the shortest time in which three were begun.
fn connects(sockets: &[(Duration, Vec<u64>)]) -> (usize, Duration) {
    let mut known: Vec<(u64, Duration)> = Vec::new();
    let mut most = 0;
    for (at, inodes) in sockets {
        for inode in inodes {
            if !known.iter().any(|(there, _)| there == inode) {
                known.push((*inode, *at));
            }
        }
        if *at >= FROZEN {
            most = most.max(inodes.len());
        }
    }
    let closest = known.windows(3).map(|three| three[2].1 - three[0].1).min().unwrap_or(Duration::MAX);
    assert!(known.len() >= 5, "there were attempts: {known:?}");
    (most, closest)
}
