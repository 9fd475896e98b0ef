//! Places of keys among the words of a command, as the key specifications of Redis 7 say them.

use crate::codec::parse_integer;
use std::{iter::StepBy, ops::Range};

/// A rule by which keys are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    begin: Begin,
    find: Find,
}

/// The word that the search begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    /// The word with this number, the command's name being 0.
    At(usize),
    /// The one behind this word, which is looked for from a place on.
    Behind(&'static str, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Find {
    /// Up to this place, counted from where it begins or, where negative, from the end (-1 is the last word); in steps;
    /// where there is a limit above 1, the first of so many parts of what follows.
    Range { last: isize, step: usize, limit: usize },
    /// So many as the word says where it begins, and behind it.
    Counted,
    /// The key of `MIGRATE`: where it is empty, those behind `KEYS`.
    Migrated,
}

/// The key of `MIGRATE`, or those behind its word `KEYS`.
pub(super) const MIGRATED: KeySpec = KeySpec { begin: Begin::At(3), find: Find::Migrated };

/// The one key at a place.
pub(super) const fn at(place: usize) -> KeySpec {
    range(place, 0, 1)
}

/// Keys from a place on, up to a last one, in steps.
pub(super) const fn range(place: usize, last: isize, step: usize) -> KeySpec {
    KeySpec { begin: Begin::At(place), find: Find::Range { last, step, limit: 0 } }
}

/// So many keys as the word at a place says, and behind it.
pub(super) const fn counted(place: usize) -> KeySpec {
    KeySpec { begin: Begin::At(place), find: Find::Counted }
}

/// Keys behind a word that is looked for from a place on, up to a last one, within a part of what follows.
pub(super) const fn behind(word: &'static str, from: usize, last: isize, limit: usize) -> KeySpec {
    KeySpec { begin: Begin::Behind(word, from), find: Find::Range { last, step: 1, limit } }
}

impl KeySpec {
    /// Places of the keys in a call with so many words; `word` gives each that has come.
    pub(super) fn places<'a, F>(&self, words: usize, word: F) -> StepBy<Range<usize>>
    where
        F: Fn(usize) -> Option<&'a [u8]>,
    {
        const NONE: Range<usize> = 0..0;
        let begin = match self.begin {
            Begin::At(place) => Some(place),
            Begin::Behind(keyword, from) => position(keyword, from, words, &word),
        };
        let Some(begin) = begin else { return NONE.step_by(1) };
        let (range, step) = match self.find {
            Find::Range { last, step, limit } => (begin..end(begin, last, limit, words), step),
            Find::Counted => {
                let count = word(begin).and_then(parse_integer).and_then(|count| usize::try_from(count).ok());
                (begin + 1..(begin + 1).saturating_add(count.unwrap_or(0)), 1)
            }
            Find::Migrated if word(begin).is_some_and(|key| !key.is_empty()) => (begin..begin + 1, 1),
            Find::Migrated => (position("KEYS", 6, words, &word).map_or(NONE, |first| first..words), 1),
        };
        (range.start..range.end.min(words)).step_by(step)
    }

    /// The place of the one key, where that is always the same.
    pub(super) fn only_place(&self) -> Option<usize> {
        match *self {
            Self { begin: Begin::At(place), find: Find::Range { last: 0, .. } } => Some(place),
            _ => None,
        }
    }
}

/// The place behind a word. It is no such word where nothing can follow it.
fn position<'a>(keyword: &str, from: usize, words: usize, word: impl Fn(usize) -> Option<&'a [u8]>) -> Option<usize> {
    // Words that have not come yet are none; of those there may be any number.
    let mut come = (from..words.saturating_sub(1)).map_while(|place| Some((place, word(place)?)));
    let (place, _) = come.find(|(_, word)| word.eq_ignore_ascii_case(keyword.as_bytes()))?;
    Some(place + 1)
}

/// The end of a range of places that begins here.
fn end(begin: usize, last: isize, limit: usize, words: usize) -> usize {
    match usize::try_from(last) {
        Ok(last) => begin.saturating_add(last).saturating_add(1),
        Err(_) if limit > 1 => begin + words.saturating_sub(begin) / limit,
        Err(_) => words.saturating_sub(last.unsigned_abs() - 1),
    }
}
