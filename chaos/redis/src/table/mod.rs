//! The table of commands of Redis: arity, flags and places of keys of each, subcommands too. The built-in Redis goes by
//! it, and so do proxies.
//!
//! `redis7` is made from `COMMAND INFO` of a `redis-server`, and a test compares them; `later` is written by hand.

mod flag;
mod keys;
mod later;
mod redis7;

pub use flag::Flag;
pub use keys::KeySpec;

use std::iter::once;

/// A command, or a subcommand, as `COMMAND INFO` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The name in lower case; a subcommand's is behind a bar (`client|id`).
    pub name: &'static str,
    /// Words, the command's own included; negative where there may be more.
    pub arity: i32,
    /// Flags, in the order of Redis.
    pub flags: &'static [Flag],
    /// Places of its keys.
    pub keys: &'static [KeySpec],
}

/// The result of looking for a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The command, or the subcommand.
    Command(&'static Spec),
    /// This command has subcommands, and the word behind it is none of them.
    NoSubcommand(&'static Spec),
    /// No command has this name.
    Nothing,
}

const fn row(name: &'static str, arity: i32, flags: &'static [Flag], keys: &'static [KeySpec]) -> Spec {
    Spec { name, arity, flags, keys }
}

/// The command with this name, in any case, and with this word behind it.
#[must_use]
pub fn find(name: &[u8], second: Option<&[u8]>) -> Found {
    // A subcommand's name is no command's.
    let command = Some(lower(name)).filter(|_| !name.contains(&b'|')).and_then(named_as);
    match (command, second) {
        (None, _) => Found::Nothing,
        (Some(spec), Some(second)) if spec.has(Flag::Container) => {
            let full = spec.name.bytes().chain(once(b'|')).chain(lower(second));
            named_as(full).map_or(Found::NoSubcommand(spec), Found::Command)
        }
        (Some(spec), _) => Found::Command(spec),
    }
}

fn lower(text: &[u8]) -> impl Iterator<Item = u8> + Clone {
    text.iter().map(u8::to_ascii_lowercase)
}

fn named_as(name: impl Iterator<Item = u8> + Clone) -> Option<&'static Spec> {
    let among = |rows: &'static [Spec]| {
        let place = rows.binary_search_by(|row| row.name.bytes().cmp(name.clone()));
        place.ok().and_then(|place| rows.get(place))
    };
    among(redis7::ROWS).or_else(|| among(later::ROWS))
}

/// All rows: those of Redis 7.0, and those of later versions.
pub fn all() -> impl Iterator<Item = &'static Spec> {
    redis7::ROWS.iter().chain(later::ROWS)
}

impl Spec {
    /// The command with this full name, for those that are known when this is compiled.
    ///
    /// # Panics
    /// Where there is none: in a constant, that is an error of the compiler.
    pub(crate) const fn of(name: &str) -> &'static Self {
        if let Some(spec) = search(redis7::ROWS, name) {
            return spec;
        }
        match search(later::ROWS, name) {
            Some(spec) => spec,
            None => panic!("no such command is in the table"),
        }
    }

    /// Tells whether it has this flag.
    #[must_use]
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    /// Tells whether it may have so many words, its own included.
    #[must_use]
    pub fn takes(&self, words: u64) -> bool {
        let bound = u64::from(self.arity.unsigned_abs());
        if self.arity < 0 { words >= bound } else { words == bound }
    }

    /// The keys among the words of a call, of which there are so many; `word` gives each that has come. The command's name
    /// is word 0.
    pub fn keys_among<'a, F>(&self, words: usize, word: F) -> impl Iterator<Item = &'a [u8]>
    where
        F: Fn(usize) -> Option<&'a [u8]> + Copy,
    {
        self.keys.iter().flat_map(move |spec| spec.places(words, word).map_while(word))
    }

    /// The place of its only key, where that is always the same.
    #[must_use]
    pub fn only_key(&self) -> Option<usize> {
        match self.keys {
            [spec] => spec.only_place(),
            _ => None,
        }
    }
}

/// The row with this name, by halves.
const fn search(rows: &'static [Spec], name: &str) -> Option<&'static Spec> {
    let (mut low, mut high) = (0, rows.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        match order(rows[middle].name.as_bytes(), name.as_bytes()) {
            0 => return Some(&rows[middle]),
            1 => high = middle,
            _ => low = middle + 1,
        }
    }
    None
}

/// 0 where both are equal, 1 where the first comes later, -1 else.
const fn order(one: &[u8], other: &[u8]) -> i8 {
    let mut at = 0;
    while at < one.len() && at < other.len() {
        if one[at] != other[at] {
            return if one[at] > other[at] { 1 } else { -1 };
        }
        at += 1;
    }
    if one.len() == other.len() {
        0
    } else if one.len() > other.len() {
        1
    } else {
        -1
    }
}

#[cfg(test)]
mod tests;
