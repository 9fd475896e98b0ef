//! From the fold of a run to verdicts. Pure, and at any moment: what is known by then is judged.

use crate::{
    blame::Blames,
    fold::{Fold, Glimpse, Tally},
    observe::Scrapes,
    responses::Unseen,
    shown::Requests,
    spared::Weaker,
};
use chaos_model::{
    Check, Expectation, Scenario, Scope, Verdict,
    check::{Evidence, FaultSeen, Finding, Marked, reading::Readings},
    event::{Judged, JudgedCheck, Probed},
    phase::BASELINE,
    plan,
    responses::Marker,
};
use std::{collections::BTreeMap, time::Duration};

const STRAINED: &str =
    "the machine was pressed then, or the load was not what it should be: a quieter machine or a lower rate helps";

pub(crate) const NO_ROOM: &str =
    "a proxy had no room for some connections, so that requests may have failed which the system never saw";

/// The reason that a check can't be judged where the world itself failed connections.
pub(crate) const DOUBTED: &str =
    "TLS failed on a link since it ends there, so that requests may have failed which the system would have served";

/// Everything that a run is judged by.
pub(crate) struct Known<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) fold: &'a Fold<'a>,
    pub(crate) scrapes: &'a Scrapes,
    /// Probes of services, by their name.
    pub(crate) probes: &'a BTreeMap<String, Vec<Probed>>,
    /// Markers that no response had anything of.
    pub(crate) unseen: &'a Unseen,
    pub(crate) blames: &'a Blames,
    /// The requests of the load, to show some.
    pub(crate) requests: &'a Requests<'a>,
    /// The reason for which proxies failed requests by themselves, where they did.
    pub(crate) kept_away: Option<&'static str>,
    /// The faults that were not there as they should have been.
    pub(crate) weaker: &'a [Weaker<'a>],
}

/// Judges every expectation, in the order of the scenario.
pub(crate) fn judge(known: &Known<'_>) -> Vec<Judged> {
    let expectations = known.scenario.expectations.iter().enumerate();
    expectations.map(|(index, expectation)| judge_one(known, (index, expectation))).collect()
}

fn judge_one(known: &Known<'_>, (index, expectation): (usize, &Expectation)) -> Judged {
    let judged = |check: &Check| {
        let finding = unless_unseen(known.unseen, check, find(known, (index, expectation), check));
        let (file, line, _) = known.scenario.sources.position(&check.span);
        let against = match finding.verdict {
            Verdict::Fail => {
                let tally = known.fold.scope(index).map(|(_, _, tally)| tally);
                let marked = tally.and_then(|tally| known.fold.marked(tally, check.id));
                marked.map(|marked| known.requests.show(&marked.against))
            }
            Verdict::Pass | Verdict::Inconclusive => None,
        };
        JudgedCheck {
            expected: check.subject.words(),
            seen: finding.seen,
            verdict: finding.verdict,
            margin: finding.margin,
            note: finding.note,
            file: file.to_owned(),
            line,
            span: check.span.clone(),
            against: against.unwrap_or_default(),
        }
    };
    let checks: Vec<JudgedCheck> = expectation.checks.iter().map(judged).collect();
    let when = plan::when(expectation);
    let verdict = Verdict::of_all(checks.iter().map(|check| check.verdict));
    Judged { index, that: expectation.that.clone(), when, verdict, checks }
}

/// The finding, unless it holds for want of a marker that no response has: a place that is written wrong looks the same.
fn unless_unseen(unseen: &Unseen, check: &Check, finding: Finding) -> Finding {
    let places = check.subject.marker().and_then(|marker| unseen.0.get(&marker));
    let Some(places) = places.filter(|_| finding.verdict == Verdict::Pass) else { return finding };
    let words = &places.words;
    if places.always {
        let why = format!(
            "no response of the run has {words} at all, as where that is written wrong; one that is there only where it says so is \
             declared as `\"exists\"`"
        );
        return Finding { verdict: Verdict::Inconclusive, margin: None, note: Some(why), ..finding };
    }
    // It may well be in none.
    Finding { seen: format!("{}, and no response of the run has {words}", finding.seen), ..finding }
}

/// The finding of one check, by what is known so far.
pub(crate) fn find(known: &Known<'_>, (index, expectation): (usize, &Expectation), check: &Check) -> Finding {
    let Known { scenario, fold, scrapes, probes, blames, .. } = known;
    let (Scope::During(name) | Scope::Across(name) | Scope::After { fault: name, .. }) = &expectation.scope;
    let within = match &expectation.scope {
        Scope::After { within, .. } => Some(*within),
        Scope::During(_) | Scope::Across(_) => None,
    };
    let Some((from, to, tally)) = fold.scope(index) else {
        return Finding::inconclusive(
            "nothing",
            format!("there was no time `{name}`: the service was ready again at once"),
        );
    };
    if fold.is_to_come(from) {
        return Finding::inconclusive("nothing yet", "its time has not come");
    }
    // Requests that a fault finds under way go on for as long as their client waits.
    let is_across = matches!(expectation.scope, Scope::Across(_));
    let ends = if is_across { to + scenario.load.timeout } else { to };
    // What is to be reached after a fault may have been kept from it before the scope begins.
    let strained = fold.is_strained(from.saturating_sub(within.unwrap_or_default()), ends);
    let fault = scenario.faults.iter().position(|fault| fault.name == *name);
    let scoped = Scoped {
        from,
        to,
        within,
        made: fold.made(index),
        tally,
        strained: known.kept_away.or(strained.then_some(STRAINED)),
        fault: fault.map(|fault| fold.fault_of(fault, index, blames)),
    };
    let seen = Seen { scenario, fold, scrapes, probes };
    let (markers, nothing) = (scenario.system.responses.markers(), Marked::default());
    let evidence = seen.evidence(check, scoped, (&markers, &nothing));
    let finding = check.subject.judge(&evidence);
    if check.idle {
        return Finding::inconclusive(finding.seen, "it can't fail, so it shows nothing");
    }
    // They belong to no slice in which each could have been weighed, nor do those that a proxy turned away; a body that is
    // wrong is so on any machine.
    let weighed = finding.weighed && (!(is_across || known.kept_away.is_some()) || check.subject.test().is_some());
    let finding = Finding { weighed, ..finding }.unless_strained(&evidence);
    match known.weaker.iter().find(|weaker| weaker.is_in(name, from, ends)) {
        Some(weaker) => weaker.weigh(&*check.subject, &evidence, finding),
        None => finding,
    }
}

/// Everything that was seen of a run so far, without what is only known at its end.
pub(crate) struct Seen<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) fold: &'a Fold<'a>,
    pub(crate) scrapes: &'a Scrapes,
    /// Probes of services, by their name.
    pub(crate) probes: &'a BTreeMap<String, Vec<Probed>>,
}

/// A part of the timeline that is judged, and its arrivals.
struct Scoped<'a> {
    from: Duration,
    to: Duration,
    within: Option<Duration>,
    made: u64,
    tally: &'a Tally,
    strained: Option<&'a str>,
    fault: Option<FaultSeen<'a>>,
}

impl Seen<'_> {
    /// The finding of a check in a part of its phase, by what is known of its arrivals.
    pub(crate) fn find(&self, check: &Check, (from, to): (Duration, Duration), glimpse: &Glimpse) -> Finding {
        let Glimpse { tally, strained } = glimpse;
        let strained = strained.then_some(STRAINED);
        let scoped = Scoped { from, to, within: None, made: tally.counts.sent, tally, strained, fault: None };
        let (markers, nothing) = (self.scenario.system.responses.markers(), Marked::default());
        let evidence = self.evidence(check, scoped, (&markers, &nothing));
        check.subject.judge(&evidence).unless_strained(&evidence)
    }

    fn evidence<'e>(
        &'e self,
        check: &Check,
        scoped: Scoped<'e>,
        (markers, nothing): (&'e [Marker], &'e Marked),
    ) -> Evidence<'e> {
        let Self { scenario, fold, scrapes, probes } = self;
        let Scoped { from, to, within, made, tally, strained, fault } = scoped;
        let series = check.subject.scrapes().and_then(|(service, _)| scrapes.seen.get(service));
        let readings = scrapes.readings.get(&check.id).map(Vec::as_slice).unwrap_or_default();
        let probes = check.subject.probes().and_then(|service| probes.get(service));
        let baseline = scenario.timeline.phase(BASELINE);
        Evidence {
            from,
            to,
            within,
            baseline: baseline.map_or_else(Default::default, |phase| (phase.from, phase.to)),
            made,
            counts: &tally.counts,
            slowest: tally.slowest,
            oldest: tally.oldest,
            unknown: &tally.unknown,
            strained,
            marked: fold.marked(tally, check.id).unwrap_or(nothing),
            probes: probes.map(Vec::as_slice).unwrap_or_default(),
            readings: Readings { of: readings.iter().map(Vec::as_slice).collect(), series },
            calls: fold.calls(check.id),
            markers,
            fault,
        }
    }
}
