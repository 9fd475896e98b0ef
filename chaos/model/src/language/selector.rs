//! `cache_hits_total{tier="memory"}`: which series of a scrape are meant.

use super::findings::Wrong;
use crate::{Selector, metric::LabelMatch};

const FORM: &str = "write it as `name` or `name{label=\"value\"}`";

/// Reads a selector.
pub(crate) fn read(text: &str) -> Result<Selector, Wrong> {
    let text = text.trim();
    let (name, rest) = text.split_at(text.find('{').unwrap_or(text.len()));
    if !is_name(name, true) {
        return Err(Wrong::new(format!("`{name}` can't be the name of a metric")).advice(FORM));
    }
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        let Some(mut inside) = inside.strip_suffix('}') else {
            return Err(Wrong::new("the labels are not closed by `}`").advice(FORM));
        };
        while !inside.trim().is_empty() {
            let (label, after) = label(inside.trim_start())?;
            labels.push(label);
            inside = after.trim_start();
            inside = match inside.strip_prefix(',') {
                Some(more) => more,
                None if inside.is_empty() => inside,
                None => return Err(Wrong::new("labels are parted by commas").advice("as in `{a=\"1\",b=\"2\"}`")),
            };
        }
    }
    Ok(Selector { name: name.to_owned(), labels })
}

fn label(text: &str) -> Result<(LabelMatch, &str), Wrong> {
    let (label, rest) = text.split_at(text.find(['=', '!', ',', ' ']).unwrap_or(text.len()));
    if !is_name(label, false) {
        return Err(Wrong::new(format!("`{label}` can't be the name of a label")).advice(FORM));
    }
    let rest = rest.trim_start();
    if rest.starts_with("=~") || rest.starts_with("!~") {
        return Err(Wrong::new("patterns of labels are not known here").advice("name the value: `label=\"value\"`"));
    }
    let (negated, rest) = match (rest.strip_prefix("!="), rest.strip_prefix('=')) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(Wrong::new(format!("nothing says what `{label}` must be")).advice(FORM)),
    };
    let quoted = rest.trim_start().strip_prefix('"').ok_or_else(|| {
        Wrong::new(format!("the value of `{label}` is not in quotes")).advice("as in `metric.'name{label=\"value\"}'`")
    })?;
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((LabelMatch { label: label.to_owned(), value, negated }, &quoted[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped)) => value.push(escaped),
                None => break,
            },
            plain => value.push(plain),
        }
    }
    Err(Wrong::new(format!("the value of `{label}` is not closed by a quote")).advice(FORM))
}

fn is_name(name: &str, colons: bool) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_labels_and_escapes() {
        let selector = read("hits_total{tier=\"memory\", why!=\"a\\\"b}\"}").unwrap();
        assert_eq!(selector.name, "hits_total");
        let label =
            |label: &str, value: &str, negated| LabelMatch { label: label.into(), value: value.into(), negated };
        assert_eq!(selector.labels, [label("tier", "memory", false), label("why", "a\"b}", true)]);
        assert_eq!(read("hits_total").unwrap().labels, []);
        assert_eq!(read(&selector.to_string()).unwrap(), selector);
    }

    #[test]
    fn refuses_what_prometheus_would_too() {
        for text in ["", "9a", "a{", "a{b}", "a{b=c}", "a{b=\"c}", "a{b=~\"c\"}", "a{b=\"c\" d=\"e\"}", "a b"] {
            read(text).unwrap_err();
        }
    }
}
