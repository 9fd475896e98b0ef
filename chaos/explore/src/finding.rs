//! Findings: cases that break an invariant, shrunk to what is needed for it, each told once.

use crate::{
    case::Case,
    invariant::{Invariant, Kind},
    lab::Job,
    search::{Search, Tried},
    seen::Seen,
    shrink::{self, Shrunk, text},
    subject::Subject,
};
use chaos_model::Verdict;
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write as _};

/// Something that breaks an invariant.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The name of its scenario's file, without its ending.
    pub name: String,
    /// The kind of the invariant.
    pub kind: Kind,
    /// The invariant that it breaks.
    pub that: String,
    /// The faults that are needed, in words: without any of them it holds.
    pub faults: Vec<String>,
    /// Values that were seen, check by check.
    pub seen: Vec<String>,
    /// The seeds with which the scenario fails; without its faults it passes with them.
    pub seeds: Vec<u64>,
    /// Faults that break the same in the same place, in words.
    pub also: Vec<String>,
    /// True where it was known before.
    pub known: bool,
    /// The scenario's text, whose paths are those of the explored one.
    pub scenario: String,
    #[serde(skip)]
    parts: Parts,
}

/// Parts that the scenario is made of, so that it can be written for another folder.
#[derive(Clone, Debug)]
struct Parts {
    case: Case,
    invariant: Invariant,
    title: String,
    head: String,
}

impl Finding {
    /// The scenario's text, where the system's file is this.
    #[must_use]
    pub fn text(&self, subject: &Subject, system: Option<&str>) -> String {
        let Parts { case, invariant, title, head } = &self.parts;
        format!("{head}{}", case.text(subject, title, &[invariant], system))
    }
}

/// The identity of a finding: the invariant, where the faults are, and what came of it.
type Same = (usize, Vec<String>, String);

/// The findings among these cases, from what matters most on, shrunk and checked again; and what could not be confirmed.
pub(crate) fn all(search: &Search<'_>, tried: &[Tried]) -> (Vec<Finding>, Vec<String>) {
    let mut groups: BTreeMap<Same, Vec<&Tried>> = BTreeMap::new();
    for one in tried {
        for (nth, failing) in &one.failed {
            let mut on: Vec<String> = one.case.points.iter().map(|point| point.on.clone()).collect();
            on.sort();
            // What is lacking tells one mistake from another, as the kinds of bad responses do.
            let shape = match search.invariants[*nth].kind {
                Kind::Available => one.shape.clone(),
                Kind::Complete | Kind::Right | Kind::Denied => failing.join(", "),
                _ => String::new(),
            };
            groups.entry((*nth, on, shape)).or_default().push(one);
        }
    }
    let (mut findings, mut unconfirmed): (Vec<Finding>, Vec<String>) = (Vec::new(), Vec::new());
    for ((nth, ..), cases) in groups {
        let Some(shrunk) = cases.iter().find_map(|one| shrink::shrink(search, &one.case, nth)) else {
            let that = &search.invariants[nth].that;
            unconfirmed.extend(cases.iter().map(|one| format!("{that}: {}", one.case.words())));
            continue;
        };
        let also: Vec<String> = cases.iter().map(|one| one.case.words()).collect();
        let finding = told(search, nth, shrunk, also);
        // Pairs and shapes can come down to the same.
        match findings.iter_mut().find(|known| known.that == finding.that && known.faults == finding.faults) {
            Some(known) => known.also.extend(finding.also),
            None => findings.push(finding),
        }
    }
    findings.sort_by(|one, other| other.kind.cmp(&one.kind).then_with(|| one.name.cmp(&other.name)));
    named_apart(&mut findings);
    (findings, unconfirmed)
}

fn told(search: &Search<'_>, nth: usize, Shrunk { case, seeds }: Shrunk, also: Vec<String>) -> Finding {
    let whole = &search.invariants[nth];
    let job = |seed: &u64| Job { text: text(search, &case, whole), seed: *seed, control: false };
    let seen: Vec<Seen> =
        search.lab.run(&seeds.iter().map(job).collect::<Vec<_>>()).into_iter().filter_map(Result::ok).collect();
    // With another seed it may be another of its checks.
    let failing = |check: usize| {
        let mut all = seen.iter().filter_map(|seen| seen.judged.first()?.checks.get(check));
        all.any(|check| check.verdict == Verdict::Fail)
    };
    let invariant = whole.with(failing).unwrap_or_else(|| whole.clone());
    let faults = case.faults();
    let title = format!("{}: {}", invariant.that, faults.join(" and "));
    let head = head(search, &seeds, &faults);
    let parts = Parts { case, invariant: invariant.clone(), title, head };
    // Warm and cold, and at other strengths, a fault has the same words.
    let mut also: Vec<String> = also.into_iter().filter(|words| *words != faults.join(" and ")).collect();
    also.sort();
    also.dedup();
    let mut finding = Finding {
        name: name(&invariant, &parts.case),
        kind: invariant.kind,
        that: invariant.that.clone(),
        faults,
        seen: seen.first().map(shown).unwrap_or_default(),
        seeds,
        also,
        known: false,
        scenario: String::new(),
        parts,
    };
    finding.scenario = finding.text(search.subject, None);
    finding
}

fn shown(seen: &Seen) -> Vec<String> {
    let failed = seen.judged.iter().flat_map(|judged| &judged.checks).filter(|check| check.verdict == Verdict::Fail);
    failed
        .map(|check| {
            let note = check.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            format!("{}, and it was {}{note}", check.expected, check.seen)
        })
        .collect()
}

/// The comment at the head of a scenario.
fn head(search: &Search<'_>, seeds: &[u64], faults: &[String]) -> String {
    let mut text = format!("# Found by `chaos explore --seed {}`.", search.seed);
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let how = match faults {
        [_] => "It fails with its fault, and passes without it",
        _ => "It fails with all of its faults, and does not without any one of them",
    };
    let _ = write!(text, " {how}\n# (world sim, seed");
    let _ = writeln!(text, "{} {}).", if seeds.len() == 1 { "" } else { "s" }, seeds.join(", "));
    text
}

/// The name of a finding's file: the kind, effects and places.
fn name(invariant: &Invariant, case: &Case) -> String {
    let kind = match invariant.kind {
        Kind::Amplification => "calls_multiplied",
        Kind::InTime => "late",
        Kind::Available => "unavailable",
        Kind::Own => "broken",
        Kind::Recovers => "not_recovered",
        Kind::Denied => "denied",
        Kind::Complete => "incomplete",
        Kind::Right => "wrong",
    };
    let points = case.points.iter().map(|point| format!("{} {}", point.effect.name, point.place()));
    let words = points.fold(kind.to_owned(), |words, point| format!("{words} {point}"));
    let mut name = String::new();
    for c in words.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    name.trim_end_matches('_').to_owned()
}

/// Numbers behind names that would be there twice.
fn named_apart(findings: &mut [Finding]) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for finding in findings {
        let times = times.entry(finding.name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            let _ = write!(finding.name, "_{times}");
        }
    }
}
