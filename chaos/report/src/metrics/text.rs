//! Prometheus's text format, written.

use std::{
    fmt::Display,
    io::{self, Write},
};

/// Writes families one after another: first what it is, then its values.
pub(super) struct Text<'a, W> {
    out: &'a mut W,
    name: &'static str,
}

impl<'a, W: Write> Text<'a, W> {
    pub(super) fn new(out: &'a mut W) -> Self {
        Self { out, name: "" }
    }

    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> io::Result<()> {
        self.family(name, help, "gauge")
    }

    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> io::Result<()> {
        self.family(name, help, "counter")
    }

    fn family(&mut self, name: &'static str, help: &str, kind: &str) -> io::Result<()> {
        self.name = name;
        writeln!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}")
    }

    /// A value of the family that was last begun.
    pub(super) fn value(&mut self, labels: &[(&str, &str)], value: impl Display) -> io::Result<()> {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        writeln!(self.out, "{}{labels} {value}", self.name)
    }
}

/// A label's value as it stands between quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_label_early_is_escaped() {
        let mut out = Vec::new();
        let mut text = Text::new(&mut out);
        text.gauge("a", "Something").unwrap();
        text.value(&[("b", "say \"no\\\"\nand go"), ("c", "")], 1.5).unwrap();
        text.value(&[], 2).unwrap();
        let expected = "# HELP a Something\n# TYPE a gauge\na{b=\"say \\\"no\\\\\\\"\\nand go\",c=\"\"} 1.5\na 2\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
