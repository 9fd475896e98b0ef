//! One exploration, from the healthy run to its findings.

use crate::{
    error::Error,
    finding::{self, Finding},
    lab::{Lab, ReadText},
    learn,
    matrix::{Matrix, State},
    point::{self, NotTried, Point},
    search::{Budget, Dropped, Search, Tried},
    shape::{Moment, Shape},
    subject::Subject,
};
use chaos_model::effect::{Effect, Explored};
use chaos_sim::Programs;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

/// Version of the document that an exploration is written as.
const FORMAT: u32 = 1;

/// Omissions of one reason that are named; others are counted.
const MOST_NAMED: usize = 12;

/// Options of an exploration.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The seed of every draw, in cases and in their order.
    pub seed: u64,
    /// Requests that are begun a second.
    pub rate: u32,
    /// The links and services on which faults are tried, as written; all of them where none is named.
    pub on: &'a [String],
    /// Try faults two by two, once each was tried alone.
    pub pairs: bool,
    /// The bound of the search; learning, calibrating, shrinking and checking come on top.
    pub budget: Budget<'a>,
}

/// The result of an exploration. The same subject, options and programs give the same, byte for byte, unless time was the bound.
#[derive(Clone, Debug, Serialize)]
pub struct Exploration {
    /// Version of this document.
    pub format: u32,
    /// The seed.
    pub seed: u64,
    /// Fault points: effects at their strengths, on links, kinds of messages and services.
    pub points: usize,
    /// Cases that were tried.
    pub cases: u64,
    /// Requests of each case.
    pub requests_per_case: u64,
    /// Kinds of messages that a healthy run showed, with their numbers, by link.
    pub links: BTreeMap<String, BTreeMap<String, u64>>,
    /// Invariants that cases were held to.
    pub invariants: Vec<String>,
    /// Checks that healthy runs do not hold to.
    pub dropped: Vec<Dropped>,
    /// Findings, from what matters most on.
    pub findings: Vec<Finding>,
    /// Services that ended by themselves: which, how, and by which faults.
    pub died: Vec<String>,
    /// Cases that broke an invariant once and could not be confirmed, in words.
    pub unconfirmed: Vec<String>,
    /// Results of effects on links and services.
    pub matrix: Matrix,
    /// Each fault that was tried alone.
    pub alone: Vec<Attempt>,
    /// Omissions: what was not tried, and why.
    pub not_tried: Vec<NotTried>,
    /// Simulated runs, with those that learn, calibrate, shrink and check.
    #[serde(skip)]
    pub runs: usize,
}

/// A fault that was tried alone, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The link or the service.
    pub on: String,
    /// The kind of messages; none where it was on connections or on a service.
    pub kind: Option<String>,
    /// The effect.
    pub effect: String,
    /// The effect with its strength, and which messages it was for, in words.
    pub fault: String,
    /// The moment at which it came.
    pub moment: Moment,
    /// The result.
    pub state: State,
}

impl Attempt {
    fn of(tried: &Tried) -> Self {
        let point = &tried.case.points[0];
        Self {
            on: point.on.clone(),
            kind: point.kind.clone(),
            effect: point.effect.name.to_owned(),
            fault: point.words(),
            moment: tried.case.shape.moment(),
            state: tried.state,
        }
    }
}

impl Exploration {
    /// Marks the findings whose names are among these as known.
    pub fn mark_known(&mut self, names: &BTreeSet<String>) {
        self.findings.iter_mut().for_each(|finding| finding.known = names.contains(&finding.name));
    }

    /// True where something was found that was not known before, or a service ended by itself.
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.died.is_empty() || self.findings.iter().any(|finding| !finding.known)
    }
}

/// Explores a subject. `read` makes a scenario of a case's text; `tell` hears what is being done.
///
/// # Errors
/// Where the subject makes no valid scenario, or the system isn't well without faults.
pub fn explore(
    subject: &Subject,
    read: &ReadText<'_>,
    programs: Programs,
    options: &Options<'_>,
    tell: &mut dyn FnMut(&str),
) -> Result<Exploration, Error> {
    let (shape, seed) = (Shape::usual(options.rate), options.seed);
    let lab = Lab::new(read, programs);
    tell("running the healthy system");
    let learnt = learn::learn(&lab, subject, shape, seed)?;
    let (points, mut not_tried) = point::all(&learnt.scenario.system, &learnt.uses);
    not_tried.extend(learnt.not_looked_at.iter().cloned());
    let points = chosen(points, options.on, &mut not_tried)?;
    let Some(any) = points.first() else {
        return Err(Error::Unwell("no link of it was used, so no fault would be met".to_owned()));
    };
    let (mut search, dropped) = Search::calibrated((&lab, subject, &learnt), (shape, seed, options.budget), any)?;
    tell(&format!("trying {} faults, one by one", points.len()));
    let mut tried = search.singles(&points, &mut not_tried);
    tell("trying the strongest of them while caches are cold");
    let mut moved = search.at_another_moment(&points, Shape::cold, &mut not_tried);
    tell("trying the strongest of them twice, for the second time while the system recovers");
    moved.extend(search.at_another_moment(&points, Shape::again, &mut not_tried));
    let matrix = matrix(&learnt.scenario.system, tried.iter().chain(&moved));
    let alone = tried.iter().chain(&moved).map(Attempt::of).collect();
    let pairs = if options.pairs {
        tell("trying faults two by two");
        search.pairs(&tried, &mut not_tried)
    } else {
        Vec::new()
    };
    tried.extend(moved.into_iter().chain(pairs));
    tell("shrinking what was found");
    let (findings, unconfirmed) = finding::all(&search, &tried);
    let links = learnt.uses.iter().map(|(link, used)| (link.to_string(), used.messages.clone()));
    Ok(Exploration {
        format: FORMAT,
        seed,
        points: points.len(),
        cases: search.cases,
        requests_per_case: u64::from(shape.rate) * shape.lasts().as_secs(),
        links: links.collect(),
        invariants: search.invariants.iter().map(|invariant| invariant.that.clone()).collect(),
        dropped,
        findings,
        died: died(&tried),
        unconfirmed,
        matrix,
        alone,
        not_tried: together(not_tried),
        runs: lab.runs.load(Ordering::Relaxed),
    })
}

/// Services that ended by themselves, each once, with the first faults by which they did.
fn died(tried: &[Tried]) -> Vec<String> {
    let mut all: BTreeMap<&String, String> = BTreeMap::new();
    for one in tried {
        for died in &one.died {
            all.entry(died).or_insert_with(|| one.case.words());
        }
    }
    all.into_iter().map(|(died, by)| format!("{died} ({by})")).collect()
}

/// The points on these links and services.
fn chosen(points: Vec<Point>, on: &[String], not_tried: &mut Vec<NotTried>) -> Result<Vec<Point>, Error> {
    if on.is_empty() {
        return Ok(points);
    }
    let all: BTreeSet<String> = points.iter().map(|point| point.on.clone()).collect();
    if let Some(unknown) = on.iter().find(|name| !all.contains(*name)) {
        let all = all.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Error::Subject(format!("nothing can be tried on `{unknown}`: there are {all}")));
    }
    let others = all.iter().filter(|name| !on.contains(name));
    not_tried.extend(others.map(|what| NotTried { what: what.clone(), why: "it was not asked for".to_owned() }));
    Ok(points.into_iter().filter(|point| on.contains(&point.on)).collect())
}

fn matrix<'t>(system: &chaos_model::System, singles: impl Iterator<Item = &'t Tried>) -> Matrix {
    let links = system.links.iter().map(ToString::to_string);
    let singles: Vec<&Tried> = singles.collect();
    let tried = |on: &String| singles.iter().any(|tried| tried.case.points[0].on == *on);
    let on = links.chain(system.services.keys().cloned()).filter(tried).collect();
    let explored = Effect::ALL.iter().filter(|facts| matches!(facts.explored, Explored::By(_)));
    let mut matrix = Matrix::new(on, explored.map(|facts| facts.name));
    for tried in &singles {
        let point = &tried.case.points[0];
        matrix.add(point.effect.name, &point.on, tried.state);
    }
    matrix
}

/// Omissions of one reason, told at once.
fn together(all: Vec<NotTried>) -> Vec<NotTried> {
    let mut by_reason: Vec<(String, Vec<String>)> = Vec::new();
    for NotTried { what, why } in all {
        match by_reason.iter_mut().find(|(known, _)| *known == why) {
            Some((_, known)) => known.push(what),
            None => by_reason.push((why, vec![what])),
        }
    }
    let told = |(why, all): (String, Vec<String>)| {
        let some = all.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join("; ");
        let more = all.len().saturating_sub(MOST_NAMED);
        NotTried { what: if more > 0 { format!("{some}; and {more} more") } else { some }, why }
    };
    by_reason.into_iter().map(told).collect()
}
