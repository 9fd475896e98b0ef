//! `detect.time = "< 1s"`, `detect.'breaker_state{state="open"}' = "< 1s"`: from when a fault took effect until
//! clients, or a metric, show that something is wrong.

use super::{
    Evidence, Finding, Leaf, Misplaced, Need, Place, Row, Shape, Subject,
    evidence::at,
    reading::{Asked, Reading, ScrapeSide, total},
    term,
};
use crate::{
    Comparison, Scope, Selector,
    event::Sample,
    language::{findings::Wrong, nearest::did_you_mean, selector},
    quantity::show_duration,
    responses::ways_to_be_bad,
};
use std::{sync::Arc, time::Duration};

/// The last time of the baseline in which a series that detects something stands still.
const UNHARMED: Duration = Duration::from_secs(2);

pub(super) const ROW: Row = Row {
    key: "detect",
    about: "The time until clients (`detect.time`) or a metric show that something is wrong.",
    shape: Shape::Named(&[("time", "< 1s")]),
    example: "during = \"outage\"\ndetect.time = \"< 1s\"",
    needs: &[Need::Faults, Need::ScrapesUnless("time")],
    judged: "From when the fault took effect to the first response that failed, was partial or stale (as far as the system's \
             `[responses]` says what that is) and met an injection of it, or from which on more are bad than in the \
             baseline; where it can't be said whether they are more, neither can this. Or to the first of ten scrapes a \
             second in which the series has another value than before. Where that never comes, it fails; a \
             series that moves in the last two seconds of the baseline shows nothing.",
    others: &[term("SRE", "time to detect"), term("SRE", "MTTD"), term("Envoy", "outlier detection interval")],
    from_the_end_on: false,
    condition: None,
    read,
};

/// The time to the first bad response, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Detection(Comparison<Duration>);

/// The time until a series has another value than before, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct DetectionBy {
    asked: Asked,
    selector: Selector,
    bound: Comparison<Duration>,
}

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    if leaf.name() == "time" {
        return Some(Arc::new(Detection(leaf.time_to_keep()?)));
    }
    let selector = leaf.name_as(detector)?;
    Some(Arc::new(DetectionBy { asked: leaf.asked(), selector, bound: leaf.time_to_keep()? }))
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

fn misplaced(place: &Place<'_>) -> Option<Misplaced> {
    match place.scope {
        Scope::During(name) if place.is_fault(name) => None,
        _ => {
            let advice = format!("say `during = \"{}\"`", place.some_fault());
            Some(Misplaced::new("the time to detect counts from the beginning of a fault", advice))
        }
    }
}

impl Subject for Detection {
    fn words(&self) -> String {
        format!("detect.time {}", self.0.map(show_duration))
    }

    fn misplaced(&self, place: &Place<'_>) -> Option<Misplaced> {
        misplaced(place)
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        let Some(seen) = &evidence.fault else { return Finding::of_nothing() };
        match seen.detected {
            Some(took) => Finding::by(&self.0, &took, show_duration(took)),
            None if seen.uncharged.is_some_and(|uncharged| uncharged.is_open()) => {
                let why = seen.uncharged.map(|uncharged| uncharged.to_string()).unwrap_or_default();
                Finding::inconclusive("unknown", why)
            }
            None => {
                let lasts = show_duration(seen.fault.lasts);
                Finding::of(false, format!("no bad response in {lasts}")).explained(|| {
                    let none = || format!("no response {}", ways_to_be_bad(evidence.markers));
                    Some(seen.uncharged.map_or_else(none, |uncharged| uncharged.to_string()))
                })
            }
        }
    }
}

impl Subject for DetectionBy {
    fn words(&self) -> String {
        format!("detect.{} {}", self.selector, self.bound.map(show_duration))
    }

    fn scrapes(&self) -> Option<(&str, Vec<&Selector>)> {
        Some((&self.asked.service, vec![&self.selector]))
    }

    fn watches(&self) -> bool {
        true
    }

    fn misplaced(&self, place: &Place<'_>) -> Option<Misplaced> {
        misplaced(place)
    }

    /// Its resolution is the time between two scrapes, and an upper bound is what is judged.
    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        let Some(fault) = evidence.fault.as_ref().map(|seen| seen.fault) else { return Finding::of_nothing() };
        if let Err(unknown) = evidence.readings.known(0, &self.selector, &self.asked) {
            return unknown;
        }
        let readings = evidence.readings.of(0);
        let known = |nth: usize| total(readings, nth, &self.asked).map(|value| (&readings[nth], value));
        let before =
            |reading: &Reading| reading.at < fault.at || (reading.at == fault.at && reading.side == ScrapeSide::Before);
        let Some(usual) = readings.iter().rposition(before).and_then(&known) else {
            return Finding::inconclusive("unknown", "there is no scrape with it from before the fault");
        };
        let (_, usual) = usual;
        let moves = |value: f64| (value - usual).abs() > f64::EPSILON;
        // What moves by itself detects nothing. The last of the baseline shows it; what came before may be of the start.
        let (from, to) = evidence.baseline;
        let is_unharmed =
            |reading: &Reading| before(reading) && reading.at >= from && reading.at < to && reading.at + UNHARMED >= to;
        let mut unharmed = (0..readings.len()).filter(|nth| is_unharmed(&readings[*nth])).filter_map(&known);
        if let Some((reading, value)) = unharmed.find(|(_, value)| moves(*value)) {
            let why = format!("it moves without the fault, too: {}, it was {}", at(reading.at), Sample(value));
            return Finding::inconclusive(format!("{} before the fault", Sample(usual)), why);
        }
        let within = (0..readings.len()).filter(|nth| !before(&readings[*nth]) && readings[*nth].at <= fault.ends());
        // What the scrape itself says is known when it was asked for, and no earlier.
        let mut known = within.filter_map(known);
        match known.find(|(_, value)| moves(*value)) {
            Some((reading, _)) => {
                let took = reading.taken.saturating_sub(fault.at);
                Finding::by(&self.bound, &took, format!("{}, by a scrape", show_duration(took)))
            }
            None => Finding::of(false, format!("it stayed at {} for {}", Sample(usual), show_duration(fault.lasts))),
        }
    }
}
