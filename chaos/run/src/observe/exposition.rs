//! The Prometheus text format (version 0.0.4), as far as it takes to read samples: names, labels, values and types.
//! Timestamps and exemplars are passed over.

// Own code, since the crates that parse it are unmaintained or read the wall clock.

use chaos_model::{Selector, check::reading::SeriesKind};
use std::collections::BTreeMap;

/// One series of a scrape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
    pub(crate) kind: SeriesKind,
}

/// The sum of the series that a selector means, with their kind; none where there are none.
pub(super) fn sum(selector: &Selector, series: &[Series]) -> Option<(f64, SeriesKind)> {
    let matching = series.iter().filter(|series| selector.matches(&series.name, &series.labels));
    matching.fold(None, |sum, series| Some((sum.map_or(0.0, |(sum, _)| sum) + series.value, series.kind)))
}

/// The series of a scrape; lines that can't be read are left out, since one odd exporter line should not lose the rest.
pub(crate) fn parse(text: &str) -> Vec<Series> {
    let mut types = BTreeMap::new();
    let mut series = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix('#') {
            let mut words = comment.split_whitespace();
            if let (Some("TYPE"), Some(name), Some(kind)) = (words.next(), words.next(), words.next()) {
                types.insert(name.to_owned(), kind.to_owned());
            }
        } else if let Some((name, labels, value)) = sample(line) {
            let kind = kind_of(&name, &types);
            series.push(Series { name, labels, value, kind });
        }
    }
    series
}

fn kind_of(name: &str, types: &BTreeMap<String, String>) -> SeriesKind {
    let family = |suffix| name.strip_suffix(suffix).and_then(|family| types.get(family));
    let parts = ["_bucket", "_sum", "_count"].into_iter().find_map(family);
    match types.get(name).or(parts).map(String::as_str) {
        Some("counter" | "histogram") => SeriesKind::Counter,
        // A summary's quantiles go up and down, its count and sum only up.
        Some("summary") if parts.is_some() => SeriesKind::Counter,
        None if name.ends_with("_total") => SeriesKind::Counter,
        _ => SeriesKind::Gauge,
    }
}

fn sample(line: &str) -> Option<(String, BTreeMap<String, String>, f64)> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(end);
    if name.is_empty() {
        return None;
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = match rest.split_whitespace().next()? {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number => number.parse().ok()?,
    };
    Some((name.to_owned(), labels, value))
}

/// Reads `a="x",b="y"}` and gives what follows it.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (label, after) = rest.split_once('=')?;
        let mut value = String::new();
        let mut chars = after.trim_start().strip_prefix('"')?.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => match chars.next()? {
                    'n' => value.push('\n'),
                    escaped => value.push(escaped),
                },
                plain => value.push(plain),
            }
        }
        labels.insert(label.trim().to_owned(), value);
        rest = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_types_labels_escapes_and_values() {
        let text = concat!(
            "# HELP hits_total Hits.\n# TYPE hits_total counter\n",
            "hits_total{tier=\"memory\",note=\"a \\\"b\\\" \\\\ }\"} 3\n",
            "# TYPE depth gauge\ndepth 2.5 1700000000\n",
            "# TYPE took histogram\ntook_bucket{le=\"+Inf\"} 4\ntook_count 4\n",
            "odd{ 1\n"
        );
        let series = parse(text);
        let show = |s: &Series| (s.name.clone(), s.value, s.kind);
        assert_eq!(
            series.iter().map(show).collect::<Vec<_>>(),
            [
                ("hits_total".to_owned(), 3.0, SeriesKind::Counter),
                ("depth".to_owned(), 2.5, SeriesKind::Gauge),
                ("took_bucket".to_owned(), 4.0, SeriesKind::Counter),
                ("took_count".to_owned(), 4.0, SeriesKind::Counter),
            ]
        );
        assert_eq!(series[0].labels["note"], "a \"b\" \\ }");
        assert_eq!(series[2].labels["le"], "+Inf");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            parse(&text);
        }
    }
}
