//! Diagnostics: what is wrong in a file, where, and what would be right. One renderer serves mistakes in a file and
//! expectations that did not hold.

mod render;
mod source;

pub use source::{Source, Sources, Span};

/// The weight of a diagnostic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Severity {
    /// It is wrong, and nothing runs.
    #[default]
    Error,
    /// It is probably not what is meant, and runs.
    Warning,
}

/// Something that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The weight.
    pub severity: Severity,
    /// The mistake, as a lower-case sentence without a full stop: "there is no service called `rediss`".
    pub message: String,
    /// Place of the mistake.
    pub span: Span,
    /// A text beside the caret, if there is more to say than the message.
    pub label: Option<String>,
    /// Other places that matter, with what they say ("first declared here").
    pub also: Vec<(Span, String)>,
    /// Advice: what would be right, as "did you mean `redis`?".
    pub advice: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without label or advice.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        let severity = Severity::Error;
        Self { severity, message: message.into(), span, label: None, also: Vec::new(), advice: None }
    }

    /// A warning without label or advice.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::new(span, message) }
    }

    /// The same with a text beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same with another place that matters.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.also.push((span, text.into()));
        self
    }

    /// The same with what would be right.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// Everything that is wrong with a scenario, at least one thing, in the order of the files; and the texts it stands in.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    /// The mistakes, at least one.
    pub list: Vec<Diagnostic>,
    /// The files.
    pub sources: Sources,
}
