//! Kinds of series: counter or gauge, by the type of the family that a series belongs to.

use chaos_model::check::reading::SeriesKind;
use std::collections::BTreeMap;

/// Types of families, by name.
#[derive(Debug, Default)]
pub(super) struct Types(BTreeMap<String, String>);

/// Endings that the series of a family have, by its type, and the kind of those that have it.
const PARTS: [(&str, &str, SeriesKind); 15] = [
    ("counter", "_total", SeriesKind::Counter),
    ("counter", "_created", SeriesKind::Gauge),
    ("histogram", "_bucket", SeriesKind::Counter),
    ("histogram", "_count", SeriesKind::Counter),
    ("histogram", "_sum", SeriesKind::Counter),
    ("histogram", "_created", SeriesKind::Gauge),
    ("gaugehistogram", "_bucket", SeriesKind::Gauge),
    ("gaugehistogram", "_gcount", SeriesKind::Gauge),
    ("gaugehistogram", "_gsum", SeriesKind::Gauge),
    ("gaugehistogram", "_count", SeriesKind::Gauge),
    ("gaugehistogram", "_sum", SeriesKind::Gauge),
    ("summary", "_count", SeriesKind::Counter),
    ("summary", "_sum", SeriesKind::Counter),
    ("summary", "_created", SeriesKind::Gauge),
    ("info", "_info", SeriesKind::Gauge),
];

impl Types {
    pub(super) fn add(&mut self, name: String, kind: String) {
        self.0.insert(name, kind);
    }

    /// The kind of the series of this name.
    pub(super) fn kind_of(&self, name: &str) -> SeriesKind {
        let of_part = || {
            PARTS.iter().find_map(|(kind, part, is)| {
                let family = name.strip_suffix(part)?;
                self.0.get(family).is_some_and(|known| known == kind).then_some(*is)
            })
        };
        match self.0.get(name).map(String::as_str) {
            Some("counter" | "histogram") => SeriesKind::Counter,
            // A summary's quantiles go up and down.
            Some("gauge" | "summary" | "gaugehistogram" | "info" | "stateset") => SeriesKind::Gauge,
            // The name is a promise (OpenMetrics 1.0, "Counter").
            _ => of_part().unwrap_or(if name.ends_with("_total") { SeriesKind::Counter } else { SeriesKind::Unknown }),
        }
    }
}
