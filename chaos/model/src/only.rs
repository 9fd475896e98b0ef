//! Matchers: which requests or commands a fault is for.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A filter of requests or commands: those that match all of these. Without any, all are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Only {
    /// The method of a request is one of these.
    pub methods: Vec<String>,
    /// The path of a request, without its query, is like this.
    pub path: Option<Pattern>,
    /// The query of a request, without its `?`, is like this; that of a request without one is empty.
    pub query: Option<Pattern>,
    /// A request has these headers (names in lower case), and each is like its pattern.
    pub headers: Vec<(String, Pattern)>,
    /// A request's W3C baggage has these entries, and each is like its pattern.
    pub baggage: Vec<(String, Pattern)>,
    /// The command is one of these, in upper case.
    pub commands: Vec<String>,
    /// A key of a command is like this.
    pub key: Option<Pattern>,
    /// Numbers of those that match, in the order in which they come on the link.
    pub nth: Option<Nth>,
}

impl Only {
    /// True where all are meant.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// True where each key of this filter says the same in another: what that one means, this one means as well.
    #[must_use]
    pub fn is_part_of(&self, other: &Self) -> bool {
        let Self { methods, path, query, headers, baggage, commands, key, nth } = self;
        let same = |one: &Option<Pattern>, other: &Option<Pattern>| one.is_none() || one == other;
        let words = |one: &Vec<String>, other: &Vec<String>| one.is_empty() || one == other;
        let all =
            |one: &[(String, Pattern)], other: &[(String, Pattern)]| one.iter().all(|entry| other.contains(entry));
        words(methods, &other.methods)
            && words(commands, &other.commands)
            && same(path, &other.path)
            && same(query, &other.query)
            && same(key, &other.key)
            && all(headers, &other.headers)
            && all(baggage, &other.baggage)
            && nth.is_none()
    }
}

/// Some of those that match, counted from 1 since the fault began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nth {
    /// The one with this number.
    Only(u64),
    /// The first so many.
    First(u64),
    /// Each whose number is a multiple of this.
    Every(u64),
}

impl Nth {
    /// True where the one with this number, from 1, is among them.
    #[must_use]
    pub fn has(self, number: u64) -> bool {
        match self {
            Self::Only(nth) => number == nth,
            Self::First(count) => number <= count,
            Self::Every(step) => number.checked_rem(step) == Some(0),
        }
    }
}

/// A text with `*` for any characters, none included. Case counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// True where the whole of `text` is like this. Takes time in the product of both lengths at the most.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        let pattern = self.0.as_bytes();
        let (mut at, mut p) = (0, 0);
        // Where the last star stands, and up to where it reaches so far.
        let mut star: Option<(usize, usize)> = None;
        while at < text.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    star = Some((p, at));
                    p += 1;
                }
                Some(byte) if *byte == text[at] => {
                    p += 1;
                    at += 1;
                }
                _ => {
                    let Some((star_at, reached)) = star else { return false };
                    // The last star alone takes one more: an earlier one that took more could match nothing that this
                    // one can't.
                    star = Some((star_at, reached + 1));
                    p = star_at + 1;
                    at = reached + 1;
                }
            }
        }
        pattern[p..].iter().all(|byte| *byte == b'*')
    }
}

/// `GET, path /orders/*, the first 3`; nothing where all are meant.
impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.methods.is_empty() {
            parts.push(self.methods.join("|"));
        }
        if !self.commands.is_empty() {
            parts.push(self.commands.join("|"));
        }
        parts.extend(self.path.iter().map(|pattern| format!("path {}", pattern.0)));
        parts.extend(self.query.iter().map(|pattern| format!("query {}", pattern.0)));
        parts.extend(self.key.iter().map(|pattern| format!("key {}", pattern.0)));
        parts.extend(self.headers.iter().map(|(name, pattern)| format!("header {name}: {}", pattern.0)));
        parts.extend(self.baggage.iter().map(|(name, pattern)| format!("baggage {name}={}", pattern.0)));
        parts.extend(self.nth.map(|nth| match nth {
            Nth::Only(number) => format!("number {number}"),
            Nth::First(count) => format!("the first {count}"),
            Nth::Every(step) => format!("each {step}th"),
        }));
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn like(pattern: &str, text: &str) -> bool {
        Pattern(pattern.to_owned()).matches(text.as_bytes())
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "/orders/7"),
            ("/orders/*", "/orders/"),
            ("/orders/*/items", "/orders/7/8/items"),
            ("*b*b", "abbb"),
            ("a*b*c", "a-b-b-c"),
        ] {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("/orders", "/orders/"), ("a*b", "ab-"), ("*b*b", "ab"), ("A", "a")] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn numbers_count_from_one() {
        let which = |nth: Nth| (1..=6).filter(|number| nth.has(*number)).collect::<Vec<_>>();
        assert_eq!(which(Nth::Only(3)), [3]);
        assert_eq!(which(Nth::First(2)), [1, 2]);
        assert_eq!(which(Nth::Every(3)), [3, 6]);
        assert!(which(Nth::Every(0)).is_empty());
    }

    proptest! {
        #[test]
        fn a_pattern_made_of_a_text_matches_it(pieces in proptest::collection::vec(("[a-c]{0,3}", any::<bool>()), 0..8)) {
            let text: String = pieces.iter().map(|(piece, _)| piece.as_str()).collect();
            let pattern: String =
                pieces.iter().map(|(piece, star)| if *star { "*" } else { piece.as_str() }).collect();
            prop_assert!(like(&pattern, &text));
            let (wider, longer) = (format!("*{pattern}*"), format!("x{text}y"));
            prop_assert!(like(&wider, &longer));
        }

        #[test]
        fn a_pattern_matches_as_a_plain_recursion_does(pattern in "[ab*]{0,6}", text in "[ab]{0,8}") {
            fn plain(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern, text) {
                    ([], []) => true,
                    ([b'*', rest @ ..], _) => plain(rest, text) || (!text.is_empty() && plain(pattern, &text[1..])),
                    ([byte, rest @ ..], [first, others @ ..]) if byte == first => plain(rest, others),
                    _ => false,
                }
            }
            prop_assert_eq!(like(&pattern, &text), plain(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
