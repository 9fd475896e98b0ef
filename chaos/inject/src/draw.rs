//! Draws that don't depend on the order in which they are made.
//!
//! Each is a pure function of the seed, the fault's name, the link and what is decided about, and never the next number
//! of a stream. So equal keys decide alike in every world, whatever other faults there are.

use crate::interpreter::Way;
use chaos_model::{Distribution, Share};
use host::Random;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};
use std::time::Duration;

/// What all draws of one fault on one link have in common.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    pub(crate) seed: u64,
    pub(crate) fault: String,
    pub(crate) link: String,
}

impl Draws {
    /// Whether the fault takes the nth connection (counted from 0). Exact, without floating point: the connection's hash
    /// is a number in [0, 1) and is below the share or not, which makes 10 % a subset of 20 %.
    pub(crate) fn takes(&self, share: Share, connection: u64) -> bool {
        let hash = self.hash(&[&connection.to_le_bytes()]);
        // hash / 2^64 < parts / whole; a share of nothing takes nothing.
        share.whole > 0 && u128::from(hash) * u128::from(share.whole) < u128::from(share.parts) << 64
    }

    /// The delay of the kth chunk (counted from 0) that goes this way on the nth connection. Never below 0.
    pub(crate) fn delay(&self, connection: u64, way: Way, kth: u64, spread: &Spread) -> Duration {
        if spread.jitter.is_zero() {
            return spread.mean;
        }
        let mut random =
            Random::seed_from_u64(self.hash(&[&connection.to_le_bytes(), way.name().as_bytes(), &kth.to_le_bytes()]));
        let deviation: f64 = match spread.distribution {
            Distribution::Uniform => random.random_range(-1.0..=1.0),
            Distribution::Normal => StandardNormal.sample(&mut random),
        };
        let seconds = spread.mean.as_secs_f64() + deviation * spread.jitter.as_secs_f64();
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    fn hash(&self, keys: &[&[u8]]) -> u64 {
        let mut all = [self.fault.as_bytes(), self.link.as_bytes(), &[], &[], &[]];
        let length = 2 + keys.len();
        all[2..length].copy_from_slice(keys);
        host::hash(self.seed, &all[..length])
    }
}

/// How delays are spread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) mean: Duration,
    pub(crate) jitter: Duration,
    pub(crate) distribution: Distribution,
}
