//! Lines of TOML as people align them: keys, values and remarks in columns.

use toml::Value;

/// Lines of one table.
#[derive(Default)]
pub(crate) struct Lines(Vec<(String, String, Option<String>)>);

impl Lines {
    /// Adds a key with a text.
    pub(crate) fn text(self, key: &str, value: &str) -> Self {
        self.raw(key, &quoted(value), None)
    }

    /// Adds a key with a value that is TOML already, and a remark behind it.
    pub(crate) fn raw(mut self, key: &str, value: &str, remark: Option<&str>) -> Self {
        self.0.push((key.to_owned(), value.to_owned(), remark.map(str::to_owned)));
        self
    }

    /// Adds a remark to the line that was added last.
    pub(crate) fn remark(mut self, remark: impl Into<String>) -> Self {
        if let Some((.., last)) = self.0.last_mut() {
            *last = Some(remark.into());
        }
        self
    }

    /// Adds other lines behind.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The lines, each with its newline.
    pub(crate) fn written(&self) -> String {
        let longest = |part: &mut dyn Iterator<Item = usize>| part.max().unwrap_or(0);
        let keys = longest(&mut self.0.iter().map(|(key, ..)| key.chars().count()));
        let remarked = self.0.iter().filter(|(.., remark)| remark.is_some());
        let values = longest(&mut remarked.map(|(_, value, _)| value.chars().count()));
        let line = |(key, value, remark): &(String, String, Option<String>)| match remark {
            Some(remark) => format!("{key:keys$} = {value:values$}   # {remark}\n"),
            None => format!("{key:keys$} = {value}\n"),
        };
        self.0.iter().map(line).collect()
    }
}

/// A text as TOML writes it.
pub(crate) fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Texts as TOML writes a list of them.
pub(crate) fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

/// A key, in quotes where it needs them.
pub(crate) fn key(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { quoted(key) }
}

/// A remark in lines of its own, broken where they get long.
pub(crate) fn remark(text: &str) -> String {
    const COLUMNS: usize = 110;
    let (mut lines, mut line) = (String::new(), String::from("#"));
    for word in text.split_whitespace() {
        if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines += &line;
            lines.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line += word;
    }
    lines + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_remarks_stand_in_columns() {
        let lines =
            Lines::default().text("a", "x").remark("first").text("longer", "a \"b\"").raw("c", "1", Some("third"));
        assert_eq!(lines.written(), "a      = \"x\"   # first\nlonger = 'a \"b\"'\nc      = 1     # third\n");
        assert_eq!(remark(&"word ".repeat(40)).lines().map(str::len).collect::<Vec<_>>(), [106, 96]);
        assert_eq!((key("a-b").as_str(), key("a.b").as_str()), ("a-b", "\"a.b\""));
    }
}
