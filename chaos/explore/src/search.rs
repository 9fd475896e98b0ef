//! The search: single faults first, then pairs in the order that singles taught, until the budget is spent.

use crate::{
    case::Case,
    error::Error,
    invariant::{self, Invariant, Kind},
    lab::{Job, Lab},
    learn::{HEALTHY_RUNS, Learnt},
    matrix::State,
    point::{NotTried, Point},
    seen::Seen,
    shape::Shape,
    subject::Subject,
};
use chaos_model::Verdict;
use serde::Serialize;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// Cases that are asked for together: always as many, so that it does not depend on the machine which ones are tried.
const BATCH: usize = 64;

/// The bound of an exploration.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// The most cases.
    pub cases: u64,
    /// True once there is no time left. It is asked between a few cases.
    pub is_over: &'a dyn Fn() -> bool,
}

/// An invariant, or a check of one, that healthy runs do not hold to, so that no case is held to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// The invariant.
    pub that: String,
    /// The check.
    pub check: String,
    /// The value that healthy runs showed.
    pub why: String,
}

/// A case that was run.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    pub(crate) case: Case,
    pub(crate) state: State,
    /// Invariants that failed, by their places, each with its checks that did.
    pub(crate) failed: BTreeMap<usize, Vec<String>>,
    /// Bad kinds of responses, in words.
    pub(crate) shape: String,
    /// A number that is the same where the same was seen.
    pub(crate) signature: u64,
    /// Services that ended by themselves, each with how it ended.
    pub(crate) died: Vec<String>,
}

/// All that cases are made of and held to.
pub(crate) struct Search<'a> {
    pub(crate) lab: &'a Lab<'a>,
    pub(crate) subject: &'a Subject,
    pub(crate) learnt: &'a Learnt,
    pub(crate) invariants: Vec<Invariant>,
    pub(crate) shape: Shape,
    pub(crate) seed: u64,
    budget: Budget<'a>,
    /// Cases so far.
    pub(crate) cases: u64,
}

/// A pair with its weight, the heaviest first, and its draw.
type Ranked = (Reverse<u64>, u64, Case);

impl<'a> Search<'a> {
    /// A search whose invariants hold in healthy runs, and those that do not. `any` is some fault, for its time.
    pub(crate) fn calibrated(
        (lab, subject, learnt): (&'a Lab<'a>, &'a Subject, &'a Learnt),
        (shape, seed, budget): (Shape, u64, Budget<'a>),
        any: &Point,
    ) -> Result<(Self, Vec<Dropped>), Error> {
        let invariants = Vec::new();
        let mut search = Self { lab, subject, learnt, invariants, shape, seed, budget, cases: 0 };
        let case = search.case(vec![any.clone()]);
        let mut dropped = Vec::new();
        let mut all = invariant::all(subject, learnt);
        if search.control(&case, &all, seed).is_err() {
            // One of its own may make sense in its own scenario alone.
            all.retain(|one| {
                let read = search.control(&case, std::slice::from_ref(one), seed);
                let why = read.err();
                dropped.extend(why.iter().map(|why| Dropped {
                    that: one.that.clone(),
                    check: "all".to_owned(),
                    why: why.clone(),
                }));
                why.is_none()
            });
        }
        let controls = search.controls(&case, &all).map_err(Error::Unwell)?;
        if let Some(why) = controls.iter().find_map(|seen| seen.broken.clone()) {
            return Err(Error::Unwell(why));
        }
        for (nth, one) in all.iter().enumerate() {
            let failing = |check: usize| {
                let judged = controls.iter().filter_map(|seen| seen.judged.get(nth)?.checks.get(check));
                judged.into_iter().find(|check| check.verdict != Verdict::Pass)
            };
            let bad = (0..one.checks.len()).filter_map(failing).map(|check| Dropped {
                that: one.that.clone(),
                check: check.expected.clone(),
                why: check.note.clone().unwrap_or_else(|| format!("a healthy run has {}", check.seen)),
            });
            dropped.extend(bad);
            search.invariants.extend(one.with(|check| failing(check).is_none()));
        }
        Ok((search, dropped))
    }

    fn control(&self, case: &Case, held: &[Invariant], seed: u64) -> Result<Seen, String> {
        let text = case.text(self.subject, "a healthy run", &held.iter().collect::<Vec<_>>(), None);
        self.lab.run(&[Job { text, seed, control: true }]).pop().unwrap_or_else(|| Err("it was not run".to_owned()))
    }

    /// Healthy runs with several seeds, on each timeline that cases have.
    fn controls(&self, case: &Case, held: &[Invariant]) -> Result<Vec<Seen>, String> {
        let held: Vec<&Invariant> = held.iter().collect();
        let shapes = [self.shape, self.shape.cold(), self.shape.again()];
        let jobs = shapes.iter().flat_map(|shape| {
            let text = Case { shape: *shape, ..case.clone() }.text(self.subject, "a healthy run", &held, None);
            let first = self.seed;
            (0..=HEALTHY_RUNS).map(move |nth| first.wrapping_add(nth)).map(move |seed| Job {
                text: text.clone(),
                seed,
                control: true,
            })
        });
        self.lab.run(&jobs.collect::<Vec<_>>()).into_iter().collect()
    }

    fn case(&self, points: Vec<Point>) -> Case {
        Case { points, shape: self.shape, requests: (0..self.subject.requests()).collect() }
    }

    /// The invariants that a case is held to, by their places.
    pub(crate) fn held(&self, case: &Case) -> Vec<usize> {
        let door = case.at_the_door();
        (0..self.invariants.len()).filter(|nth| !door || self.invariants[*nth].holds_at_the_door()).collect()
    }

    fn job(&self, case: &Case) -> Job {
        let held: Vec<&Invariant> = self.held(case).into_iter().map(|nth| &self.invariants[nth]).collect();
        Job { text: case.text(self.subject, "a case", &held, None), seed: self.seed, control: false }
    }

    /// Tries each point alone.
    pub(crate) fn singles(&mut self, points: &[Point], not_tried: &mut Vec<NotTried>) -> Vec<Tried> {
        let cases: Vec<Case> = points.iter().map(|point| self.case(vec![point.clone()])).collect();
        self.all(cases, not_tried)
    }

    /// Tries each point at its strongest at another moment: where the timeline has this shape.
    pub(crate) fn at_another_moment(
        &mut self,
        points: &[Point],
        shape: impl Fn(Shape) -> Shape,
        not_tried: &mut Vec<NotTried>,
    ) -> Vec<Tried> {
        let moved = |point: &Point| {
            let case = self.case(vec![point.clone()]);
            Case { shape: shape(case.shape), ..case }
        };
        let cases: Vec<Case> = points.iter().filter(|point| point.is_strongest()).map(moved).collect();
        self.all(cases, not_tried)
    }

    /// Tries points two by two: of those in one place that showed the same to clients and on links, one stands for all. Each
    /// place meets each other one first by what was noticed most, then by the next. Points that broke something alone are left
    /// out: with another they break it again.
    pub(crate) fn pairs(&mut self, singles: &[Tried], not_tried: &mut Vec<NotTried>) -> Vec<Tried> {
        let mut kinds: BTreeMap<(String, u64), usize> = BTreeMap::new();
        let may_be_paired = |tried: &Tried| tried.failed.is_empty() && tried.state != State::NeverMet;
        for (nth, tried) in singles.iter().enumerate().filter(|(_, tried)| may_be_paired(tried)) {
            kinds.entry((tried.case.points[0].place(), tried.signature)).or_insert(nth);
        }
        let told: BTreeSet<usize> = kinds.into_values().collect();
        let alike = singles.iter().filter(|tried| may_be_paired(tried)).count() - told.len();
        let told: Vec<&Tried> = told.into_iter().map(|nth| &singles[nth]).collect();
        let mut left_out = |count: usize, what: &str, why: &str| {
            let what = format!("{count} faults {what}");
            not_tried.extend((count > 0).then(|| NotTried { what, why: why.to_owned() }));
        };
        left_out(alike, "in pairs", "alone they showed the same as another in the same place, which stands for them");
        let broke = singles.iter().filter(|tried| !tried.failed.is_empty()).count();
        left_out(broke, "in pairs, too", "they broke something alone, and would again");
        let why = "pairs are of two places, on the usual timeline: warm, and at the same time";
        not_tried
            .push(NotTried { what: "two faults in one place, or one after the other".to_owned(), why: why.to_owned() });
        let pairs = self.ordered(&told);
        self.all(pairs, not_tried)
    }

    /// Pairs of these, in the order in which they are tried: by weight, and within that by a draw.
    fn ordered(&self, told: &[&Tried]) -> Vec<Case> {
        let mut by_places: BTreeMap<(String, String), Vec<Ranked>> = BTreeMap::new();
        for (nth, one) in told.iter().enumerate() {
            for (other_nth, other) in told.iter().enumerate().skip(nth + 1) {
                let (first, second) = (&one.case.points[0], &other.case.points[0]);
                if first.place() == second.place() {
                    continue;
                }
                let weight = one.state.weight() + other.state.weight();
                let draw = host::hash(self.seed, &[b"pair".as_slice(), &nth.to_le_bytes(), &other_nth.to_le_bytes()]);
                let case = self.case(vec![first.clone(), second.clone()]);
                by_places.entry((first.place(), second.place())).or_default().push((Reverse(weight), draw, case));
            }
        }
        let mut pairs = Vec::new();
        for mut of_places in by_places.into_values() {
            of_places.sort_by_key(|(weight, draw, _)| (*weight, *draw));
            let ranked = of_places.into_iter().enumerate();
            pairs.extend(ranked.map(|(rank, (weight, draw, case))| (rank, weight, draw, case)));
        }
        pairs.sort_by_key(|(rank, weight, draw, _)| (*rank, *weight, *draw));
        pairs.into_iter().map(|(.., case)| case).collect()
    }

    /// Runs cases until the budget is spent.
    fn all(&mut self, cases: Vec<Case>, not_tried: &mut Vec<NotTried>) -> Vec<Tried> {
        let mut tried = Vec::new();
        let mut left = cases.as_slice();
        while !left.is_empty() {
            let room = usize::try_from(self.budget.cases.saturating_sub(self.cases)).unwrap_or(usize::MAX);
            if room == 0 || (self.budget.is_over)() {
                let what = format!("{} more cases", left.len());
                not_tried.push(NotTried { what, why: "the budget was spent".to_owned() });
                break;
            }
            let (now, later) = left.split_at(left.len().min(BATCH).min(room));
            left = later;
            let jobs: Vec<Job> = now.iter().map(|case| self.job(case)).collect();
            for (case, seen) in now.iter().zip(self.lab.run(&jobs)) {
                match seen {
                    Ok(Seen { broken: Some(why), .. }) | Err(why) => {
                        not_tried.push(NotTried { what: case.words(), why });
                    }
                    Ok(seen) => tried.push(self.tried(case.clone(), seen)),
                }
            }
            self.cases += u64::try_from(now.len()).unwrap_or(u64::MAX);
        }
        tried
    }

    fn tried(&self, case: Case, seen: Seen) -> Tried {
        let held = self.held(&case);
        let failed = held.iter().enumerate().filter(|(nth, _)| seen.fails(*nth));
        let mut failed: BTreeMap<usize, Vec<String>> = failed.map(|(nth, place)| (*place, seen.failing(nth))).collect();
        // A request that failed was also late, and to say both is to say one thing twice.
        if failed.keys().any(|nth| self.invariants[*nth].kind == Kind::Available) {
            failed.retain(|nth, _| self.invariants[*nth].kind != Kind::InTime);
        }
        let kinds: Vec<Kind> = failed.keys().map(|nth| self.invariants[*nth].kind).collect();
        let met = !seen.fired.is_empty();
        let state = State::of(&seen, met, &kinds, &self.learnt.healthy);
        // What a fault that never fired breaks, it has not broken.
        if !met {
            failed.clear();
        }
        Tried { shape: seen.shape(), signature: seen.signature, died: seen.died, case, state, failed }
    }
}
