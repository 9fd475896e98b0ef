//! The comparisons of an expectation: `status.200`, `latency.p99`, `body."$.x"` and so on.

use super::{
    bounds,
    document::Entry,
    expect::{Against, did_you_mean, leaves},
    findings::{Findings, Wrong},
    nearest::list,
    quantity::{comparison, duration, number, share},
    reader::{parse_word, text_of},
    recovery,
    request::field_name,
    selector, value_test,
};
use crate::{Check, Comparison, Quantile, Share, StatusPattern, Subject};
use std::time::Duration;

/// Reads everything under one key of an expectation. Metrics are those of `service`.
pub(crate) fn read(entry: &Entry, against: &Against<'_>, service: &str, findings: &Findings) -> Vec<Check> {
    let whole: Option<fn(Comparison<Share>) -> Subject> = match entry.key.as_str() {
        "errors" => Some(Subject::Errors),
        "partial" => Some(Subject::Partial),
        "stale" => Some(Subject::Stale),
        _ => None,
    };
    let leaves = match whole {
        Some(_) => vec![(String::new(), entry)],
        None => leaves(entry, findings),
    };
    let mut checks = Vec::new();
    for (key, leaf) in leaves {
        let Some(word) = text_of(leaf, findings) else { continue };
        // A key that is wrong is pointed at itself, a value at its own place.
        let keyed = |wrong: Wrong| findings.add(wrong.diagnostic(leaf.key_span.clone()));
        let vars: Vec<&str> = against.load.vars.iter().map(String::as_str).collect();
        let subject = match entry.key.as_str() {
            "status" => status_pattern(&key)
                .map_err(keyed)
                .ok()
                .zip(parse_word(word, shares, findings))
                .map(|(pattern, share)| Subject::Status(pattern, share)),
            "latency" => {
                let timeout = against.load.timeout.unwrap_or(Duration::MAX);
                let bound = |text: &str| bounds::check_latency(comparison(text, duration)?, timeout);
                let quantile = quantile(&key).map_err(keyed).ok();
                quantile
                    .zip(parse_word(word, bound, findings))
                    .map(|(quantile, bound)| Subject::Latency(quantile, bound))
            }
            "body" => {
                let path = json_path(&key).map_err(keyed).ok();
                let test = parse_word(word, |text| value_test::read(text, &vars), findings);
                path.zip(test).map(|(path, (share, test))| Subject::Body { path, test, share })
            }
            "header" => {
                let name = field_name(&key).map_err(keyed).ok();
                let test = parse_word(word, |text| value_test::read(text, &vars), findings);
                name.zip(test).map(|(name, (share, test))| Subject::Header { name, test, share })
            }
            "metric" => {
                let selector = selector::read(&key).map_err(keyed).ok();
                let name = selector.as_ref().map_or("", |selector| selector.name.as_str()).to_owned();
                let bound = |text: &str| bounds::check_metric(comparison(text, metric_number)?, &name);
                let service = service.to_owned();
                selector.zip(parse_word(word, bound, findings)).map(|(selector, bound)| Subject::Metric {
                    service,
                    selector,
                    bound,
                })
            }
            kind if recovery::KEYS.contains(&kind) => recovery::read(kind, (&key, leaf), word, service, findings),
            _ => whole.zip(parse_word(word, shares, findings)).map(|(make, share)| make(share)),
        };
        checks.extend(subject.map(|subject| Check { subject, span: leaf.value.span.clone() }));
    }
    checks
}

fn shares(text: &str) -> Result<Comparison<Share>, Wrong> {
    bounds::check_share(comparison(text, share)?)
}

pub(crate) fn metric_number(text: &str) -> Result<f64, Wrong> {
    number(text).map_err(|wrong| match text.trim().ends_with(|c: char| c == '%' || c.is_ascii_alphabetic()) {
        true => {
            Wrong::new(format!("`{}` is no plain number", text.trim())).advice("a metric has no unit: `> 0`, `< 0.25`")
        }
        false => wrong,
    })
}

fn status_pattern(key: &str) -> Result<StatusPattern, Wrong> {
    let form = "write it as `status.200` or `status.2xx`";
    if let Some(class) = key.strip_suffix("xx").or_else(|| key.strip_suffix("XX")) {
        return match class.parse::<u16>() {
            Ok(digit @ 1..=5) => Ok(StatusPattern::Class(digit)),
            _ => Err(Wrong::new(format!("there are no statuses `{key}`")).advice(form)),
        };
    }
    match key.parse::<u16>() {
        Ok(code @ 100..=599) if key.len() == 3 => Ok(StatusPattern::Code(code)),
        _ => Err(Wrong::new(format!("`{key}` is no status of HTTP")).advice(form)),
    }
}

fn quantile(key: &str) -> Result<Quantile, Wrong> {
    const USUAL: [&str; 6] = ["p50", "p90", "p99", "p99.9", "mean", "max"];
    match key {
        "mean" => return Ok(Quantile::Mean),
        "max" => return Ok(Quantile::Max),
        _ => {}
    }
    let alias = match key {
        "median" => Some("p50"),
        "avg" | "average" => Some("mean"),
        "maximum" | "worst" => Some("max"),
        _ => None,
    };
    let wrong = |message: String, number: &str| {
        if let Some(alias) = alias {
            return Err(Wrong::new(message).advice(format!("did you mean `latency.{alias}`?")));
        }
        let advice = match number.parse::<f64>() {
            Ok(100.0) => "the largest is `latency.max`".to_owned(),
            Ok(_) => "percentiles lie above p0 and below p100, with up to three decimals".to_owned(),
            Err(_) => did_you_mean(key, &USUAL, &format!("as in {}", list(USUAL))),
        };
        Err(Wrong::new(message).advice(advice))
    };
    let Some(number) = key.strip_prefix('p') else { return wrong(format!("there is no latency called `{key}`"), key) };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = format!("{whole}{decimals:0<3}").parse::<u32>().ok();
    match thousandths {
        Some(thousandths @ 1..=99_999) if digits(whole) && digits(decimals) && decimals.len() <= 3 => {
            Ok(Quantile::Percentile(thousandths))
        }
        _ => wrong(format!("there is no latency called `{key}`"), number),
    }
}

/// The parser takes twice as long with each parenthesis inside another, and goes one call deeper with each bracket.
const DEEPEST: usize = 8;

fn json_path(key: &str) -> Result<String, Wrong> {
    let deeper = |(deepest, depth): (usize, usize), c: char| match c {
        '(' | '[' => (deepest.max(depth + 1), depth + 1),
        ')' | ']' => (deepest, depth.saturating_sub(1)),
        _ => (deepest, depth),
    };
    if key.chars().fold((0, 0), deeper).0 > DEEPEST || key.len() > 1000 {
        let wrong = Wrong::new("this JSONPath is too long or too deep");
        return Err(wrong.advice(format!("at most {DEEPEST} brackets go into one another")));
    }
    if serde_json_path::JsonPath::parse(key).is_ok() {
        return Ok(key.to_owned());
    }
    let wrong = Wrong::new(format!("`{key}` is no JSONPath"));
    Err(wrong.advice(if key.starts_with('$') {
        "as in `$.user.id`, `$.orders[0].id`, `$['a b']` (RFC 9535)".to_owned()
    } else {
        format!("it begins with `$`: body.\"$.{key}\"")
    }))
}
