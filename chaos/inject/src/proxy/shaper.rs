//! The shaper: the times at which bytes may be written, and their count; rates and pieces.
//!
//! A rate is kept by computed times: so many bytes after a moment take so long, whatever the timer did meanwhile. A
//! timer that is late is caught up with, so nothing adds up; what was idle, held or stalled by its receiver is not made
//! up for. The gap between two pieces counts from when the first was written, so that they stay apart.

use crate::interpreter::Acts;
use chaos_model::effect::action::Slices;
use std::time::Duration;

/// Steps in a second: the bytes that a rate lets pass at a time are worth that part of it (4 KiB of 1 MiB/s).
const STEPS: u64 = 256;

/// The fewest bytes that a rate lets pass at a time, so that many slow connections don't wake for each byte.
const FEWEST: u64 = 128;

/// Paces one direction.
#[derive(Debug, Default)]
pub(super) struct Shaper {
    rate: Option<u64>,
    slices: Option<Slices>,
    /// The seed of their sizes,
    seed: u64,
    /// and the number of those that are written.
    sliced: u64,
    /// The rate counts from here, …
    since: Duration,
    /// … and has let so many bytes pass.
    passed: u64,
    /// Bytes of the current slice that are written.
    done: usize,
    /// Time at which the next slice may be written.
    next: Duration,
    /// The receiver takes nothing.
    stalled: bool,
}

/// So many bytes may be written then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) bytes: usize,
    pub(super) at: Duration,
}

impl Shaper {
    /// Goes by these from now on.
    pub(super) fn set(&mut self, acts: &Acts, now: Duration) {
        if acts.rate != self.rate {
            self.restart(now);
        }
        if acts.slices != self.slices {
            (self.done, self.next) = (0, Duration::ZERO);
        }
        (self.rate, self.slices, self.seed) = (acts.rate, acts.slices, acts.slice_seed);
    }

    /// The next piece of a chunk of which `rest` bytes (at least one) are left and that is ready to go at `ready`.
    pub(super) fn piece(&mut self, rest: usize, ready: Duration) -> Piece {
        let mut piece = Piece { bytes: rest, at: ready };
        if let Some(slices) = self.slices {
            piece.bytes = rest.min(self.size(slices).saturating_sub(self.done).max(1));
            if self.done == 0 {
                piece.at = ready.max(self.next);
            }
        }
        if let Some(rate) = self.rate {
            piece.bytes = piece.bytes.min(usize::try_from((rate / STEPS).max(FEWEST)).unwrap_or(usize::MAX));
            if ready > self.since.saturating_add(time(self.passed, rate)) {
                self.restart(ready);
            }
            let bytes = self.passed.saturating_add(piece.bytes as u64);
            piece.at = piece.at.max(self.since.saturating_add(time(bytes, rate)));
        }
        piece
    }

    /// So many bytes of this piece have been written; `rest` are left of the chunk.
    pub(super) fn wrote(&mut self, piece: Piece, bytes: usize, rest: usize, now: Duration) {
        let at = if std::mem::take(&mut self.stalled) { now } else { piece.at };
        if let Some(rate) = self.rate {
            self.passed += bytes as u64;
            // Later than the rate alone asked for: that time is not made up for.
            if at > self.since.saturating_add(time(self.passed, rate)) {
                self.restart(at);
            }
        }
        if let Some(slices) = self.slices {
            self.done += bytes;
            if self.done >= self.size(slices) || rest == 0 {
                (self.done, self.next) = (0, now.saturating_add(slices.gap));
                self.sliced += 1;
            }
        }
    }

    /// The size of the slice that is being written: a draw by its number.
    fn size(&self, slices: Slices) -> usize {
        let span = 2 * slices.variation as u64 + 1;
        let drawn = if slices.variation == 0 { 0 } else { host::hash(self.seed, &[&self.sliced.to_le_bytes()]) % span };
        (slices.size - slices.variation).saturating_add(usize::try_from(drawn).unwrap_or(0))
    }

    /// The receiver, or a fault that holds, takes nothing now.
    pub(super) fn stall(&mut self) {
        self.stalled = true;
    }

    /// Tells whether nothing was taken when it was last tried.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled
    }

    fn restart(&mut self, now: Duration) {
        (self.since, self.passed) = (now, 0);
    }
}

/// The time that so many bytes take at so many a second.
pub(super) fn time(bytes: u64, rate: u64) -> Duration {
    Duration::from_nanos_u128(u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);

    fn shaper(rate: Option<u64>, slices: Option<Slices>) -> Shaper {
        let mut shaper = Shaper::default();
        shaper.set(&Acts { rate, slices, ..Acts::default() }, Duration::ZERO);
        shaper
    }

    /// Writes a chunk as a timer does that is late by `late(n)` for the nth piece; when each piece was due, and its
    /// bytes.
    fn write(
        shaper: &mut Shaper,
        chunk: usize,
        ready: Duration,
        late: impl Fn(u32) -> Duration,
    ) -> Vec<(Duration, usize)> {
        let (mut rest, mut pieces) = (chunk, Vec::new());
        while rest > 0 {
            let piece = shaper.piece(rest, ready);
            assert!(piece.bytes > 0 && piece.bytes <= rest);
            rest -= piece.bytes;
            let now = piece.at + late(u32::try_from(pieces.len()).unwrap());
            shaper.wrote(piece, piece.bytes, rest, now);
            pieces.push((piece.at, piece.bytes));
        }
        pieces
    }

    #[test]
    fn a_rate_is_even_and_a_late_timer_is_caught_up_with() {
        let mut shaper = shaper(Some(1 << 20), None);
        let pieces = write(&mut shaper, 1 << 20, MS, |nth| nth % 7 * MS / 10);
        assert_eq!(pieces.len(), 256);
        assert_eq!(pieces.last(), Some(&(1001 * MS, 4096)), "a MiB takes a second");
        assert_eq!(pieces[127].0, 501 * MS);
        // The next chunk was ready long before: not a nanosecond is added.
        assert_eq!(write(&mut shaper, 1 << 20, 2 * MS, |_| MS).last(), Some(&(2001 * MS, 4096)));
    }

    #[test]
    fn what_was_idle_or_stalled_is_not_made_up_for() {
        let mut shaper = shaper(Some(1000), None);
        assert_eq!(write(&mut shaper, 10, Duration::ZERO, |_| MS).last().unwrap().0, 10 * MS);
        assert_eq!(write(&mut shaper, 10, 500 * MS, |_| MS).last().unwrap().0, 510 * MS);
        let piece = shaper.piece(150, 510 * MS);
        assert_eq!(piece, Piece { bytes: 128, at: 638 * MS });
        shaper.stall();
        shaper.wrote(piece, 128, 22, 900 * MS);
        assert_eq!(shaper.piece(22, 510 * MS), Piece { bytes: 22, at: 922 * MS });
    }

    #[test]
    fn a_new_rate_counts_from_when_it_is_set() {
        let mut shaper = shaper(None, None);
        assert_eq!(shaper.piece(9999, MS), Piece { bytes: 9999, at: MS });
        shaper.set(&Acts { rate: Some(1000), ..Acts::default() }, 70 * MS);
        assert_eq!(shaper.piece(9999, MS), Piece { bytes: 128, at: 198 * MS });
        // Other faults that come and go don't disturb it.
        shaper.set(&Acts { rate: Some(1000), delays: true, ..Acts::default() }, 72 * MS);
        assert_eq!(shaper.piece(9999, MS), Piece { bytes: 128, at: 198 * MS });
    }

    #[test]
    fn slices_have_their_size_and_their_gap() {
        let mut shaper = shaper(None, Some(Slices { size: 40, variation: 0, gap: 5 * MS }));
        let pieces = write(&mut shaper, 100, MS, |_| MS / 2);
        assert_eq!(pieces, [(MS, 40), (13 * MS / 2, 40), (12 * MS, 20)]);
        assert_eq!(write(&mut shaper, 10, 12 * MS, |_| MS), [(35 * MS / 2, 10)]);
        assert_eq!(write(&mut shaper, 10, 90 * MS, |_| MS), [(90 * MS, 10)]);
    }

    #[test]
    fn slices_vary_evenly_about_their_size_and_alike_for_a_seed() {
        let sizes = |slice_seed| {
            let (mut shaper, slices) = (Shaper::default(), Some(Slices { size: 100, variation: 20, gap: MS }));
            shaper.set(&Acts { slices, slice_seed, ..Acts::default() }, Duration::ZERO);
            let pieces = write(&mut shaper, 200_000, MS, |_| MS);
            let mut sizes: Vec<usize> = pieces.iter().map(|(_, bytes)| *bytes).collect();
            sizes.pop();
            sizes
        };
        let some = sizes(1);
        assert!(some.iter().all(|size| (80..=120).contains(size)), "{some:?}");
        let mean = some.iter().sum::<usize>() as f64 / some.len() as f64;
        // Of 2,000 of a uniform distribution with a deviation of 11.8, whose mean has one of 0.27.
        assert!((98.9..=101.1).contains(&mean) && some.contains(&80) && some.contains(&120), "{mean}");
        assert_eq!(some, sizes(1));
        assert_ne!(some, sizes(2));
    }

    #[test]
    fn a_slice_that_is_written_in_parts_has_no_gap_within() {
        let mut shaper = shaper(None, Some(Slices { size: 40, variation: 0, gap: 5 * MS }));
        let piece = shaper.piece(100, MS);
        shaper.wrote(piece, 15, 85, MS);
        assert_eq!(shaper.piece(85, MS), Piece { bytes: 25, at: MS });
    }

    proptest! {
        /// However bytes come, no more pass in any time than the rate allows, and no less where there are always some.
        #[test]
        fn a_rate_is_kept(rate in 1..10_000_000_u64, chunks in prop::collection::vec(1..40_000_usize, 1..20)) {
            let mut shaper = shaper(Some(rate), None);
            let pieces = chunks.iter().flat_map(|chunk| write(&mut shaper, *chunk, Duration::ZERO, |_| MS)).collect::<Vec<_>>();
            let mut bytes = 0;
            for (at, count) in pieces {
                bytes += count as u64;
                prop_assert_eq!(at, time(bytes, rate));
            }
        }
    }
}
