//! Setting text in columns. Everything that comes from outside passes here, and leaves without escape sequences and
//! control characters: a service's last words must not repaint a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The number of columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text on one line, without escape sequences and characters that are not seen.
pub(crate) fn clean(text: &str) -> String {
    // Control characters go as well as whole sequences: half of one would still move the cursor.
    let plain = anstream::adapter::strip_str(text).to_string();
    chaos_model::plain::plain(plain.trim_end())
}

/// The text as it stands in HTML.
pub(crate) fn html(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A sentence as it stands in HTML, what is in backticks as code.
pub(crate) fn prose(text: &str) -> String {
    let text = html(text);
    let pieces: Vec<&str> = text.split('`').collect();
    let piece = |(n, piece): (usize, &&str)| match n % 2 {
        0 => (*piece).to_owned(),
        // One that nothing closes is a character like any other.
        _ if n + 1 == pieces.len() => format!("`{piece}"),
        _ => format!("<code>{piece}</code>"),
    };
    pieces.iter().enumerate().map(piece).collect()
}

/// The text, cut at its end where it is wider than `columns`, and marked so. Not for numbers.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text;
    }
    let (head, _) = text.split_at(bytes_within(&text, columns.saturating_sub(1)));
    format!("{head}…")
}

/// Padded at the end.
pub(crate) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Padded at the start, as numbers are.
pub(crate) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text in lines of at most `columns`, broken between words, and within those alone that are wider than a line.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    for word in clean(text).split(' ').filter(|word| !word.is_empty()) {
        let mut word = word;
        let line = lines.last_mut().map_or(0, |line| width(line));
        if line > 0 && line + 1 + width(word) > columns {
            lines.push(String::new());
        }
        while width(word) > columns {
            let (head, tail) = word.split_at(bytes_within(word, columns).max(first_char(word)));
            append(&mut lines, head);
            lines.push(String::new());
            word = tail;
        }
        append(&mut lines, word);
    }
    lines
}

/// Lines that are narrower have no room for much beside a text.
pub(crate) const NARROW: usize = 60;

/// A paragraph that begins with `first` as if that were its first words, for narrow lines.
fn stacked(first: &str, text: &str, columns: usize) -> String {
    let plain = clean(first);
    let lead = plain.chars().take_while(|c| *c == ' ').count().min(columns / 4);
    let lines = wrap(&format!("{} {text}", plain.trim()), columns.saturating_sub(lead + 2));
    let start = |n: usize| " ".repeat(if n == 0 { lead } else { lead + 2 });
    lines.iter().enumerate().map(|(n, line)| format!("{}{line}\n", start(n))).collect()
}

/// A paragraph whose lines begin with `first`, and from the second on with as many spaces; each line ends with a
/// newline.
pub(crate) fn paragraph(first: &str, text: &str, columns: usize) -> String {
    hanging(first, width(first), text, columns)
}

/// A paragraph whose lines begin with `first` (of `indent` columns, which colours in it don't count to), and from the
/// second on with as many spaces.
pub(crate) fn hanging(first: &str, indent: usize, text: &str, columns: usize) -> String {
    if columns < NARROW && indent * 2 > columns {
        return stacked(first, text, columns);
    }
    let lines = wrap(text, columns.saturating_sub(indent));
    let start = |n: usize| if n == 0 { first.to_owned() } else { " ".repeat(indent) };
    lines.iter().enumerate().map(|(n, line)| format!("{}{line}\n", start(n))).collect()
}

fn append(lines: &mut [String], word: &str) {
    if let Some(line) = lines.last_mut() {
        if !line.is_empty() && !word.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
}

/// The number of bytes from the start that take at most `columns`.
fn bytes_within(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return at;
        }
    }
    text.len()
}

fn first_char(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_shows_what_was_said_and_does_nothing_else() {
        assert_eq!(html("a -> \"b\" <script>&\u{1b}[2J\n"), "a -&gt; &quot;b&quot; &lt;script&gt;&amp;");
    }

    #[test]
    fn what_is_in_backticks_is_set_as_code_and_nothing_else_is() {
        assert_eq!(prose("`a <b>` and `c`"), "<code>a &lt;b&gt;</code> and <code>c</code>");
        assert_eq!(prose("one ` alone"), "one ` alone");
        assert_eq!(prose("`a` and `b"), "<code>a</code> and `b");
    }

    #[test]
    fn breaks_between_words_and_within_those_that_are_too_long() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a abcdefgh b", 4), ["a", "abcd", "efgh", "b"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(wrap("日", 1), ["日", ""], "a character that is wider than a line does not loop");
    }

    #[test]
    fn escape_sequences_and_control_characters_do_not_pass() {
        assert_eq!(clean("\u{1b}[31mERROR\u{1b}[0m\tx\ry\n"), "ERROR x y");
    }

    #[test]
    fn on_narrow_lines_a_text_begins_in_the_line_of_its_head() {
        let head = "        BROKE, and must hold: ";
        assert_eq!(
            paragraph(head, "clients never notice", 39),
            "        BROKE, and must hold: clients\n          never notice\n"
        );
        assert_eq!(paragraph("  a: ", "bb cc", 39), "  a: bb cc\n");
    }

    #[test]
    fn later_lines_hang() {
        assert_eq!(paragraph("  a: ", "bb cc dd", 10), "  a: bb cc\n     dd\n");
    }
}
