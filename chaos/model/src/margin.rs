//! Margins: how much of the room that a bound leaves was used.

use crate::{Comparison, Share};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// All of the room, in thousandths.
const ALL: u32 = 1000;
/// More than this is not told apart: nobody reads that something took three million times as long.
const MOST: f64 = 1_000_000.0;

/// A part of the room that a bound leaves: none of it is best, all of it is at the bound, and more is beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Margin {
    /// The part that was used, in thousandths.
    pub used_permille: u32,
    /// The room.
    pub room: Room,
}

/// The kinds of room that bounds leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Room {
    /// From nothing to a bound from above: 40 ms of `< 50ms` are 80 %.
    Bound,
    /// From all to the least share that is asked for: of `>= 99%`, 99.2 % have lost 0.8 of the one percent that may be lost.
    Loss,
    /// From a bound from below to what was seen: of 125 that were seen, `>= 100` needs 80 %.
    Need,
    /// From the middle of `x..y` to its nearer end.
    Band,
}

impl Margin {
    /// The part of the room that was used: 1 is at the bound.
    #[must_use]
    pub fn used(self) -> f64 {
        f64::from(self.used_permille) / f64::from(ALL)
    }

    /// The part in percent: `80%`, `99.5%`.
    #[must_use]
    pub fn percent(self) -> String {
        let (whole, tenth) = (self.used_permille / 10, self.used_permille % 10);
        if tenth == 0 { format!("{whole}%") } else { format!("{whole}.{tenth}%") }
    }

    /// The same where it is known whether the bound holds, so that rounding never says otherwise.
    #[must_use]
    pub fn of(self, holds: bool) -> Self {
        let used_permille = if holds { self.used_permille.min(ALL) } else { self.used_permille.max(ALL) };
        Self { used_permille, ..self }
    }
}

impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.percent();
        match self.room {
            Room::Bound => write!(f, "at {percent} of its bound"),
            Room::Loss => write!(f, "{percent} of what may be lost"),
            Room::Need => write!(f, "{percent} of it are needed"),
            Room::Band => write!(f, "{percent} of the way to its bound"),
        }
    }
}

/// A quantity that bounds are about.
pub trait Bounded: PartialOrd {
    /// The number that stands for it.
    fn number(&self) -> f64;

    /// The most that it may be, where there is one: then `>=` is about what is lost of it.
    const ALL: Option<f64> = None;
}

impl Bounded for Share {
    const ALL: Option<f64> = Some(1.0);

    fn number(&self) -> f64 {
        self.as_f64()
    }
}

impl Bounded for Duration {
    fn number(&self) -> f64 {
        self.as_secs_f64()
    }
}

impl Bounded for f64 {
    fn number(&self) -> f64 {
        *self
    }
}

impl<T: Bounded> Comparison<T> {
    /// The room that was used by what lies between `least` and `most`, both included: the most of it. None where the bound
    /// leaves no room (`== 0`, `>= 100%`, `> 0`), or no part of it can be told.
    #[must_use]
    pub fn margin(&self, least: &T, most: &T) -> Option<Margin> {
        let (one, other) = (self.used(least.number())?, self.used(most.number())?);
        let ((used, room), holds) = (if one.0 > other.0 { one } else { other }, self.holds_throughout(least, most));
        if !used.is_finite() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a million")]
        let used_permille = (used * f64::from(ALL)).round().clamp(0.0, MOST) as u32;
        // What is short of the bound is not said to be at it, nor what is just beyond, and little is not nothing.
        let used_permille = match used_permille {
            0 if used > 0.0 => 1,
            ALL if used < 1.0 => ALL - 1,
            ALL if used > 1.0 && !holds => ALL + 1,
            permille => permille,
        };
        Some(Margin { used_permille, room })
    }

    fn used(&self, seen: f64) -> Option<(f64, Room)> {
        let above_zero = |whole: f64| (whole > 0.0 && whole.is_finite()).then_some(whole);
        match self {
            Self::Less(bound) | Self::AtMost(bound) => Some((seen / above_zero(bound.number())?, Room::Bound)),
            Self::More(bound) | Self::AtLeast(bound) => match T::ALL {
                Some(all) => Some(((all - seen) / above_zero(all - bound.number())?, Room::Loss)),
                None => Some((above_zero(bound.number())? / above_zero(seen)?, Room::Need)),
            },
            Self::Between(low, high) => {
                let (low, high) = (low.number(), high.number());
                let half = above_zero((high - low) / 2.0)?;
                Some(((seen - (low + half)).abs() / half, Room::Band))
            }
            Self::Equal(_) | Self::Different(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Comparison::{AtLeast, AtMost, Between, Different, Equal, Less, More};

    fn share(parts: u64, whole: u64) -> Share {
        Share { parts, whole }
    }

    fn words<T: Bounded>(bound: &Comparison<T>, seen: &T) -> Option<String> {
        bound.margin(seen, seen).map(|margin| margin.to_string())
    }

    #[test]
    fn a_bound_from_above_is_used_from_nothing_on() {
        let ms = Duration::from_millis;
        assert_eq!(words(&Less(ms(50)), &ms(40)).unwrap(), "at 80% of its bound");
        assert_eq!(words(&Less(ms(50)), &ms(75)).unwrap(), "at 150% of its bound");
        assert_eq!(words(&AtMost(share(5, 100)), &share(1, 800)).unwrap(), "at 2.5% of its bound");
        assert_eq!(words(&AtMost(1.25), &1.0).unwrap(), "at 80% of its bound");
    }

    #[test]
    fn a_share_that_is_to_be_reached_is_used_by_what_is_lost() {
        assert_eq!(words(&AtLeast(share(99, 100)), &share(992, 1000)).unwrap(), "80% of what may be lost");
        assert_eq!(words(&AtLeast(share(999, 1000)), &share(99_995, 100_000)).unwrap(), "5% of what may be lost");
        assert_eq!(words(&AtLeast(share(99, 100)), &share(97, 100)).unwrap(), "300% of what may be lost");
    }

    #[test]
    fn a_number_that_is_to_be_reached_is_used_by_what_is_needed_of_it() {
        assert_eq!(words(&AtLeast(100.0), &125.0).unwrap(), "80% of it are needed");
        assert_eq!(words(&More(Duration::from_secs(1)), &Duration::from_secs(4)).unwrap(), "25% of it are needed");
        assert_eq!(words(&AtLeast(100.0), &0.0), None);
    }

    #[test]
    fn a_band_is_used_from_its_middle_on() {
        assert_eq!(words(&Between(10.0, 20.0), &19.0).unwrap(), "80% of the way to its bound");
        let half = words(&Between(share(49, 100), share(51, 100)), &share(495, 1000));
        assert_eq!(half.unwrap(), "50% of the way to its bound");
    }

    #[test]
    fn what_leaves_no_room_has_no_margin() {
        assert_eq!(words(&Equal(0.0), &0.0), None);
        assert_eq!(words(&Different(0.0), &1.0), None);
        assert_eq!(words(&AtMost(share(0, 100)), &share(0, 100)), None);
        assert_eq!(words(&AtLeast(Share::ALL), &share(99, 100)), None);
        assert_eq!(words(&More(0.0), &612.0), None);
        assert_eq!(AtMost(5.0).margin(&1.0, &f64::INFINITY), None, "nobody knows how many");
    }

    #[test]
    fn rounding_never_says_that_a_bound_is_met_or_broken() {
        let used = |bound: Comparison<f64>, seen: f64| bound.margin(&seen, &seen).unwrap().percent();
        assert_eq!(used(Less(100_000.0), 0.0), "0%");
        assert_eq!(used(Less(100_000.0), 1.0), "0.1%");
        assert_eq!(used(Less(100_000.0), 99_999.0), "99.9%");
        assert_eq!(used(Less(100_000.0), 100_000.0), "100%");
        assert_eq!(used(Less(100_000.0), 100_001.0), "100.1%");
        let margin = AtMost(100.0).margin(&80.0, &120.0).unwrap();
        assert_eq!((margin.percent(), margin.of(true).percent()), ("120%".to_owned(), "100%".to_owned()));
        assert_eq!(AtMost(100.0).margin(&80.0, &80.0).unwrap().of(false).percent(), "100%");
    }
}
