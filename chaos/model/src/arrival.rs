//! The identity of an arrival: which request of which run it is, wherever it is met.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// The member of a request's baggage (W3C Baggage) that holds its [`ArrivalId`].
pub const BAGGAGE_KEY: &str = "chaos.request";

/// A number that tells a run's requests from those of other runs, so that what strangers send, or a replay of an earlier
/// run, is not taken for them.
///
/// It is the machine's, since whoever knows the seed could foretell it. In a simulation, where there are no strangers, it is
/// made from the seed, so that what is recorded stays the same, byte for byte. No draw depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce(pub u64);

impl Nonce {
    /// The nonce that is made of this number.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        // The finaliser of SplitMix64 (Steele, Lea, Flood 2014): neighbouring seeds have nonces that share nothing.
        let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(mixed ^ (mixed >> 31))
    }
}

/// Sixteen hexadecimal digits.
impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Nonce {
    type Err = NoArrivalId;

    fn from_str(text: &str) -> Result<Self, NoArrivalId> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 16 || !text.bytes().all(is_hex) {
            return Err(NoArrivalId);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| NoArrivalId)
    }
}

impl Serialize for Nonce {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Nonce {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wrong = |_| D::Error::custom("a nonce is sixteen hexadecimal digits, as `9f3c5a1b2d4e6f70`");
        String::deserialize(from)?.parse().map_err(wrong)
    }
}

/// Seed and nonce of a run: what its draws are made by, and what its requests are known by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunKey {
    /// The seed of every draw.
    pub seed: u64,
    /// The nonce that requests of the run carry.
    pub nonce: Nonce,
}

/// A request of the load: the number of its journey, and its step there. They are ordered by these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// The number of the journey in its run, from 0.
    pub n: u64,
    /// The step, from 0.
    pub step: u32,
}

/// The first step of a journey, which is its only one for a request by itself.
impl From<u64> for RequestId {
    fn from(n: u64) -> Self {
        Self { n, step: 0 }
    }
}

/// The journey's number, and which step it is beyond the first: `812`, `812, step 2`.
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { n, step: 0 } => n.fmt(f),
            Self { n, step } => write!(f, "{n}, step {}", u64::from(*step) + 1),
        }
    }
}

/// An arrival of a run, as requests carry it in their baggage and ledgers keep it: `9f3c5a1b2d4e6f70-812-0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArrivalId {
    /// The run's nonce.
    pub nonce: Nonce,
    /// The arrival's number in its run, from 0.
    pub n: u64,
    /// The step of its journey, from 0. A request that is no part of a journey is step 0.
    pub step: u32,
}

impl ArrivalId {
    /// The request of the load that it is.
    #[must_use]
    pub fn request(&self) -> RequestId {
        RequestId { n: self.n, step: self.step }
    }

    /// The nth arrival of the run with this seed, which has one step.
    #[must_use]
    pub fn of_seed(seed: u64, n: u64) -> Self {
        Self { nonce: Nonce::of_seed(seed), n, step: 0 }
    }
}

impl fmt::Display for ArrivalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nonce, n, step } = self;
        write!(f, "{nonce}-{n}-{step}")
    }
}

/// A text that is no [`ArrivalId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoArrivalId;

impl fmt::Display for NoArrivalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no arrival of a run, as `9f3c5a1b2d4e6f70-812-0`")
    }
}

impl std::error::Error for NoArrivalId {}

/// Takes what [`Display`](fmt::Display) gives and nothing else, so that no two texts are one arrival.
impl FromStr for ArrivalId {
    type Err = NoArrivalId;

    fn from_str(text: &str) -> Result<Self, NoArrivalId> {
        let mut parts = text.split('-');
        let (Some(nonce), Some(n), Some(step), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(NoArrivalId);
        };
        let is_number =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        let nonce = nonce.parse()?;
        if !is_number(n) || !is_number(step) {
            return Err(NoArrivalId);
        }
        let (n, step) = (n.parse().map_err(|_| NoArrivalId)?, step.parse().map_err(|_| NoArrivalId)?);
        Ok(Self { nonce, n, step })
    }
}

impl Serialize for ArrivalId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ArrivalId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_survives_its_text() {
        for id in [ArrivalId::of_seed(1, 0), ArrivalId { nonce: Nonce(7), n: u64::MAX, step: u32::MAX }] {
            assert_eq!(id.to_string().parse(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(serde_json::from_str::<ArrivalId>(&json).unwrap(), id, "{json}");
        }
        assert_eq!(ArrivalId { nonce: Nonce(0xab), n: 7, step: 0 }.to_string(), "00000000000000ab-7-0");
    }

    #[test]
    fn what_was_written_by_others_is_no_arrival() {
        for text in [
            "",
            "7",
            "ab-7-0",
            "00000000000000AB-7-0",
            "00000000000000ab-07-0",
            "00000000000000ab-7",
            "00000000000000ab-+7-0",
            "00000000000000ab-7-0-0",
            "00000000000000ab-7-",
        ] {
            assert_eq!(text.parse::<ArrivalId>(), Err(NoArrivalId), "{text}");
        }
    }

    #[test]
    fn nonces_are_pinned() {
        // They stand in recorded runs. The first is SplitMix64's own first number for the seed 0.
        assert_eq!(Nonce::of_seed(0).to_string(), "e220a8397b1dcdaf");
        assert_ne!(Nonce::of_seed(1), Nonce::of_seed(2));
    }
}
