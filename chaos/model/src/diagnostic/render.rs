use super::{Diagnostic, Diagnostics, Severity, Source, Span};
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::{collections::BTreeMap, ops::Range};

/// Narrower than this, nothing can be said.
const NARROWEST: usize = 30;

/// The most bytes of a quotation that are kept on one line; a longer one is broken at its blanks.
const LONGEST_QUOTE: usize = 64;

impl Diagnostics {
    /// All of them for people, each with file, line, caret and advice, at most `width` columns wide.
    #[must_use]
    pub fn render(&self, colour: bool, width: usize) -> String {
        let width = width.max(NARROWEST);
        // annotate-snippets is rustc's own renderer: what a scenario's author sees looks like what their compiler
        // shows, at 80 columns and without colour too.
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(width);
        let one = |diagnostic: &Diagnostic| {
            let text = renderer.render(&[self.group(diagnostic, width)]);
            // Gutters of empty lines would end in blanks.
            text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
        };
        self.list.iter().map(one).collect::<Vec<_>>().join("\n")
    }

    fn group<'a>(&'a self, diagnostic: &'a Diagnostic, width: usize) -> Group<'a> {
        let (level, before) = match diagnostic.severity {
            Severity::Error => (Level::ERROR, "error: "),
            Severity::Warning => (Level::WARNING, "warning: "),
        };
        let title = wrap(&diagnostic.message, width.saturating_sub(before.len()));
        let mut group = Group::with_title(level.primary_title(title));
        // The main source first; places of one source share a snippet.
        let label = diagnostic.label.as_deref();
        let mut snippets: BTreeMap<(bool, usize), Vec<Annotation<'a>>> = BTreeMap::new();
        let mut annotate = |kind: AnnotationKind, span: &Span, label: Option<&'a str>| {
            let Some(source) = self.sources.0.get(span.source) else { return };
            let annotation = kind.span(clamp(source, &span.range)).label(label);
            snippets.entry((span.source != diagnostic.span.source, span.source)).or_default().push(annotation);
        };
        annotate(AnnotationKind::Primary, &diagnostic.span, label);
        for (span, text) in &diagnostic.also {
            annotate(AnnotationKind::Context, span, Some(text));
        }
        for ((_, index), annotations) in snippets {
            let source = &self.sources.0[index];
            group = if source.text.is_empty() {
                group.element(Origin::path(source.name.as_str()))
            } else {
                group.element(Snippet::source(&*source.text).path(source.name.as_str()).annotations(annotations))
            };
        }
        match &diagnostic.advice {
            Some(advice) => {
                group.element(Level::HELP.message(wrap(advice, width.saturating_sub("   = help: ".len() + 2))))
            }
            None => group,
        }
    }
}

/// The part of a range that the text has. An empty one is drawn as one column.
fn clamp(source: &Source, range: &Range<usize>) -> Range<usize> {
    let floor = |at: usize| {
        let at = at.min(source.text.len());
        (0..=at).rev().find(|at| source.text.is_char_boundary(*at)).unwrap_or(0)
    };
    let start = floor(range.start);
    start..floor(range.end).max(start)
}

/// Breaks a text at its blanks, so that no line is longer than `width` where that can be. What is quoted by backticks
/// is kept together.
fn wrap(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in words(text) {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word);
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines.join("\n")
}

/// The words of a text; between backticks blanks part none, unless what stands there is long.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match words.last_mut() {
            Some(last) if last.matches('`').count() % 2 == 1 && last.len() + word.len() < LONGEST_QUOTE => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}
