//! Plain text: what people are shown of names and words that come from elsewhere.

/// Format characters (general category Cf of Unicode 16): they are not seen, and change how others are: bidirectional overrides
/// make a line read as another ("Trojan Source", Boucher and Anderson, 2021), joiners and tags make equal-looking names of
/// unequal ones.
const FORMAT: [(char, char); 21] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{2064}'),
    ('\u{2066}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0001}', '\u{e0001}'),
    ('\u{e0020}', '\u{e007f}'),
];

/// True for a character that is not seen and changes what is: control and format characters, and the separators of lines and
/// paragraphs.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        || FORMAT.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// The text on one line as it may be shown: format characters are left out, and others that are not seen are blanks.
#[must_use]
pub fn plain(text: &str) -> String {
    let shown = |c: char| match c {
        c if !is_hidden(c) => Some(c),
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => Some(' '),
        _ => None,
    };
    text.chars().filter_map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_left_out_and_what_is_stays() {
        // "admin" by an override that turns the rest of the line round, a name with a joiner, and a clear screen.
        assert_eq!(plain("user\u{202e}nimda"), "usernimda");
        assert_eq!(plain("red\u{200b}is\u{2066}\u{2069}\u{e0041}"), "redis");
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{2028}d"), "a [2Jb c d");
        let seen = "Grüße, 日本語, שלום, العربية, ½ µs → ok";
        assert_eq!(plain(seen), seen);
    }

    #[test]
    fn ranges_are_in_order() {
        assert!(FORMAT.is_sorted() && FORMAT.iter().all(|(first, last)| first <= last));
    }
}
