//! The toxics of Toxiproxy 2.12: their types, their attributes, and the effects that do what they do. One row a type.

use super::error::ApiError;
use chaos_model::{
    Directions, Effect, Spread,
    effect::{Bandwidth, Discard, HalfOpen, Latency, Limit, Slice, SlowClose, discard::Then},
};
use serde_json::{Map, Value as Json};
use std::time::Duration;

/// A type of toxic: its name, its attributes and what makes an effect of them.
pub(super) struct Original {
    /// The type's name.
    pub(super) name: &'static str,
    /// Its attributes: whole numbers, 0 unless they are given.
    pub(super) attributes: &'static [&'static str],
    /// The effect of these values in this direction; none where that does nothing.
    effect: fn(&[u64], Directions) -> Option<Effect>,
}

/// All of them.
pub(super) const ORIGINALS: &[Original] = &[
    Original { name: "latency", attributes: &["latency", "jitter"], effect: latency },
    Original { name: "bandwidth", attributes: &["rate"], effect: bandwidth },
    Original { name: "slow_close", attributes: &["delay"], effect: slow_close },
    Original { name: "timeout", attributes: &["timeout"], effect: timeout },
    Original { name: "reset_peer", attributes: &["timeout"], effect: reset_peer },
    Original { name: "slicer", attributes: &["average_size", "size_variation", "delay"], effect: slicer },
    Original { name: "limit_data", attributes: &["bytes"], effect: limit_data },
];

/// Milliseconds in each: by uniform draws around `latency`.
fn latency(values: &[u64], direction: Directions) -> Option<Effect> {
    let [mean, jitter] = [values[0], values[1]].map(Duration::from_millis);
    let spread = Spread { jitter, ..Spread::constant(mean) };
    (!mean.is_zero() || !jitter.is_zero()).then(|| Latency::of(spread, direction).into())
}

/// Kilobytes of 1,000 bytes in a second. At none, what comes is held.
fn bandwidth(values: &[u64], direction: Directions) -> Option<Effect> {
    Some(match values[0] {
        0 => HalfOpen { direction }.into(),
        rate => Bandwidth { bytes_per_second: rate.saturating_mul(1000), direction }.into(),
    })
}

fn slow_close(values: &[u64], direction: Directions) -> Option<Effect> {
    let delay = Duration::from_millis(values[0]);
    (!delay.is_zero()).then(|| SlowClose { delay, direction }.into())
}

fn timeout(values: &[u64], direction: Directions) -> Option<Effect> {
    let then = match values[0] {
        0 => Then::Nothing,
        millis => Then::Close(Duration::from_millis(millis)),
    };
    Some(Discard { direction, then }.into())
}

fn reset_peer(values: &[u64], direction: Directions) -> Option<Effect> {
    Some(Discard { direction, then: Then::Reset(Duration::from_millis(values[0])) }.into())
}

/// Bytes, bytes and microseconds.
fn slicer(values: &[u64], direction: Directions) -> Option<Effect> {
    let size = u32::try_from(values[0]).unwrap_or(u32::MAX);
    // A piece has a byte at least.
    let variation = u32::try_from(values[1]).unwrap_or(u32::MAX).min(size.saturating_sub(1));
    (size > 0).then(|| Slice { size, variation, gap: Duration::from_micros(values[2]), direction }.into())
}

fn limit_data(values: &[u64], direction: Directions) -> Option<Effect> {
    Some(Limit { bytes: values[0], direction }.into())
}

impl Original {
    /// The type of this name.
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        ORIGINALS.iter().find(|original| original.name == name)
    }

    /// Its attributes, of those that are given: each is there then, and no other.
    pub(super) fn read(&self, given: &Map<String, Json>) -> Result<Map<String, Json>, ApiError> {
        let each = self.attributes.iter().map(|name| {
            let value: Option<i64> = super::body::field(given, name)?;
            Ok(((*name).to_owned(), Json::from(value.unwrap_or(0))))
        });
        each.collect()
    }

    /// The effect of these attributes, which [`Original::read`] gave, in this direction.
    pub(super) fn effect(&self, attributes: &Map<String, Json>, direction: Directions) -> Option<Effect> {
        let value = |name: &&str| attributes.get(*name).and_then(Json::as_i64).unwrap_or(0);
        // Less than nothing is nothing.
        let values: Vec<u64> = self.attributes.iter().map(|name| u64::try_from(value(name)).unwrap_or(0)).collect();
        (self.effect)(&values, direction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(name: &str, given: Json) -> String {
        let original = Original::of(name).unwrap();
        let attributes = original.read(given.as_object().unwrap()).unwrap();
        assert_eq!(attributes.len(), original.attributes.len(), "{name}");
        original.effect(&attributes, Directions::Upstream).map_or("nothing".to_owned(), |effect| effect.words())
    }

    #[test]
    fn each_type_is_an_effect_in_the_direction_of_its_stream() {
        let seen = [
            words("latency", json!({ "latency": 300, "jitter": 10 })),
            words("bandwidth", json!({ "rate": 2 })),
            words("bandwidth", json!({})),
            words("slow_close", json!({ "delay": 10 })),
            words("timeout", json!({ "timeout": 1000 })),
            words("timeout", json!({})),
            words("reset_peer", json!({ "timeout": 5 })),
            words("slicer", json!({ "average_size": 64, "size_variation": 8, "delay": 10 })),
            words("slicer", json!({ "average_size": 4, "size_variation": 9 })),
            words("limit_data", json!({ "bytes": 100, "else": "x" })),
        ];
        let expected = [
            "latency 300ms ± 10ms on what is sent",
            "bandwidth 2000B/s on what is sent",
            "half-open (upstream is dead)",
            "slow-close 10ms (upstream)",
            "discard on what is sent, closed after 1s of silence",
            "discard on what is sent",
            "discard on what is sent, reset after 5ms",
            "slice into 64B ± 8B, one each 10us on what is sent",
            "slice into 4B ± 3B on what is sent",
            "limit of 100B on what is sent",
        ];
        assert_eq!(seen.each_ref().map(String::as_str), expected);
    }

    #[test]
    fn what_does_nothing_is_nothing_and_what_is_no_number_is_refused() {
        for name in ["latency", "slow_close", "slicer"] {
            assert_eq!(words(name, json!({})), "nothing");
        }
        assert_eq!(words("latency", json!({ "latency": -5 })), "nothing");
        for wrong in [json!({ "latency": "x" }), json!({ "latency": 1.5 })] {
            assert!(Original::of("latency").unwrap().read(wrong.as_object().unwrap()).is_err(), "{wrong}");
        }
    }
}
