//! Reports of recordings. One file a report: its name, what it is for, and a fold over the events.
//!
//! To add one: write its file, and register it in the table below. CONTRIBUTING.md has an example.

use crate::{
    Style,
    against::Against,
    results::{Invalid, NotRun, Results},
};
use chaos_model::Record;
use std::io::{self, Write};

/// A fold over the events of one recording or several, one after the other, which writes what it makes of them.
pub trait Report: Send {
    /// Takes an event in, and writes what is known by now.
    ///
    /// # Errors
    /// Those of the writer.
    fn on(&mut self, record: &Record, out: &mut dyn Write) -> io::Result<()>;

    /// Takes note of a scenario that is not valid, so that no event tells of it.
    fn invalid(&mut self, invalid: &Invalid) {
        let _ = invalid;
    }

    /// Takes note of a run that was not made, so that no event tells of it.
    fn not_run(&mut self, not_run: &NotRun) {
        let _ = not_run;
    }

    /// Takes note of what became better or worse since earlier runs, and says whether it tells of that itself.
    fn against(&mut self, against: &Against) -> bool {
        let _ = against;
        false
    }

    /// Writes what is known only when there is no further event. A run whose end did not come was cut off.
    ///
    /// # Errors
    /// Those of the writer.
    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// A report that is written when all runs are over, from their results.
struct OfResults {
    results: Results,
    write: fn(&Results, &mut dyn Write) -> io::Result<()>,
}

impl OfResults {
    fn boxed(write: fn(&Results, &mut dyn Write) -> io::Result<()>) -> Box<dyn Report> {
        Box::new(Self { results: Results::default(), write })
    }
}

impl Report for OfResults {
    fn on(&mut self, record: &Record, _: &mut dyn Write) -> io::Result<()> {
        self.results.on(record);
        Ok(())
    }

    fn invalid(&mut self, invalid: &Invalid) {
        self.results.invalid(invalid.clone());
    }

    fn not_run(&mut self, not_run: &NotRun) {
        self.results.not_run(not_run.clone());
    }

    fn against(&mut self, against: &Against) -> bool {
        self.results.against(against);
        true
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        (self.write)(&self.results, out)
    }
}

/// The row of a report in the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The report's name, as `chaos report --as NAME` takes it.
    pub name: &'static str,
    /// A sentence on what it shows.
    pub about: &'static str,
    /// Makes the fold. `many` says that there are several runs, so that each has to be named.
    pub new: fn(style: Style, many: bool) -> Box<dyn Report>,
}

/// Declares the reports, each a module with a `ROW`, in the order in which people are told of them.
macro_rules! reports {
    ($($(#[$condition:meta])? $module:ident,)+) => {
        $($(#[$condition])? mod $module;)+

        /// The reports that there are; the first is the usual one.
        pub const REPORTS: &[Row] = &[$($(#[$condition])? $module::ROW),+];
    };
}

reports! {
    text,
    summary,
    metrics,
    html,
    json,
    junit,
    markdown,
    // The example in CONTRIBUTING.md: registered in tests alone, so that it always compiles.
    #[cfg(test)] statuses,
}

pub(crate) use markdown::text as markdown;

#[cfg(test)]
#[expect(dead_code, reason = "the tests of the whole use more of it")]
#[path = "../tests/report/made_up.rs"]
mod made_up;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_report_has_a_name_of_its_own() {
        let names: BTreeSet<_> = REPORTS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), REPORTS.len());
        assert!(REPORTS.iter().all(|row| !row.about.is_empty()));
    }

    /// The example is whole, does what it says, and stands in the page as it is.
    #[test]
    fn the_example_for_contributors_is_a_report_like_any_other() {
        let row = REPORTS.iter().find(|row| row.name == "statuses").unwrap();
        let (mut report, mut out) = ((row.new)(Style::default(), false), Vec::new());
        made_up::failing().iter().for_each(|record| report.on(record, &mut out).unwrap());
        report.finish(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "status,responses\n200,2391\n");
        let (page, example) = (include_str!("../../../CONTRIBUTING.md"), include_str!("reports/statuses.rs"));
        assert!(page.contains(&format!("```rust\n{example}```\n")), "copy statuses.rs into the page");
    }
}
