//! Cases: a few faults at once on a short timeline, as the text of a scenario.

use crate::{invariant::Invariant, point::Point, shape::Shape, subject::Subject, toml_text};
use chaos_model::quantity::show_duration;

/// The end of the name of a fault that comes for the second time.
const AGAIN: &str = "_again";

/// Faults at the same time, on a timeline, with some of the subject's requests.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) points: Vec<Point>,
    pub(crate) shape: Shape,
    /// The requests of the subject that are made, by their places.
    pub(crate) requests: Vec<usize>,
}

impl Case {
    /// The names of its faults, in their order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for point in &self.points {
            let name = point.effect.name.replace('-', "_");
            names.push(if names.contains(&name) { format!("{name}_{}", names.len() + 1) } else { name });
        }
        names
    }

    /// The scenario: this title, the subject, the faults, and these invariants as its expectations.
    pub(crate) fn text(&self, subject: &Subject, title: &str, held: &[&Invariant], system: Option<&str>) -> String {
        let Shape { rate, before, during, again, .. } = self.shape;
        let mut text = toml_text::line("title", title);
        text += &subject.text(&self.requests, rate, &show_duration(self.shape.lasts()), system);
        let names = self.names();
        for (point, name) in self.points.iter().zip(&names) {
            text += &point.text(name, &show_duration(before), &show_duration(during));
        }
        let mut fault = names.first().map_or_else(|| "none".to_owned(), Clone::clone);
        if again.is_some() {
            for (point, name) in self.points.iter().zip(&names) {
                text += &point.text(&(name.clone() + AGAIN), &show_duration(self.shape.last()), &show_duration(during));
            }
            fault += AGAIN;
        }
        held.iter().for_each(|invariant| text += &invariant.text(&fault));
        text
    }

    /// Cases that are left of it without one of its faults.
    pub(crate) fn with_fewer_faults(&self) -> Vec<Self> {
        if self.points.len() < 2 {
            return Vec::new();
        }
        let without = |left_out: usize| {
            let mut points = self.points.clone();
            points.remove(left_out);
            Self { points, ..self.clone() }
        };
        (0..self.points.len()).map(without).collect()
    }

    /// Cases that are left of it when one thing is taken away: a fault, a part of a strength, a time, a kind of requests, half of the
    /// rate. In the order in which they are tried.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut all = self.with_fewer_faults();
        for (nth, point) in self.points.iter().enumerate() {
            for weaker in point.weaker() {
                let mut points = self.points.clone();
                points[nth] = weaker;
                all.push(Self { points, ..self.clone() });
            }
        }
        if self.requests.len() > 1 {
            for left_out in 0..self.requests.len() {
                let mut requests = self.requests.clone();
                requests.remove(left_out);
                all.push(Self { requests, ..self.clone() });
            }
        }
        all.extend(self.shape.smaller().into_iter().map(|shape| Self { shape, ..self.clone() }));
        all
    }

    /// Each fault in words: `hang on gateway -> redis`.
    pub(crate) fn faults(&self) -> Vec<String> {
        let twice = if self.shape.again.is_some() { ", twice" } else { "" };
        self.points.iter().map(|point| format!("{}{twice} on {}", point.words(), point.place())).collect()
    }

    /// The faults in words.
    pub(crate) fn words(&self) -> String {
        self.faults().join(" and ")
    }

    /// True where clients meet one of its faults without the system having any part in it.
    pub(crate) fn at_the_door(&self) -> bool {
        self.points.iter().any(|point| point.at_the_door)
    }
}
