//! The way back to a Redis that was away: a few lookups at first, then more, so that it isn't met by all at once. Pure.

use std::time::Duration;

/// The share of lookups that the ramp begins with.
const FIRST_SHARE: f64 = 0.1;

/// The share of lookups (0 to 1) that asks Redis when it has been back for `since`, of a ramp that takes `length`;
/// `None` once the ramp is over.
pub(super) fn share(since: Duration, length: Duration) -> Option<f64> {
    (since < length).then(|| FIRST_SHARE + (1.0 - FIRST_SHARE) * since.as_secs_f64() / length.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_from_a_tenth_to_all() {
        let at = |millis| share(Duration::from_millis(millis), Duration::from_secs(2));
        assert_eq!(at(0), Some(0.1));
        assert!((at(1000).unwrap() - 0.55).abs() < 1e-9);
        assert!(at(1999).unwrap() > 0.99);
        assert_eq!(at(2000), None);
        assert_eq!(share(Duration::ZERO, Duration::ZERO), None);
    }
}
