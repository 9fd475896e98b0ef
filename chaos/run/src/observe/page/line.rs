//! Lines of a page.

use std::{collections::BTreeMap, iter::Peekable, str::Chars};

/// A line that can be read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line {
    /// Blank, or a comment.
    Nothing,
    /// `# EOF`: nothing counts behind it (OpenMetrics).
    End,
    /// `# TYPE name kind`.
    Type(String, String),
    /// A value of a series.
    Sample { name: String, labels: BTreeMap<String, String>, value: f64 },
}

/// Reads one line.
///
/// # Errors
/// The metric's name, as far as it can be read.
pub(super) fn read(line: &str) -> Result<Line, Option<String>> {
    let line = line.trim_matches(BLANKS);
    if line.is_empty() {
        return Ok(Line::Nothing);
    }
    if let Some(comment) = line.strip_prefix('#') {
        return Ok(comment_of(comment));
    }
    let mut name = None;
    sample(line, &mut name).ok_or(name)
}

const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// The meaning of a comment; most say nothing that counts here.
fn comment_of(comment: &str) -> Line {
    if comment == " EOF" { Line::End } else { type_of(comment).unwrap_or(Line::Nothing) }
}

fn type_of(comment: &str) -> Option<Line> {
    let mut cursor = Cursor::new(comment);
    (cursor.word() == "TYPE").then_some(())?;
    let name = if cursor.peek()? == '"' { cursor.quoted()? } else { cursor.word() };
    Some(Line::Type(name, cursor.word()))
}

/// Reads `name{labels} value timestamp # exemplar`, or `{"name", labels} …`; the name is told as soon as it is known.
fn sample(line: &str, told: &mut Option<String>) -> Option<Line> {
    let mut cursor = Cursor::new(line);
    *told = cursor.name();
    let mut labels = BTreeMap::new();
    let blank = cursor.is_blank();
    if cursor.peek() == Some('{') {
        cursor.next();
        cursor.labels(told, &mut labels)?;
    } else if !blank {
        // Something stands right behind the name.
        return None;
    }
    let name = told.clone()?;
    let value = number(&cursor.word())?;
    let rest = cursor.word();
    let exemplar = if rest.is_empty() || rest == "#" {
        rest
    } else {
        rest.parse::<f64>().ok()?;
        cursor.word()
    };
    match exemplar.as_str() {
        "" => {}
        "#" => {
            // Who has traced it is of no matter here, but a line has to end as one.
            let mut nobody = Some(String::new());
            (cursor.peek()? == '{').then(|| cursor.next())?;
            cursor.labels(&mut nobody, &mut BTreeMap::new())?;
            number(&cursor.word())?;
            let at = cursor.word();
            (at.is_empty() || at.parse::<f64>().is_ok()).then_some(())?;
            cursor.word().is_empty().then_some(())?;
        }
        _ => return None,
    }
    Some(Line::Sample { name, labels, value })
}

/// A value as Go's `ParseFloat` takes it.
fn number(word: &str) -> Option<f64> {
    word.parse().ok()
}

/// Reads a line from left to right, and passes over blanks between its parts.
struct Cursor<'l> {
    rest: Peekable<Chars<'l>>,
}

impl<'l> Cursor<'l> {
    fn new(line: &'l str) -> Self {
        Self { rest: line.chars().peekable() }
    }

    fn next(&mut self) -> Option<char> {
        self.rest.next()
    }

    fn skip_blanks(&mut self) {
        while self.rest.next_if(|c| BLANKS.contains(c)).is_some() {}
    }

    /// The next letter that is no blank.
    fn peek(&mut self) -> Option<char> {
        self.skip_blanks();
        self.rest.peek().copied()
    }

    /// True before a blank.
    fn is_blank(&mut self) -> bool {
        self.rest.peek().is_some_and(|c| BLANKS.contains(c))
    }

    /// All up to the next blank.
    fn word(&mut self) -> String {
        self.skip_blanks();
        std::iter::from_fn(|| self.rest.next_if(|c| !BLANKS.contains(c))).collect()
    }

    /// A name of letters, digits, `_` and `:`; blanks behind it are passed over if labels follow.
    fn name(&mut self) -> Option<String> {
        self.skip_blanks();
        let first = self.rest.peek().copied().filter(|c| c.is_ascii_alphabetic() || *c == '_' || *c == ':')?;
        let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || *c == ':';
        self.rest.next();
        let name = std::iter::once(first).chain(std::iter::from_fn(|| self.rest.next_if(is_name))).collect();
        let mut ahead = self.rest.clone();
        while ahead.next_if(|c| BLANKS.contains(c)).is_some() {}
        if ahead.peek() == Some(&'{') {
            self.rest = ahead;
        }
        Some(name)
    }

    /// A text in quotes, with its escapes.
    fn quoted(&mut self) -> Option<String> {
        (self.peek()? == '"').then(|| self.rest.next())?;
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '"' => return Some(text),
                '\\' => match self.rest.next()? {
                    'n' => text.push('\n'),
                    escaped => text.push(escaped),
                },
                plain => text.push(plain),
            }
        }
    }

    /// Reads `a="x", "b.c"="y"}`, and the metric's name where it stands among them.
    fn labels(&mut self, metric: &mut Option<String>, labels: &mut BTreeMap<String, String>) -> Option<()> {
        loop {
            let name = match self.peek()? {
                '}' => {
                    self.rest.next();
                    return Some(());
                }
                '"' => self.quoted()?,
                _ => self.label()?,
            };
            if self.peek()? == '=' {
                self.rest.next();
                let value = self.quoted()?;
                labels.insert(name, value).is_none().then_some(())?;
            } else {
                metric.is_none().then_some(())?;
                *metric = Some(name);
            }
            match self.peek()? {
                ',' => drop(self.rest.next()),
                '}' => {}
                _ => return None,
            }
        }
    }

    fn label(&mut self) -> Option<String> {
        let first = self.rest.next_if(|c| c.is_ascii_alphabetic() || *c == '_')?;
        let rest = std::iter::from_fn(|| self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_'));
        Some(std::iter::once(first).chain(rest).collect())
    }
}
