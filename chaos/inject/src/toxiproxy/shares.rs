//! Toxicity, as a share.

use chaos_model::Share;

/// The whole that a toxicity is a part of: finer than clients write it.
const WHOLE: u32 = 1_000_000_000;

/// The share that a toxicity is. Beyond 0 and 1 it is none and all.
pub(super) fn of_toxicity(toxicity: f64) -> Share {
    if toxicity >= 1.0 {
        return Share::ALL;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a billion")]
    let parts = (toxicity.max(0.0) * f64::from(WHOLE)).round() as u64;
    Share { parts, whole: u64::from(WHOLE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toxicity_is_a_share_from_none_to_all() {
        let parts = |toxicity| of_toxicity(toxicity).parts;
        assert_eq!((parts(0.0), parts(-1.0), parts(f64::NAN)), (0, 0, 0));
        assert_eq!((parts(0.5), parts(0.1), parts(1e-9)), (500_000_000, 100_000_000, 1));
        assert_eq!([1.0, 2.0].map(of_toxicity), [Share::ALL; 2]);
    }
}
