use host::hash;

/// The random numbers of one thing (user 42, product p9). Each is found by its name, never by its turn, so that a new
/// field changes no other.
#[derive(Clone, Copy)]
pub(super) struct Draw {
    seed: u64,
    kind: &'static str,
    number: u64,
}

impl Draw {
    pub(super) fn new(seed: u64, kind: &'static str, number: impl Into<u64>) -> Self {
        Self { seed, kind, number: number.into() }
    }

    fn bits(self, field: &str, turn: u64) -> u64 {
        let keys = [self.kind.as_bytes(), &self.number.to_le_bytes(), field.as_bytes(), &turn.to_le_bytes()];
        hash(self.seed, &keys)
    }

    /// A number below `bound`, all alike.
    pub(super) fn below(self, field: &str, bound: u64) -> u64 {
        self.below_at(field, 0, bound)
    }

    /// Draws like [`Draw::below`], for fields that are drawn more than once.
    pub(super) fn below_at(self, field: &str, turn: u64, bound: u64) -> u64 {
        scale(u128::from(self.bits(field, turn)), bound)
    }

    /// A number below `bound`, the low ones far more often: the cube of an even draw. Of 500, the first comes up in an
    /// eighth of all draws, the last in one of 1500.
    pub(super) fn skewed_at(self, field: &str, turn: u64, bound: u64) -> u64 {
        let even = u128::from(self.bits(field, turn));
        let square = (even * even) >> 64;
        scale((square * even) >> 64, bound)
    }

    /// One of `choices`, which must not be empty.
    pub(super) fn pick<T>(self, field: &str, choices: &'static [T]) -> &'static T {
        let index = usize::try_from(self.below(field, choices.len() as u64)).unwrap_or(0);
        &choices[index]
    }
}

/// From 64 bits to a number below `bound`.
fn scale(bits: u128, bound: u64) -> u64 {
    // Less than `bound`, so it fits.
    u64::try_from((bits * u128::from(bound)) >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_below_their_bound_and_reach_both_ends() {
        let draw = Draw::new(1, "thing", 7_u32);
        let even: Vec<_> = (0..1000).map(|turn| draw.below_at("even", turn, 10)).collect();
        assert_eq!((even.iter().min(), even.iter().max()), (Some(&0), Some(&9)));
        let skewed: Vec<_> = (0..1000).map(|turn| draw.skewed_at("skewed", turn, 10)).collect();
        assert_eq!((skewed.iter().min(), skewed.iter().max()), (Some(&0), Some(&9)));
        assert_eq!(scale(u128::from(u64::MAX), 10), 9);
        assert_eq!(scale(0, 10), 0);
    }

    #[test]
    fn seed_kind_number_field_and_turn_all_count() {
        let bits = |seed, kind, number: u32, field, turn| Draw::new(seed, kind, number).bits(field, turn);
        let one = bits(1, "user", 1, "city", 0);
        let others = [
            bits(2, "user", 1, "city", 0),
            bits(1, "order", 1, "city", 0),
            bits(1, "user", 2, "city", 0),
            bits(1, "user", 1, "name", 0),
            bits(1, "user", 1, "city", 1),
        ];
        assert!(!others.contains(&one));
        assert_eq!(one, bits(1, "user", 1, "city", 0));
    }
}
