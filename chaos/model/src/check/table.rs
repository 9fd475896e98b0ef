//! The documentation of all checks, made of what they say of themselves.

use super::{Need, Row, Shape, elsewhere::missing};
use std::fmt::Write as _;

/// The documentation's page of checks, in Markdown.
#[must_use]
pub fn markdown(rows: &[&Row]) -> String {
    let mut text = String::from(
        "# Checks\n\nWhat an expectation can compare. This page is made from the code: a test compares them, \
         and\n`cargo run -p chaos-model --example checks > docs/checks.md` makes it anew.\n\n| check | what it \
         compares | needs |\n|---|---|---|\n",
    );
    for row in rows {
        let _ = writeln!(text, "| [`{0}`](#{0}) | {1} | {2} |", row.key, cell(row.about), needs(row));
    }
    for row in rows {
        let _ = write!(
            text,
            "\n## {}\n\n{}\n\n```toml\n[[expect]]\nthat = \"…\"\n{}\n```\n",
            row.key, row.about, row.example
        );
        let _ = write!(text, "\nJudged: {}\n", row.judged);
        if let Shape::Named(usual @ [_, ..]) = row.shape {
            let usual: Vec<_> =
                usual.iter().map(|(name, value)| format!("`{}.{name} = \"{value}\"`", row.key)).collect();
            let _ = write!(text, "\nUsual: {}.\n", usual.join(", "));
        }
        if row.condition.is_some() {
            let _ =
                write!(text, "\nOf one response, in a system's `[responses]`: see [markers](scenario.md#markers).\n");
        }
        if !row.others.is_empty() {
            let others: Vec<_> = row.others.iter().map(|term| format!("{}: `{}`", term.tool, term.word)).collect();
            let _ = write!(text, "\nElsewhere: {}.\n", others.join(", "));
        }
    }
    text.push_str("\n## Words that are not here\n\n| word | instead |\n|---|---|\n");
    for (words, instead) in missing() {
        let _ = writeln!(text, "| {words} | {} |", cell(instead));
    }
    text
}

/// A bar would end the table's cell, also within a code span.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn needs(row: &Row) -> String {
    let words = row.needs.iter().map(|need| match need {
        Need::Scrapes => "metrics of a service".to_owned(),
        Need::ScrapesUnless(name) => format!("metrics of a service, but for `{name}`"),
        Need::Responses => "bodies and header fields".to_owned(),
        Need::Marker(marker) => format!("`{marker}` in `[responses]`"),
        Need::Faults => "the times of a fault".to_owned(),
        Need::Samples => "enough requests".to_owned(),
        Need::Probes => "nothing more: it is asked whether it is ready".to_owned(),
        Need::Calls => "counts of proxies".to_owned(),
    });
    words.collect::<Vec<_>>().join(", ")
}
