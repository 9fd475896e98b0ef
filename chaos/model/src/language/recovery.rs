//! Reads the checks of a system's reaction: `age.max`, `detect.…`, `recovery.time`, `amplification.…`, `herd.…`.

use super::{
    bounds,
    document::Entry,
    expect::{Against, did_you_mean},
    findings::{Findings, Wrong},
    quantity::{comparison, duration},
    reader::{Word, parse_word},
    samples, selector,
    subject::metric_number,
};
use crate::{
    Check, Comparison, Diagnostic, Scope, Selector, Subject,
    phase::{BASELINE, RECOVERY},
    quantity::show_duration,
};
use std::time::Duration;

/// The keys that this reads.
pub(crate) const KEYS: [&str; 5] = ["age", "detect", "recovery", "amplification", "herd"];

/// A peak is that of a window as long.
const WINDOW: Duration = Duration::from_secs(1);

/// Reads the comparison `word` that stands under `kind` and `key`. Metrics are those of `service`.
pub(crate) fn read(
    kind: &str,
    (key, leaf): (&str, &Entry),
    word: Word<'_>,
    service: &str,
    findings: &Findings,
) -> Option<Subject> {
    let keyed = |wrong: Wrong| findings.add(wrong.diagnostic(leaf.key_span.clone()));
    let service = service.to_owned();
    match kind {
        "age" => {
            only(key, "age", "max").map_err(keyed).ok()?;
            parse_word(word, |text| bounds::check_age(comparison(text, duration)?), findings).map(Subject::Age)
        }
        "detect" if key == "time" => parse_word(word, at_most, findings).map(Subject::Detection),
        "detect" => {
            let selector = detector(key).map_err(keyed).ok()?;
            parse_word(word, at_most, findings).map(|bound| Subject::DetectionBy { service, selector, bound })
        }
        "recovery" => {
            only(key, "recovery", "time").map_err(keyed).ok()?;
            parse_word(word, at_most, findings).map(Subject::Recovery)
        }
        "amplification" => {
            let (calls, first) = ratio(key).map_err(keyed).ok()?;
            let bound = |text: &str| bounds::check_amplification(comparison(text, metric_number)?);
            parse_word(word, bound, findings).map(|bound| Subject::Amplification { service, calls, first, bound })
        }
        _ => {
            let selector = selector::read(key).map_err(keyed).ok()?;
            let bound = |text: &str| bounds::check_metric(comparison(text, metric_number)?, "peaks_total");
            parse_word(word, bound, findings).map(|bound| Subject::Herd { service, selector, bound })
        }
    }
}

fn only(key: &str, kind: &str, known: &str) -> Result<(), Wrong> {
    if key == known {
        return Ok(());
    }
    Err(Wrong::new(format!("there is no `{kind}.{key}`")).advice(format!("did you mean `{kind}.{known}`?")))
}

/// A time that is kept: what never happened took no time that could be compared from below.
fn at_most(text: &str) -> Result<Comparison<Duration>, Wrong> {
    match comparison(text, duration)? {
        bound @ (Comparison::Less(_) | Comparison::AtMost(_)) => bounds::check_age(bound),
        _ => Err(Wrong::new(format!("`{}` is no time to keep", text.trim())).advice("as in `< 2s` or `<= 500ms`")),
    }
}

/// The series that shows a fault; refuses words that people write for the time.
fn detector(key: &str) -> Result<Selector, Wrong> {
    let bare = key.bytes().all(|byte| byte.is_ascii_lowercase());
    let near = did_you_mean(key, &["time"], "");
    if bare && !near.is_empty() {
        return Err(Wrong::new(format!("there is no `detect.{key}`")).advice("did you mean `detect.time`?"));
    }
    selector::read(key)
}

fn ratio(key: &str) -> Result<(Selector, Selector), Wrong> {
    let form = "write it as `amplification.'calls_total / first_attempts_total'`";
    let Some((calls, first)) = key.split_once(" / ") else {
        return Err(Wrong::new("an amplification is all calls over first attempts").advice(form));
    };
    let (calls, first) = (selector::read(calls.trim())?, selector::read(first.trim())?);
    if calls == first {
        return Err(Wrong::new("this divides a counter by itself").advice(form));
    }
    Ok((calls, first))
}

/// Refuses what a scope can't show.
pub(crate) fn check_scope(checks: &[Check], scope: &Scope, against: &Against<'_>, findings: &Findings) {
    let is_fault = |name: &str| against.faults.iter().any(|fault| fault.name.as_deref() == Some(name));
    let fault = against.faults.iter().find_map(|fault| fault.name.as_deref()).unwrap_or("outage");
    for check in checks {
        let refuse = |message: &str, advice: String| {
            findings.add(Diagnostic::new(check.span.clone(), message).advice(advice));
        };
        match (&check.subject, scope) {
            (Subject::Detection(_) | Subject::DetectionBy { .. }, Scope::During(name)) if is_fault(name) => {}
            (Subject::Detection(_) | Subject::DetectionBy { .. }, _) => {
                refuse(
                    "the time to detect counts from the beginning of a fault",
                    format!("say `during = \"{fault}\"`"),
                );
            }
            (Subject::Metric { .. } | Subject::Amplification { .. } | Subject::Herd { .. }, Scope::Across(name)) => {
                refuse(
                    "`across` is about requests, and this is counted over a window of time",
                    format!("say `during = \"{name}\"`"),
                );
            }
            (Subject::Recovery(_), Scope::After { .. }) => {}
            (Subject::Recovery(_), _) => {
                refuse("the time to recover counts from the end of a fault", format!("say `after = \"{fault}\"`"));
            }
            (Subject::Herd { .. }, Scope::During(name)) if name == BASELINE => {
                let advice = format!("say `after = \"{fault}\"`, or `during = \"{RECOVERY}\"`");
                refuse("the baseline is what a herd is compared with", advice);
            }
            (Subject::Herd { .. }, _) => {
                if let Some((message, advice)) = too_short(scope, against) {
                    refuse(&message, advice);
                }
            }
            _ => {}
        }
    }
}

/// The mistake about a scope without a window of a second to find a peak in, if it is one.
fn too_short(scope: &Scope, against: &Against<'_>) -> Option<(String, String)> {
    let timeline = against.timeline?;
    let baseline = timeline.phase(BASELINE).map_or(Duration::ZERO, |phase| phase.to.saturating_sub(phase.from));
    if baseline < WINDOW {
        let had = show_duration(baseline);
        let message = format!("a herd is compared with a second of baseline, and there is {had}");
        return Some((message, "begin the first fault later".to_owned()));
    }
    let judged = samples::judged(scope, against)?;
    let length = judged.to.saturating_sub(judged.from);
    (length < WINDOW).then(|| {
        let message = format!("a herd shows in windows of a second, and this lasts {}", show_duration(length));
        (message, "look at a longer window".to_owned())
    })
}
