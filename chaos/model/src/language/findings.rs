//! Mistakes found so far. Readers add to them and go on, so that a file's mistakes come together.

use crate::{Diagnostic, Span};
use std::{cell::RefCell, ops::Range};

/// The diagnostics so far.
#[derive(Debug, Default)]
pub(crate) struct Findings(RefCell<Vec<Diagnostic>>);

impl Findings {
    /// Adds one.
    pub(crate) fn add(&self, diagnostic: Diagnostic) {
        self.0.borrow_mut().push(diagnostic);
    }

    /// True if nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// The number of diagnostics so far.
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// All of them, in the order of the files.
    pub(crate) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut list = self.0.into_inner();
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
