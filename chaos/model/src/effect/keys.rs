//! Reads the keys of an effect: one function a kind of value, so that equal keys mean the same and are refused alike.

use super::{
    Coding, Directions, Distribution, OpenConnections, Spread,
    action::{Part, Throughput},
};
use crate::{
    Diagnostic,
    language::{
        findings::{Findings, Wrong},
        nearest::advise,
        quantity,
        reader::{Reader, Word},
    },
    quantity::show_duration,
};
use std::time::Duration;

/// The keys of one fault, for its effect to take.
pub(crate) struct Keys<'r, 'a> {
    pub(crate) reader: &'r mut Reader<'a>,
    pub(crate) findings: &'r Findings,
    /// Time that the fault lasts, where that is known.
    pub(crate) lasts: Option<Duration>,
}

impl<'a> Keys<'_, 'a> {
    /// The key's duration, which must be there and above 0.
    pub(crate) fn duration(&mut self, key: &'static str) -> Option<Duration> {
        self.reader.needed(key, &format!("{key} = \"200ms\""), |text| {
            let duration = quantity::duration(text)?;
            let nothing = || Wrong::new(format!("a `{key}` of 0s does nothing")).advice("write it as `200ms`");
            if duration.is_zero() { Err(nothing()) } else { Ok(duration) }
        })
    }

    /// The key's duration, or 0. Nothing where what is there is none.
    pub(crate) fn duration_or_zero(&mut self, key: &'static str) -> Option<Duration> {
        if self.has(key) { self.reader.parse(key, quantity::duration) } else { Some(Duration::ZERO) }
    }

    /// `jitter`, or 0; a share of the delay is not taken for one.
    fn jitter(&mut self, mean: Option<Duration>) -> Option<Duration> {
        if !self.has("jitter") {
            return Some(Duration::ZERO);
        }
        self.reader.parse("jitter", |text| {
            let Some(share) = text.trim().strip_suffix('%').and_then(|_| quantity::share(text).ok()) else {
                return quantity::duration(text);
            };
            let of = |mean: Duration| mean.as_nanos() * u128::from(share.parts) / u128::from(share.whole.max(1));
            let wrong = Wrong::new(format!("a jitter is a time, and `{}` is a share", text.trim()));
            Err(match mean.map(|mean| Duration::from_nanos_u128(of(mean))) {
                Some(time) => wrong.advice(format!("of this delay it is `{}`", show_duration(time))),
                None => wrong.advice("write it as `50ms`"),
            })
        })
    }

    /// `delay`, `jitter` and `distribution`.
    pub(crate) fn spread(&mut self) -> Option<Spread> {
        let mean = self.reader.needed("delay", "delay = \"200ms\"", quantity::duration);
        let jitter = self.jitter(mean)?;
        let distribution = self.one_of("distribution", "the distribution", &Distribution::ALL.map(|d| (d.name(), d)));
        let distribution = distribution.unwrap_or_default();
        let mean = mean?;
        if mean.is_zero() && jitter.is_zero() {
            self.refuse("delay", Wrong::new("a delay of 0s does nothing").advice("write it as `200ms`"));
        }
        if jitter > mean && distribution == Distribution::Uniform {
            let message = format!("a jitter of {} around {} goes below 0s", show_duration(jitter), show_duration(mean));
            let advice = format!("write `{}` at most, or `distribution = \"normal\"`", show_duration(mean));
            self.refuse("jitter", Wrong::new(message).advice(advice));
        }
        if jitter.is_zero()
            && let Some(entry) = self.reader.entry("distribution")
        {
            let message = "without jitter there is nothing to distribute";
            self.findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("add `jitter = \"50ms\"`"));
        }
        Some(Spread { mean, jitter, distribution })
    }

    /// `direction`; downstream unless it is there.
    pub(crate) fn direction(&mut self) -> Directions {
        self.one_of("direction", "the direction", &Directions::ALL.map(|d| (d.name(), d))).unwrap_or_default()
    }

    /// `open`; reset unless it is there.
    pub(crate) fn open(&mut self) -> OpenConnections {
        self.one_of("open", "`open`", &OpenConnections::ALL.map(|open| (open.name(), open))).unwrap_or_default()
    }

    /// `coding`; undone unless it is there.
    pub(crate) fn coding(&mut self) -> Coding {
        self.one_of("coding", "the coding", &Coding::ALL.map(|coding| (coding.name(), coding))).unwrap_or_default()
    }

    /// One of several words, if it is there and right.
    pub(crate) fn one_of<T: Copy>(&mut self, key: &'static str, what: &str, all: &[(&'static str, T)]) -> Option<T> {
        self.reader.parse(key, |text| {
            let found = all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
            found.ok_or_else(|| {
                let wrong = Wrong::new(format!("{what} can't be `{text}`"));
                wrong.advice(advise(text, all.iter().map(|(name, _)| *name), "it is one of"))
            })
        })
    }

    /// One of several words, which must be there, as in `example`.
    pub(crate) fn needed_one_of<T: Copy>(
        &mut self,
        key: &'static str,
        example: &str,
        what: &str,
        all: &[(&'static str, T)],
    ) -> Option<T> {
        if !self.has(key) {
            self.reader.lacks(key, example);
        }
        self.one_of(key, what, all)
    }

    /// The key's number of bytes, which must be there and above 0.
    pub(crate) fn size(&mut self, key: &'static str, example: &str) -> Option<u64> {
        self.reader.needed(key, &format!("{key} = \"{example}\""), quantity::size)
    }

    /// The key's bytes per second, which must be there.
    pub(crate) fn throughput(&mut self, key: &'static str) -> Option<Throughput> {
        self.reader.needed(key, &format!("{key} = \"64KiB/s\""), |text| {
            quantity::throughput(text).map(|bytes_per_second| Throughput { bytes_per_second })
        })
    }

    /// The key's part of a body; `default` unless it is there. Nothing where what is there is none.
    pub(crate) fn part(&mut self, key: &'static str, default: Part) -> Option<Part> {
        if self.has(key) { self.reader.parse(key, quantity::part) } else { Some(default) }
    }

    /// The key's text, if it is there.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Word<'a>> {
        self.reader.text(key)
    }

    /// The value that `parse` makes of the key's text, which must be there, as in `example`.
    pub(crate) fn needed<T>(
        &mut self,
        key: &'static str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.reader.needed(key, example, parse)
    }

    /// True where the key is there.
    pub(crate) fn has(&mut self, key: &'static str) -> bool {
        self.reader.entry(key).is_some()
    }

    /// Says what is wrong with the value of `key`, or with the fault where it isn't there.
    pub(crate) fn refuse(&mut self, key: &'static str, wrong: Wrong) {
        let span = self.reader.entry(key).map_or_else(|| self.reader.span().clone(), |entry| entry.value.span.clone());
        self.findings.add(wrong.diagnostic(span));
    }

    /// Refuses a time that ends after the fault does.
    pub(crate) fn within_the_fault(&mut self, key: &'static str, time: Duration, so_that: &str) {
        if let Some(lasts) = self.lasts.filter(|lasts| time >= *lasts && !time.is_zero()) {
            let message = format!("the fault lasts {}, so that {so_that}", show_duration(lasts));
            let advice = format!("shorten `{key}`, or make the fault last longer by `for`");
            self.refuse(key, Wrong::new(message).advice(advice));
        }
    }
}
