//! Edits: what makes another input of a good one.

use proptest::{collection::vec, prelude::*, sample::Index};

/// The most bytes of an input: longer ones find nothing that shorter ones don't, and take their time.
const LONGEST: usize = 64 << 10;

/// The most edits of one input.
const MOST_EDITS: usize = 8;

/// Numbers at which readers of numbers break.
const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "1",
    "00",
    "255",
    "65536",
    "2147483648",
    "9223372036854775807",
    "18446744073709551616",
    "1e309",
    "-0.0",
    "NaN",
    "0.000000001",
    "99999999999999999999999999",
];

/// A change of an input. Places are shares of its length, so that any edit fits any input.
#[derive(Clone, Debug)]
enum Edit {
    /// Another byte.
    Byte(Index, u8),
    /// A word of the format.
    Word(Index, Index),
    /// Fewer bytes.
    Cut(Index, usize),
    /// Some bytes once more, somewhere.
    Again(Index, usize, Index),
    /// Another number in the place of one.
    Number(Index, Index),
    /// From here on, the rest of another seed.
    Cross(Index, Index, Index),
}

/// An input, as the seed and the edits that it is made by.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    seed: Index,
    edits: Vec<Edit>,
}

/// All inputs.
pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let place = any::<Index>;
    let edit = prop_oneof![
        3 => (place(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        4 => (place(), place()).prop_map(|(at, word)| Edit::Word(at, word)),
        2 => (place(), 1..64_usize).prop_map(|(at, count)| Edit::Cut(at, count)),
        1 => (place(), 1..512_usize, place()).prop_map(|(at, count, to)| Edit::Again(at, count, to)),
        3 => (place(), place()).prop_map(|(at, number)| Edit::Number(at, number)),
        1 => (place(), place(), place()).prop_map(|(at, seed, from)| Edit::Cross(at, seed, from)),
    ];
    (place(), vec(edit, 0..MOST_EDITS)).prop_map(|(seed, edits)| Case { seed, edits })
}

impl Case {
    /// The input's bytes.
    pub(crate) fn bytes(&self, seeds: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
        let mut bytes = self.seed.get(seeds).clone();
        for edit in &self.edits {
            edit.apply(&mut bytes, seeds, words);
            bytes.truncate(LONGEST);
        }
        bytes
    }
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&str]) {
        // The end is a place too, for what is put in.
        let gap = |at: &Index, bytes: &[u8]| at.index(bytes.len() + 1);
        match self {
            Self::Byte(at, byte) if !bytes.is_empty() => *at.get_mut(bytes) = *byte,
            Self::Word(at, word) => {
                let at = gap(at, bytes);
                drop(bytes.splice(at..at, word.get(words).bytes()));
            }
            Self::Cut(at, count) => {
                let at = gap(at, bytes);
                let end = (at + count).min(bytes.len());
                drop(bytes.drain(at..end));
            }
            Self::Again(at, count, to) => {
                let at = gap(at, bytes);
                let some = bytes[at..(at + count).min(bytes.len())].to_vec();
                let to = gap(to, bytes);
                drop(bytes.splice(to..to, some));
            }
            Self::Number(at, number) => {
                let at = gap(at, bytes);
                let Some(from) = bytes[at..].iter().position(u8::is_ascii_digit).map(|offset| at + offset) else {
                    return;
                };
                let end =
                    bytes[from..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |n| from + n);
                drop(bytes.splice(from..end, number.get(&NUMBERS).bytes()));
            }
            Self::Cross(at, seed, from) => {
                let other = seed.get(seeds);
                bytes.truncate(gap(at, bytes));
                bytes.extend_from_slice(&other[gap(from, other)..]);
            }
            Self::Byte(..) => {}
        }
    }
}
