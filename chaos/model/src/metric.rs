//! Selectors of the series of a scrape.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// A selector of series, as `cache_hits_total{tier="memory"}`: the name, and labels that must match. Labels that it
/// doesn't name may have any value; what matches is summed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// The series' name, as it stands in the scrape (`…_bucket`, `…_count` and `…_sum` for histograms).
    pub name: String,
    /// The labels that must match.
    pub labels: Vec<LabelMatch>,
}

/// A label and the value that it must have, or must not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelMatch {
    /// The label's name.
    pub label: String,
    /// The value to compare with.
    pub value: String,
    /// `!=`: anything but this value.
    pub negated: bool,
}

impl Selector {
    /// True if it means the series of this name and these labels. A label that is absent has the empty value, as in
    /// Prometheus.
    #[must_use]
    pub fn matches(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        let holds = |wanted: &LabelMatch| {
            let value = labels.get(&wanted.label).map_or("", String::as_str);
            (value == wanted.value) != wanted.negated
        };
        self.name == name && self.labels.iter().all(holds)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.labels.is_empty() {
            return Ok(());
        }
        let label = |l: &LabelMatch| format!("{}{}{:?}", l.label, if l.negated { "!=" } else { "=" }, l.value);
        write!(f, "{{{}}}", self.labels.iter().map(label).collect::<Vec<_>>().join(","))
    }
}
