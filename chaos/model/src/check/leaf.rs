//! Reads one comparison: one function a kind of value, so that equal values mean the same and are refused alike.

use crate::{
    Comparison, Selector, Share, ValueTest,
    calls::Per,
    check::reading::Asked,
    language::{
        bounds::{self, Bound},
        braces, calls,
        document::Entry,
        expect::Against,
        findings::{Findings, Wrong},
        quantity::{comparison, duration, number, share},
        reader::{Word, parse_word},
        selector, value_test,
    },
};
use std::{cell::Cell, time::Duration};

/// One comparison of an expectation, for its kind to read.
pub struct Leaf<'a> {
    pub(crate) kind: &'static str,
    /// The name below the kind's key, as `p99`; empty where the comparison stands under the key itself.
    pub(crate) name: String,
    pub(crate) entry: &'a Entry,
    pub(crate) word: Word<'a>,
    pub(crate) asked: &'a Asked,
    pub(crate) against: &'a Against<'a>,
    pub(crate) findings: &'a Findings,
    /// Set where what was read can't fail.
    pub(crate) idle: Cell<bool>,
}

impl Leaf<'_> {
    /// The name below the kind's key: `p99` of `latency.p99`. Empty where there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The service whose metrics are meant.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.asked.service
    }

    /// The name as that of a service.
    #[must_use]
    pub fn known_service(&self) -> Option<String> {
        let services: Vec<&str> = self.against.system.services.keys().map(String::as_str).collect();
        self.name_as(|name| braces::known_service(name, &services).map(|()| name.to_owned()))
    }

    /// The way in which the expectation's series are read.
    #[must_use]
    pub fn asked(&self) -> Asked {
        self.asked.clone()
    }

    /// The value as it is written: `< 50ms`.
    #[must_use]
    pub fn text(&self) -> &str {
        self.word.text
    }

    /// Says what is wrong with the name, and what would be right.
    pub fn refuse_name(&self, message: impl Into<String>, advice: impl Into<String>) {
        self.findings.add(Wrong::new(message).advice(advice).diagnostic(self.entry.key_span.clone()));
    }

    /// Says what is wrong with the value, and what would be right.
    pub fn refuse(&self, message: impl Into<String>, advice: impl Into<String>) {
        self.findings.add(self.word.refuse(Wrong::new(message).advice(advice)));
    }

    /// The name as a selector of series.
    #[must_use]
    pub fn selector(&self) -> Option<Selector> {
        self.name_as(selector::read)
    }

    /// Refuses every name but one.
    #[must_use]
    pub fn only_name(&self, known: &str) -> Option<()> {
        let (kind, name) = (self.kind, &self.name);
        if name == known {
            return Some(());
        }
        self.refuse_name(format!("there is no `{kind}.{name}`"), format!("did you mean `{kind}.{known}`?"));
        None
    }

    /// The value as the bound of a share of arrivals. One that never holds is refused, and one that can't fail warned of, as by all of
    /// these.
    #[must_use]
    pub fn share(&self) -> Option<Comparison<Share>> {
        self.bound(|text| bounds::check_share(comparison(text, share)?))
    }

    /// The value as the bound of a latency, which lies between 0 and the client's timeout.
    #[must_use]
    pub fn latency(&self) -> Option<Comparison<Duration>> {
        let timeout = self.against.load.timeout.unwrap_or(Duration::MAX);
        self.bound(|text| bounds::check_latency(comparison(text, duration)?, timeout))
    }

    /// The value as the bound of a time.
    #[must_use]
    pub fn time(&self) -> Option<Comparison<Duration>> {
        self.bound(|text| bounds::check_time(comparison(text, duration)?))
    }

    /// The value as a time that is kept, `<` or `<=`: what never happened took no time that could be compared from
    /// below.
    #[must_use]
    pub fn time_to_keep(&self) -> Option<Comparison<Duration>> {
        self.bound(|text| match comparison(text, duration)? {
            bound @ (Comparison::Less(_) | Comparison::AtMost(_)) => bounds::check_time(bound),
            _ => Err(Wrong::new(format!("`{}` is no time to keep", text.trim())).advice("as in `< 2s` or `<= 500ms`")),
        })
    }

    /// The value as the bound of a metric of this name: one that is called as a counter never falls.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<Comparison<f64>> {
        self.bound(|text| bounds::check_metric(comparison(text, sample)?, name))
    }

    /// The value as the bound of calls over first attempts, at least 1.
    #[must_use]
    pub fn amplification(&self) -> Option<Comparison<f64>> {
        self.bound(|text| bounds::check_amplification(comparison(text, plain_number)?))
    }

    /// The value as the bound of calls, and what they are counted per.
    #[must_use]
    pub fn calls(&self) -> Option<(Comparison<f64>, Per)> {
        let (bound, per) = self.parse(calls::bound)?;
        Some((self.noted(bound), per))
    }

    /// The value as a test of values in a response, and the share of responses that must pass it.
    #[must_use]
    pub fn value_test(&self) -> Option<(Comparison<Share>, ValueTest)> {
        let vars: Vec<&str> = self.against.load.vars.iter().map(String::as_str).collect();
        self.parse(|text| value_test::read(text, &vars))
    }

    /// The value that `parse` makes of the name. A name that is wrong is pointed at itself, a value at its own place.
    pub(crate) fn name_as<T>(&self, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let refuse = |wrong: Wrong| self.findings.add(wrong.diagnostic(self.entry.key_span.clone()));
        parse(&self.name).map_err(refuse).ok()
    }

    fn bound<T>(&self, parse: impl FnOnce(&str) -> Result<Bound<T>, Wrong>) -> Option<Comparison<T>> {
        self.parse(parse).map(|bound| self.noted(bound))
    }

    /// The comparison; with a warning where it can't fail.
    fn noted<T>(&self, bound: Bound<T>) -> Comparison<T> {
        if let Some(wrong) = bound.idle {
            self.findings.warn(self.word.refuse(wrong));
            self.idle.set(true);
        }
        bound.comparison
    }

    fn parse<T>(&self, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        parse_word(self.word, parse, self.findings)
    }
}

/// A number as services write it, infinite ones included.
fn sample(text: &str) -> Result<f64, Wrong> {
    match text.trim() {
        "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        word if ["inf", "+inf", "infinity", "+infinity", "∞"].contains(&word.to_lowercase().as_str()) => {
            Err(Wrong::new(format!("`{word}` is no number")).advice("did you mean `+Inf`?"))
        }
        word if ["-infinity", "-inf"].contains(&word.to_lowercase().as_str()) => {
            Err(Wrong::new(format!("`{word}` is no number")).advice("did you mean `-Inf`?"))
        }
        word if word.eq_ignore_ascii_case("nan") => {
            let advice = "nothing compares with it: a scrape in which a series is `NaN` is one that doesn't tell";
            Err(Wrong::new(format!("`{word}` is no number")).advice(advice))
        }
        text => plain_number(text),
    }
}

fn plain_number(text: &str) -> Result<f64, Wrong> {
    number(text).map_err(|wrong| match text.trim().ends_with(|c: char| c == '%' || c.is_ascii_alphabetic()) {
        true => {
            Wrong::new(format!("`{}` is no plain number", text.trim())).advice("a metric has no unit: `> 0`, `< 0.25`")
        }
        false => wrong,
    })
}
