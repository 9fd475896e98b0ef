//! Mistakes found so far. Readers add to them and go on, so that a file's mistakes come together.

use crate::{Diagnostic, Span, diagnostic::Severity};
use std::{cell::RefCell, ops::Range};

/// The diagnostics so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    mistakes: RefCell<Vec<Diagnostic>>,
    warnings: RefCell<Vec<Diagnostic>>,
}

impl Findings {
    /// Adds one.
    pub(crate) fn add(&self, diagnostic: Diagnostic) {
        self.mistakes.borrow_mut().push(diagnostic);
    }

    /// Adds one that refuses nothing.
    pub(crate) fn warn(&self, diagnostic: Diagnostic) {
        self.warnings.borrow_mut().push(Diagnostic { severity: Severity::Warning, ..diagnostic });
    }

    /// The warnings so far.
    pub(crate) fn warnings(&self) -> Vec<Diagnostic> {
        self.warnings.borrow().clone()
    }

    /// True if no mistake was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.mistakes.borrow().is_empty()
    }

    /// The number of mistakes so far.
    pub(crate) fn len(&self) -> usize {
        self.mistakes.borrow().len()
    }

    /// All mistakes, in the order of the files.
    pub(crate) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut list = self.mistakes.into_inner();
        list.sort_by_key(|diagnostic| (diagnostic.span.source, diagnostic.span.range.start));
        list.dedup();
        list
    }
}

/// A mistake in a text, told by whoever parses it, without knowing where the text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) advice: Option<String>,
    /// The bytes of the text that are meant, if not all.
    pub(crate) at: Option<Range<usize>>,
}

impl Wrong {
    /// Something wrong with all of the text.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), advice: None, at: None }
    }

    /// The same with what would be right.
    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The same with advice, if there is any.
    pub(crate) fn maybe_advice(mut self, advice: Option<String>) -> Self {
        self.advice = advice.or(self.advice);
        self
    }

    /// The same with a closer place.
    pub(crate) fn at(mut self, range: Range<usize>) -> Self {
        self.at = Some(range);
        self
    }

    /// The mistake as a diagnostic about `span`.
    pub(crate) fn diagnostic(self, span: Span) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(span, self.message);
        diagnostic.advice = self.advice;
        diagnostic
    }
}
