//! Faults as they come and go, and how often each fired.

use super::{
    fault_figures,
    run_state::{Course, RunState},
};
use crate::{
    Style,
    style::Ink,
    text::{clean, fit, left, paragraph, width, wrap},
    words,
};
use chaos_model::{Fault, event::Fired};
use std::collections::BTreeMap;

/// A fault took effect. Of one that pulses, the first time is told of: its words say what follows.
pub(super) fn applied(style: Style, run: &RunState, at_us: u64, name: &str) -> String {
    if run.faults.get(name).is_some_and(|course| course.begun > 1) {
        return String::new();
    }
    let what = run.plan(name).map_or_else(String::new, |plan| format!(": {}", words::fault(plan)));
    paragraph(&format!("{}  ", run.stamp(at_us)), &format!("{name} begins{what}"), style.columns())
}

/// A fault was taken back. Of one that pulses, the last time is told of, with what it did in all.
pub(super) fn removed(style: Style, run: &RunState, at_us: u64, name: &str) -> String {
    let Some(Course { ended, fired, .. }) = run.faults.get(name) else { return String::new() };
    // One line a fault, and not one a pulse: a fault that comes and goes each second would fill the screen.
    let pulses = run.plan(name).map_or(1, |plan| plan.windows().count() as u64);
    if *ended < pulses {
        return String::new();
    }
    let ends = if pulses > 1 { format!("ends after {pulses} pulses") } else { "ends".to_owned() };
    let how_often = run.plan(name).and_then(|plan| words::fired(&plan.effect, fired));
    let how_often = how_often.unwrap_or_else(|| match fired.any() {
        true => "it fired".to_owned(),
        false if fired.spared.is_none() => "it NEVER FIRED".to_owned(),
        false => format!("it NEVER FIRED, {}", words::spared(fired)),
    });
    paragraph(&format!("{}  ", run.stamp(at_us)), &format!("{name} {ends}: {how_often}"), style.columns())
}

/// Each fault with where, what, for how many, when, and how often it fired.
pub(super) fn list(style: Style, run: &RunState) -> String {
    if run.plans().is_empty() {
        return String::new();
    }
    let longest = run.plans().iter().map(|plan| width(&clean(&plan.name))).max().unwrap_or(0);
    let names = longest.min(style.columns() / 3);
    let mut text = format!("\n  {}\n", style.paint(Ink::Strong, "faults"));
    for plan in run.plans() {
        text += &entry(style, run, plan, names);
    }
    text
}

fn entry(style: Style, run: &RunState, plan: &Fault, names: usize) -> String {
    let room = style.columns() - 2 - names - 2;
    let (ink, how_often) = how_often(run, plan);
    let what = wrap(&format!("{}, {}", words::fault(plan), words::window(plan)), room);
    let often = wrap(&how_often, room);
    let taken = run
        .fault_figures
        .get(&plan.name)
        .map(|figures| fault_figures::words(figures, run.markers()))
        .unwrap_or_default();
    let taken: Vec<_> = taken.iter().flat_map(|words| wrap(words, room)).collect();
    let lines = what.iter().map(|line| (None, line)).chain(often.iter().map(|line| (ink, line)));
    let lines = lines.chain(taken.iter().map(|line| (None, line)));
    let mut text = String::new();
    for (n, (ink, line)) in lines.enumerate() {
        let name = if n == 0 { fit(&plan.name, names) } else { String::new() };
        let line = ink.map_or_else(|| line.clone(), |ink| style.paint(ink, line));
        text += &format!("  {}  {line}\n", left(&name, names));
    }
    text
}

/// The words for what a fault did by the end of a recording that was cut off.
fn so_far(run: &RunState, plan: &Fault, course: Option<&Course>) -> String {
    let Some(course) = course else { return "had not begun when the recording ends".to_owned() };
    let counted = run.counts.faults.get(&plan.name).unwrap_or(&course.fired);
    match words::fired(&plan.effect, counted) {
        Some(words) => format!("{words} so far"),
        None => "nothing is recorded of what it did".to_owned(),
    }
}

/// Counts of what a fault did on each of several links, in words: `; on a -> db: 3 connections reset; on b -> db: nothing`.
fn by_link(plan: &Fault, links: &BTreeMap<String, Fired>) -> String {
    let did = |(link, fired): (&String, &Fired)| {
        format!("; on {link}: {}", words::fired(&plan.effect, fired).unwrap_or_else(|| "nothing".to_owned()))
    };
    links.iter().map(did).collect()
}

/// The deeds of a fault and what they came to, in words, as the list has it; and whether that leaves something in doubt.
pub(crate) fn taken(run: &RunState, plan: &Fault) -> (bool, Vec<String>) {
    let (ink, how_often) = how_often(run, plan);
    let figures = run.fault_figures.get(&plan.name);
    let figures = figures.map(|figures| fault_figures::words(figures, run.markers())).unwrap_or_default();
    (ink.is_some(), std::iter::once(how_often).chain(figures).collect())
}

fn how_often(run: &RunState, plan: &Fault) -> (Option<Ink>, String) {
    let unsure = Some(Ink::Unsure);
    if run.is_control() {
        return (None, "left out, this is the control".to_owned());
    }
    match run.faults.get(&plan.name) {
        course if run.is_cut_off && !course.is_some_and(|course| course.is_over(plan)) => {
            (unsure, so_far(run, plan, course))
        }
        None => (unsure, "NEVER BEGAN".to_owned()),
        Some(Course { ended: 0, .. }) => {
            (unsure, "not taken back before the run ended: how often it fired is unknown".to_owned())
        }
        Some(Course { fired, links, .. }) => match words::fired(&plan.effect, fired) {
            Some(words) => (None, words + &by_link(plan, links)),
            None if !fired.spared.is_none() => (unsure, format!("NEVER FIRED ({})", words::spared(fired))),
            None => {
                let why = plan.idle_reason(fired, run.carried.of(&plan.name));
                (unsure, format!("NEVER FIRED ({why})"))
            }
        },
    }
}
