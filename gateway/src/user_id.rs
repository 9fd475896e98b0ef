//! The id of a user, as it stands in a path: decimal, 1 to 2⁶⁴ − 1, written in one way only.

use serde::{Serialize, Serializer};
use std::{fmt, num::NonZeroU64, str::FromStr};
use utoipa::ToSchema;

/// A user's id: decimal, from 1 to 18446744073709551615, without leading zeros.
// Only digits ever reach an upstream's path or a cache key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^[1-9][0-9]{0,19}$", example = "42")]
pub(crate) struct UserId(NonZeroU64);

/// The error of a text that isn't the id of any user, whatever the user service would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user id is a decimal number from 1 to 18446744073709551615 without leading zeros")]
pub(crate) struct BadUserId;

impl FromStr for UserId {
    type Err = BadUserId;

    fn from_str(text: &str) -> Result<Self, BadUserId> {
        // `u64::from_str` would also take a sign and leading zeros: then one user had many cache keys.
        if text.starts_with('0') || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BadUserId);
        }
        text.parse().map(Self).map_err(|_| BadUserId)
    }
}

impl UserId {
    /// The number.
    pub(crate) fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Writes a string: JSON numbers lose digits beyond 2⁵³ in most clients.
impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn only_one_way_to_write_an_id_is_taken() {
        for bad in
            ["", "0", "042", "+1", "-1", " 1", "1 ", "1.0", "0x1", "1e3", "١", "..", "1/2", "18446744073709551616"]
        {
            assert_eq!(bad.parse::<UserId>(), Err(BadUserId), "{bad:?}");
        }
        assert_eq!("18446744073709551615".parse::<UserId>().unwrap().get(), u64::MAX);
    }

    proptest! {
        #[test]
        fn what_is_taken_is_written_back_the_same(text in "[0-9+-]{0,22}") {
            if let Ok(id) = text.parse::<UserId>() {
                assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn every_positive_number_is_an_id(number in any::<u64>()) {
            assert_eq!(number.to_string().parse::<UserId>().is_ok(), number > 0);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<UserId>();
        }
    }
}
