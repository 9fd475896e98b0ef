//! Noise: the bytes of a body that are garbled, and what they become.

/// Bytes at places that are drawn become others. A body is divided into stretches of equal length, and one byte of each
/// is garbled: so the share is exact, a place depends on nothing but the seed and the length of the body, and it doesn't
/// matter in which pieces the body comes.
#[derive(Clone, Debug)]
pub(crate) struct Noise {
    seed: u64,
    /// So many stretches...
    stretches: u64,
    /// ...take up so many bytes.
    bytes: u64,
    /// The place of the first stretch is below this.
    first: u64,
    /// Bytes that have gone by.
    at: u64,
    /// The next stretch of which a byte is garbled.
    next: u64,
}

const MILLION: u64 = 1_000_000;

impl Noise {
    /// For a body of known length, above 0: so many of a million of its bytes, rounded down, at least one.
    pub(crate) fn of_length(seed: u64, parts_per_million: u32, length: u64) -> Self {
        let count = u128::from(length) * u128::from(parts_per_million) / u128::from(MILLION);
        let count = u64::try_from(count).unwrap_or(length).clamp(1, length.max(1));
        Self { seed, stretches: count, bytes: length.max(1), first: u64::MAX, at: 0, next: 0 }
    }

    /// For a body of unknown length that has at least `first` bytes, above 0: the first is among those.
    pub(crate) fn of_unknown(seed: u64, parts_per_million: u32, first: u64) -> Self {
        let stretches = u64::from(parts_per_million).clamp(1, MILLION);
        Self { seed, stretches, bytes: MILLION, first: first.max(1), at: 0, next: 0 }
    }

    /// Garbles what comes next.
    pub(crate) fn garble(&mut self, bytes: &mut [u8]) {
        let end = self.at + bytes.len() as u64;
        loop {
            let (place, change) = self.place(self.next);
            if place >= end {
                break;
            }
            if let Some(byte) = place.checked_sub(self.at).and_then(|place| bytes.get_mut(usize::try_from(place).ok()?))
            {
                *byte ^= change;
            }
            self.next += 1;
        }
        self.at = end;
    }

    /// The garbled byte's place in this stretch, and the byte it is combined with, which is never 0.
    fn place(&self, stretch: u64) -> (u64, u8) {
        let begin = |stretch: u64| {
            let begin = u128::from(stretch) * u128::from(self.bytes) / u128::from(self.stretches);
            u64::try_from(begin).unwrap_or(u64::MAX)
        };
        let (from, to) = (begin(stretch), begin(stretch.saturating_add(1)));
        let width = if stretch == 0 { (to - from).min(self.first) } else { to - from };
        let hash = host::hash(self.seed, &[b"garble", &stretch.to_le_bytes()]);
        let [.., high] = hash.to_le_bytes();
        (from.saturating_add(hash % width.max(1)), high.max(1))
    }
}
