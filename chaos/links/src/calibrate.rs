//! Calibration of this machine: how much a proxy adds when it does nothing, and how exactly faults come out.
//!
//! The same proxy as in a run, over loopback, in some ten seconds. Requests are made open-loop, one each millisecond on
//! ten connections, and are timed from when they were sent, so that a late sender is no fault of the proxy. What is
//! asked for is compared with what is seen beyond an idle proxy, which is measured before and after.

mod bench;
mod requests;

pub use bench::Failed;

use bench::Bench;
use chaos_model::{
    Calibration, Directions, Share,
    calibration::{LatencyAccuracy, Quantiles, RateAccuracy, ShareAccuracy, TransferAccuracy, rate},
    effect::{Bandwidth, Latency, Spread},
};
use host::Host;
use std::time::Duration;

/// Delays that are tried, and for how many requests.
const DELAYS: [(Duration, usize); 3] =
    [(Duration::from_millis(1), 1500), (Duration::from_millis(10), 2000), (Duration::from_millis(200), 1500)];

/// Requests without a proxy, or through an idle one, at a time.
const IDLE: usize = 1000;

/// Bytes that go there and back under a delay, the delay, and how often that is tried: medians are told.
const TRANSFER: (usize, Duration, usize) = (16 << 20, Duration::from_millis(100), 5);

/// Bytes a second.
const RATE: u64 = 1 << 20;

/// Requests on one connection of which a share is met.
const REQUESTS: u64 = 5000;

// By a command, and remembered, rather than in each run: a 99th percentile needs ten seconds, and a run that began with
// less would carry a figure that says nothing.
/// Measures. Whoever calls holds the run lock of the machine, so that no run disturbs it nor is disturbed.
///
/// # Errors
/// Where the machine gives no port or breaks connections.
pub async fn calibrate(host: &Host) -> Result<Calibration, Failed> {
    let bench = Bench::start(host)?;
    bench.round_trips(bench.direct(), IDLE / 4).await?;
    let direct = bench.round_trips(bench.direct(), IDLE).await?;
    let before = bench.round_trips(bench.through(), IDLE).await?;
    let mut latencies = Vec::new();
    for (asked, requests) in DELAYS {
        let latency = Latency::of(Spread::constant(asked), Directions::Downstream);
        latencies.push((asked, bench.under(latency.into(), bench.round_trips(bench.through(), requests)).await?));
    }
    let after = bench.round_trips(bench.through(), IDLE).await?;
    let idle = quieter(before, after);
    let accuracy = |(asked, seen): (Duration, Quantiles)| LatencyAccuracy { asked, achieved: seen.beyond(idle) };
    Ok(Calibration {
        unix_ms: u64::try_from(host.unix_now().as_millis()).unwrap_or(u64::MAX),
        idle: idle.beyond(direct),
        latency: latencies.into_iter().map(accuracy).collect(),
        transfer: Some(transfer(&bench).await?),
        bandwidth: bandwidth(&bench).await?,
        share: share(host).await?,
    })
}

/// Noise of the machine only ever adds.
fn quieter(one: Quantiles, other: Quantiles) -> Quantiles {
    Quantiles { p50: one.p50.min(other.p50), p99: one.p99.min(other.p99) }
}

/// By turns, so that what disturbs the machine disturbs both alike.
async fn transfer(bench: &Bench) -> Result<TransferAccuracy, Failed> {
    let (length, asked, times) = TRANSFER;
    let (mut idle, mut took) = (Vec::new(), Vec::new());
    for _ in 0..times {
        idle.push(bench.transfer(length).await?);
        let latency = Latency::of(Spread::constant(asked), Directions::Downstream);
        took.push(bench.under(latency.into(), bench.transfer(length)).await?);
    }
    let [idle, took] = [idle, took].map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    Ok(TransferAccuracy { bytes: length as u64, asked, idle, took })
}

async fn bandwidth(bench: &Bench) -> Result<RateAccuracy, Failed> {
    let effect = Bandwidth { bytes_per_second: RATE, direction: Directions::Downstream };
    let length = usize::try_from(RATE).unwrap_or(usize::MAX);
    let took = bench.under(effect.into(), bench.transfer(length)).await?;
    Ok(RateAccuracy { asked: RATE, achieved: rate(RATE, took) })
}

async fn share(host: &Host) -> Result<ShareAccuracy, Failed> {
    let asked = Share { parts: 1, whole: 10 };
    let met = requests::met(host, asked, REQUESTS).await?;
    Ok(ShareAccuracy { asked, met: Share { parts: met, whole: REQUESTS } })
}
