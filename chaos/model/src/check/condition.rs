//! Conditions: the keys of checks that say something of one response, as `[responses]` has them.

use crate::{
    ValueTest,
    language::{
        document::Entry,
        findings::{Findings, Wrong},
        reader::{Word, parse_word},
        value_test,
    },
    responses::{Condition, Field},
};

/// Reads a key as a condition of one response. What is wrong is told to the leaf, and nothing comes back then.
pub type ReadCondition = fn(&ConditionLeaf<'_>) -> Option<Condition>;

/// One condition, for its kind of check to read.
pub struct ConditionLeaf<'a> {
    /// The name below the kind's key, as `x-cache` of `header.x-cache`; empty where the test stands under the key itself.
    pub(crate) name: String,
    pub(crate) entry: &'a Entry,
    pub(crate) word: Word<'a>,
    pub(crate) findings: &'a Findings,
}

impl ConditionLeaf<'_> {
    /// The condition that a part of the response passes a test, the field being what `field` makes of the name.
    pub(crate) fn of(&self, field: impl FnOnce(&str) -> Result<Field, Wrong>) -> Option<Condition> {
        let refuse = |wrong: Wrong| self.findings.add(wrong.diagnostic(self.entry.key_span.clone()));
        let field = field(&self.name).map_err(refuse).ok();
        let test = self.test(Ok);
        Some(Condition { field: field?, test: test? })
    }

    /// The test of one response, which `check` may refuse.
    pub(crate) fn test(&self, check: impl FnOnce(ValueTest) -> Result<ValueTest, Wrong>) -> Option<ValueTest> {
        parse_word(self.word, |text| check(value_test::of_one(text)?), self.findings)
    }
}
