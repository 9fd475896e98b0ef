//! The ids of users, orders and products: how they are written, and nothing about which exist.
//!
//! Each id has exactly one spelling (no sign, no leading zero, ASCII digits alone), so that two spellings can never be
//! two entries of one cache.

use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// The text is not an id of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct BadId;

/// A user's id: `1`, `42`, … (up to 2⁶⁴ − 1, as the gateway takes them: a number that is nobody's is unknown, not
/// malformed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserId(pub u64);

/// A product's id: `p1`, `p42`, … (at most nine digits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProductId(pub u32);

/// An order's id: `o42003` is the third order of user 42.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub u64);

/// Nine digits always fit into 32 bits.
const MOST_DIGITS_OF_A_PRODUCT: usize = 9;

fn number<N: FromStr>(digits: &str) -> Result<N, BadId> {
    // `from_str` would also take a sign and leading zeros.
    let canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    if canonical { digits.parse().map_err(|_| BadId) } else { Err(BadId) }
}

impl FromStr for UserId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        number(text).map(Self)
    }
}

impl FromStr for ProductId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let digits = text.strip_prefix('p').ok_or(BadId)?;
        if digits.len() > MOST_DIGITS_OF_A_PRODUCT { Err(BadId) } else { number(digits).map(Self) }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "o{}", self.0)
    }
}

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for ProductId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for OrderId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_ids_are_read() {
        assert_eq!("18446744073709551615".parse(), Ok(UserId(u64::MAX)));
        assert_eq!("p999999999".parse(), Ok(ProductId(999_999_999)));
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in
            ["", "0", "042", "+42", "-1", " 42", "42 ", "4.2", "1e3", "18446744073709551616", "0x2a", "٤٢", "p42"]
        {
            assert_eq!(text.parse::<UserId>(), Err(BadId), "{text:?}");
        }
        for text in ["", "p", "42", "p0", "p042", "P42", "p+42", "pp42", "p1000000000", "o42", "p42/"] {
            assert_eq!(text.parse::<ProductId>(), Err(BadId), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_the_same(text in "\\PC{0,12}|[p0-9]{1,11}|[0-9]{18,21}") {
            if let Ok(id) = text.parse::<UserId>() {
                prop_assert_eq!(id.to_string(), text.clone());
            }
            if let Ok(id) = text.parse::<ProductId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn whatever_is_written_is_read_the_same(user in 1..=u64::MAX, product in 1..=999_999_999_u32) {
            prop_assert_eq!(UserId(user).to_string().parse(), Ok(UserId(user)));
            prop_assert_eq!(ProductId(product).to_string().parse(), Ok(ProductId(product)));
        }
    }
}
