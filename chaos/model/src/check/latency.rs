//! `latency.p99 = "< 50ms"`: from the intended start to the last byte. Arrivals without a response count as the
//! client's timeout, since that is how long a client would have waited; leaving them out would flatter the slowest.

use super::{
    Arrival, Evidence, Finding, Leaf, Misplaced, Need, Place, Row, Shape, Subject, Unknowns, evidence::at, term,
};
use crate::{
    Comparison, Histogram,
    language::{findings::Wrong, nearest::did_you_mean, nearest::list},
    quantity::show_duration,
};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "latency",
    about: "Latencies, from when requests were due: `p50`, `p99`, `p99.9`, `mean`, `max`.",
    shape: Shape::Named(&[
        ("p50", "< 20ms"),
        ("p90", "< 30ms"),
        ("p99", "< 50ms"),
        ("mean", "< 20ms"),
        ("max", "< 1s"),
    ]),
    example: "during = \"outage\"\nlatency.p99 = \"< 50ms\"",
    needs: &[Need::Samples],
    judged: "From when a request was due to the last byte of its response; requests without a response count as \
             the client's timeout. To three significant digits, rounded up; `mean` and `max` are exact.",
    others: &[
        term("k6", "http_req_duration"),
        term("wrk2", "corrected latency"),
        term("Gatling", "responseTime.percentile"),
        term("Istio", "istio_request_duration_milliseconds"),
    ],
    from_the_end_on: false,
    condition: None,
    read,
};

/// A figure of the latencies, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Latency(Quantile, Comparison<Duration>);

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let quantile = leaf.name_as(quantile);
    let bound = leaf.latency();
    Some(Arc::new(Latency(quantile?, bound?)))
}

impl Subject for Latency {
    fn words(&self) -> String {
        format!("latency.{} {}", self.0, self.1.map(show_duration))
    }

    fn misplaced(&self, place: &Place<'_>) -> Option<Misplaced> {
        place.too_few(self.0)
    }

    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        (!self.1.holds(&arrival.latency)).then_some(arrival.latency)
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        let Self(quantile, bound) = self;
        let Some(seen) = quantile.of(&evidence.counts.latency) else {
            return Finding::inconclusive("no requests", "no request belongs to this window");
        };
        let samples = evidence.counts.latency.count();
        if samples < quantile.least_samples() {
            let why = format!("{quantile} takes at least {} requests", quantile.least_samples());
            return Finding::inconclusive(format!("{} of {samples} requests", show_duration(seen)), why);
        }
        // What is not known took no longer than was seen: one that got no response counts as the timeout already.
        let Unknowns { seen: slow, least, likely, .. } = evidence.unknown;
        let least = if bound.holds(&seen) { likely } else { least };
        let least = quantile.of(&evidence.counts.latency.with(least, slow)).unwrap_or(seen);
        let why = || evidence.unknown.why_slow(samples);
        Finding::between(bound, (&least, &seen), show_duration(seen), why).explained(|| {
            let slowest = evidence.slowest?;
            let came = slowest.result.map_or_else(str::to_owned, |status| status.to_string());
            let took = show_duration(slowest.latency);
            Some(format!("the slowest, request {} {}, took {took} ({came})", slowest.request(), at(slowest.at)))
        })
    }
}

/// The figure of the latencies that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantile {
    /// `p50`, `p99`, `p99.9`: in thousandths of a percent (50 is 50,000).
    Percentile(u32),
    /// The arithmetic mean.
    Mean,
    /// The largest.
    Max,
}

impl Quantile {
    /// The number of samples that it takes to mean anything: one in the part above it. A `p99` of 20 requests is their
    /// maximum under another name.
    #[must_use]
    pub fn least_samples(self) -> u64 {
        match self {
            Self::Percentile(thousandths) => 100_000_u64.div_ceil(100_000 - u64::from(thousandths.min(99_999))),
            Self::Mean | Self::Max => 1,
        }
    }

    fn of(self, latency: &Histogram) -> Option<Duration> {
        match self {
            Self::Percentile(thousandths) => latency.percentile(thousandths),
            Self::Mean => latency.mean(),
            Self::Max => latency.max(),
        }
    }
}

impl fmt::Display for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(thousandths) => write!(f, "p{}", f64::from(*thousandths) / 1000.0),
            Self::Mean => f.write_str("mean"),
            Self::Max => f.write_str("max"),
        }
    }
}

fn quantile(key: &str) -> Result<Quantile, Wrong> {
    const USUAL: [&str; 6] = ["p50", "p90", "p99", "p99.9", "mean", "max"];
    match key {
        "mean" => return Ok(Quantile::Mean),
        "max" => return Ok(Quantile::Max),
        _ => {}
    }
    let alias = match key {
        "median" => Some("p50"),
        "avg" | "average" => Some("mean"),
        "maximum" | "worst" => Some("max"),
        _ => None,
    };
    let wrong = |message: String, number: &str| {
        if let Some(alias) = alias {
            return Err(Wrong::new(message).advice(format!("did you mean `latency.{alias}`?")));
        }
        let advice = match number.parse::<f64>() {
            Ok(100.0) => "the largest is `latency.max`".to_owned(),
            Ok(_) => "percentiles lie above p0 and below p100, with up to three decimals".to_owned(),
            Err(_) => did_you_mean(key, &USUAL, &format!("as in {}", list(USUAL))),
        };
        Err(Wrong::new(message).advice(advice))
    };
    let Some(number) = key.strip_prefix('p') else { return wrong(format!("there is no latency called `{key}`"), key) };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = format!("{whole}{decimals:0<3}").parse::<u32>().ok();
    match thousandths {
        Some(thousandths @ 1..=99_999) if digits(whole) && digits(decimals) && decimals.len() <= 3 => {
            Ok(Quantile::Percentile(thousandths))
        }
        _ => wrong(format!("there is no latency called `{key}`"), number),
    }
}
