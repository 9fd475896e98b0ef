//! Checks: what an expectation compares. One file a kind: its key, how it is read, what it needs, how it is judged.
//!
//! To add one: write its file, name its row in [`CHECKS`] below, and regenerate the page and the schema (tests say
//! how). A check never sees requests: it is asked what each arrival has, and judges counts, so that it can be asked
//! at any moment of a run and memory does not grow with requests.

mod against;
mod age;
mod amplification;
mod availability;
mod body;
mod calls;
mod condition;
mod detect;
mod elsewhere;
mod evidence;
mod header;
mod herd;
mod latency;
mod leaf;
mod metric;
mod partial;
mod place;
pub mod reading;
mod ready;
mod recovery;
mod share;
mod stale;
mod status;
mod table;
mod unanswered;
mod unknown;
mod unmarked;

pub use crate::term::{Term, term};
pub use against::Against;
pub(crate) use body::json_path;
pub use condition::{ConditionLeaf, ReadCondition};
pub(crate) use elsewhere::instead_of;
pub use evidence::{Arrival, Evidence, Example, FaultSeen, Finding, Marked};
pub use latency::Quantile;
pub use leaf::Leaf;
pub use place::{Misplaced, Place};
pub use ready::PROBE_EVERY;
pub use status::StatusPattern;
pub use table::markdown;
pub use unanswered::REASONS;
pub use unknown::{Bad, Strain, Unknown, Unknowns};

use crate::{Calls, Selector, Span, ValueTest, responses::Marker};
#[cfg(test)]
use crate::{Comparison, Share};
use std::{fmt, sync::Arc, time::Duration};

/// The example in CONTRIBUTING.md: a check like the others, but that its row is not in [`CHECKS`], so that it always
/// compiles.
#[cfg(test)]
mod shed;

/// The kinds of checks, in the order in which people are told of them.
pub const CHECKS: &[&Row] = &[
    &availability::ROW,
    &status::ROW,
    &unanswered::ROW,
    &latency::ROW,
    &partial::ROW,
    &stale::ROW,
    &body::ROW,
    &unmarked::ROW,
    &header::ROW,
    &metric::ROW,
    &ready::ROW,
    &age::ROW,
    &detect::ROW,
    &recovery::ROW,
    &amplification::ROW,
    &herd::ROW,
    &calls::ROW,
];

/// A row of the table: a kind of check, with all that is known of it without any scenario.
#[derive(Debug)]
pub struct Row {
    /// The key in an expectation: `latency`.
    pub key: &'static str,
    /// The meaning, in a sentence, for editors and the page.
    pub about: &'static str,
    /// The shape of its keys.
    pub shape: Shape,
    /// An expectation's lines, its scope included, that are right in any scenario with a fault `outage` on a service
    /// with metrics.
    pub example: &'static str,
    /// Things that have to be there to judge it.
    pub needs: &'static [Need],
    /// The way in which it is judged, in a sentence or two.
    pub judged: &'static str,
    /// Words of other tools for it.
    pub others: &'static [Term],
    /// True where `after` needs no `within`: it holds from the fault's end on, or says itself within which time.
    pub from_the_end_on: bool,
    /// Reads its key as a condition of one response, where it says something of one.
    pub condition: Option<ReadCondition>,
    /// Reads one comparison. What is wrong is told to the leaf, and nothing comes back then.
    pub read: fn(&Leaf<'_>) -> Option<Arc<dyn Subject>>,
}

impl Row {
    /// The example's comparison, without its scope.
    #[must_use]
    pub fn comparison(&self) -> &'static str {
        self.example.lines().last().unwrap_or_default()
    }

    /// True where the comparison of this name, below the key, takes scrapes.
    #[must_use]
    pub fn scrapes(&self, name: &str) -> bool {
        self.needs.iter().any(|need| match need {
            Need::Scrapes => true,
            Need::ScrapesUnless(without) => name != *without,
            Need::Responses | Need::Marker(_) | Need::Faults | Need::Samples | Need::Probes | Need::Calls => false,
        })
    }
}

/// The shape of a kind's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A comparison stands under the key itself; with an example of one: `availability = ">= 99.9%"`.
    Whole(&'static str),
    /// Comparisons stand under names below the key; with usual names and an example for each: `latency.p99 = "<
    /// 50ms"`.
    Named(&'static [(&'static str, &'static str)]),
}

/// A thing that has to be there for a check to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Scrapes of a service's metrics.
    Scrapes,
    /// Scrapes, but for the name that stands here.
    ScrapesUnless(&'static str),
    /// Bodies or header fields of responses.
    Responses,
    /// A marker that the system declares in its `[responses]`.
    Marker(Marker),
    /// Times at which a fault came and went.
    Faults,
    /// Enough requests.
    Samples,
    /// Probes of a service.
    Probes,
    /// Counts of the proxies on links.
    Calls,
}

/// The key as in the file and the comparison.
impl fmt::Display for dyn Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

/// The number of a check in its scenario, which ties it to its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckId(pub usize);

/// One comparison of an expectation.
#[derive(Clone, Debug)]
pub struct Check {
    /// The number in the scenario; it stays where other expectations are left out.
    pub id: CheckId,
    /// The figure and its bound.
    pub subject: Arc<dyn Subject>,
    /// True where no run could fail it: it shows nothing.
    pub idle: bool,
    /// The place of its value in the file.
    pub span: Span,
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        let shown = |check: &Self| format!("{:?}", check.subject);
        self.id == other.id && self.span == other.span && shown(self) == shown(other)
    }
}

/// A test of each response, where counts alone are not enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResponseTest<'a> {
    /// The part of the response that is looked at.
    pub part: Part<'a>,
    /// The test of what is found there.
    pub test: &'a ValueTest,
    /// True if responses that fail it speak against the check, false if those that pass it do.
    pub wanted: bool,
}

/// A part of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The nodes of the body that a JSONPath (RFC 9535) finds.
    Body(&'a str),
    /// The header field of this name, in lower case.
    Header(&'a str),
}

/// A figure that is compared, and its bound. Shares are of all intended arrivals of the scope, those included that
/// could not connect or were not made.
pub trait Subject: fmt::Debug + Send + Sync {
    /// The key as in the file and the comparison: `latency.p99 < 50ms`.
    fn words(&self) -> String;

    /// The series that it reads from scrapes, with the service whose they are.
    fn scrapes(&self) -> Option<(&str, Vec<&Selector>)> {
        None
    }

    /// The service that it wants to be probed.
    fn probes(&self) -> Option<&str> {
        None
    }

    /// The calls that it reads from the counts of proxies.
    fn calls(&self) -> Option<&Calls> {
        None
    }

    /// The marker of responses that it counts.
    fn marker(&self) -> Option<Marker> {
        None
    }

    /// True where scrapes are needed ten times a second, rather than once.
    fn watches(&self) -> bool {
        false
    }

    /// The test that each response is put to.
    fn test(&self) -> Option<ResponseTest<'_>> {
        None
    }

    /// True if an arrival is one of those that it counts; [`Evidence::marked`] has their number and the first of them.
    fn has(&self, arrival: &Arrival) -> bool {
        let _ = arrival;
        false
    }

    /// The weight of an arrival that speaks against it, none where it doesn't: where it fails, the heaviest are shown, and of
    /// those that weigh the same the first.
    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        let _ = arrival;
        None
    }

    /// The mistake about where it stands, if it is one.
    fn misplaced(&self, place: &Place<'_>) -> Option<Misplaced> {
        let _ = place;
        None
    }

    /// The finding, by what is known so far.
    fn judge(&self, evidence: &Evidence<'_>) -> Finding;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Known, load_with, schema};
    use std::path::Path;

    fn with_the_example() -> Vec<&'static Row> {
        CHECKS.iter().copied().chain([&shed::ROW]).collect()
    }

    fn read(comparison: &str) -> Result<Vec<Check>, String> {
        let text = format!(
            "title = \"it\"\nentry = \"web\"\nservice.web.program = \"gateway\"\n[load]\nrequest = \"GET /\"\n\
             rate = \"1/s\"\nduration = \"9s\"\n[[expect]]\nthat = \"it\"\n{comparison}\n"
        );
        let checks = with_the_example();
        let known = Known { checks: &checks, ..Known::BUILT_IN };
        let read = load_with(Path::new("it.toml"), &[], &known, &|_| Ok(text.clone()));
        read.map(|read| read.expectations[0].checks.clone()).map_err(|wrong| wrong.render(false, 200))
    }

    /// The example is whole, is read and refused like all others, and stands in the page, the schema and the text for
    /// contributors as it is.
    #[test]
    fn the_example_for_contributors_is_a_check_like_the_others() {
        let checks = read("shed = \"<= 5%\"").unwrap();
        assert_eq!(checks[0].subject.to_string(), "shed <= 5%");
        assert!(!checks[0].idle && read("shed = \"<= 100%\"").unwrap()[0].idle, "it can't fail");
        let wrong = read("shed = \"> 100%\"").unwrap_err();
        assert!(wrong.contains("can never hold"), "{wrong}");
        let wrong = read("sheds = \"<= 5%\"").unwrap_err();
        assert!(wrong.contains("did you mean `shed`?"), "{wrong}");
        let wrong = read("upstream_rq_pending_overflow = \"0\"").unwrap_err();
        assert!(wrong.contains("(Envoy) is `shed` here"), "{wrong}");
        let rows = with_the_example();
        assert!(markdown(&rows).contains("| [`shed`](#shed) | The share of requests that were turned away"));
        let schema = schema::scenario(&Known { checks: &rows, ..Known::BUILT_IN });
        assert_eq!(schema["properties"]["expect"]["items"]["properties"]["shed"]["description"], shed::ROW.about);
    }

    #[test]
    fn keys_are_there_once() {
        let mut keys: Vec<&str> = CHECKS.iter().map(|row| row.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), CHECKS.len());
    }
}
