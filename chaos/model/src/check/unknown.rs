//! Arrivals of which it can't be known how they would have come out: the harness did not make them, or the machine had no
//! time for them. A share or a latency is judged for every value that they could have had.

use crate::{Histogram, Slice, quantity::show_duration};
use std::time::Duration;

/// A runner that is itself so late in a slice had no machine to run on, whatever the kernel says.
const LATE: Duration = Duration::from_millis(100);
/// A machine is short of processors where some task waited for one for this share of a slice, in percent, whatever became of the
/// runner: it is one task among many, and others wait for longer.
const PRESSED_PERCENT: u32 = 75;
/// So it is from this share on, where the runner was held up
const STRAINED_PERCENT: u32 = 50;
/// for so long.
const LATE_UNDER_STRAIN: Duration = Duration::from_millis(20);
/// The least that a task may have waited on a machine that is short of processors: a round of the kernel's scheduler with a
/// handful of tasks a core, whose slices are 3 ms.
const ROUND: Duration = Duration::from_millis(10);
/// A request is handed on from task to task, and each waits as long as the runner did: clients, proxies and services, there and
/// back, and what these call. A request that took longer than so many waits was slow for another reason.
const WAITS: u32 = 20;
/// A response within this time waited for nobody.
const AT_ONCE: Duration = Duration::from_millis(20);

/// Strain of a slice: what the harness and the machine lacked, and what that can be the reason for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strain {
    /// The time that a request may have lost because the machine was pressed; none where it was not.
    pub waits: Option<Duration>,
    /// True where the harness could not make arrivals: what it lacked for them, its proxies lacked too.
    pub starved: bool,
}

impl Strain {
    /// The strain of a slice; none where all was as it should be.
    #[must_use]
    pub fn of(slice: &Slice) -> Option<Self> {
        let lasts = slice.to.saturating_sub(slice.from);
        let stalled = |percent| slice.cpu_stalled.is_some_and(|stalled| stalled * 100 >= lasts * percent);
        let strained = slice.latest >= LATE_UNDER_STRAIN && stalled(STRAINED_PERCENT);
        let late = slice.latest >= LATE || strained || stalled(PRESSED_PERCENT);
        let starved = slice.counts.missed + slice.straddled.missed > 0;
        (late || starved).then(|| Self { waits: late.then(|| slice.latest.max(ROUND) * WAITS), starved })
    }

    /// The reason why it isn't known how these arrivals would have come out, one by one; none where it is.
    ///
    /// What came at once waited for nobody; but where others of the slice waited, it may be turned away for what became of them
    /// (a breaker that opened, a queue that is full).
    #[must_use]
    pub fn excuses(self, bad: &[Bad]) -> Vec<Option<Unknown>> {
        let waited = |bad: &Bad| self.waits.is_some_and(|waits| bad.latency >= AT_ONCE && bad.latency <= waits);
        let any_waited = bad.iter().any(waited);
        let excuse = |bad: &Bad| {
            if !bad.made {
                return Some(Unknown::NotMade);
            }
            if self.starved {
                return Some(Unknown::Starved);
            }
            (waited(bad) || (any_waited && bad.latency < AT_ONCE)).then_some(Unknown::Pressed)
        };
        bad.iter().map(excuse).collect()
    }
}

/// An arrival that came out badly: it failed, was partial or stale, or was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bad {
    /// The time from when it was due until it ended.
    pub latency: Duration,
    /// The harness made it.
    pub made: bool,
}

/// The reason why it isn't known how an arrival would have come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The harness did not make it.
    NotMade,
    /// It came out badly while the harness could not make others.
    Starved,
    /// It came out badly while the machine was pressed.
    Pressed,
}

/// Arrivals of a scope of which it isn't known how they would have come out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unknowns {
    /// Arrivals that the harness did not make.
    pub not_made: u64,
    /// Arrivals that came out badly while it could not make others.
    pub starved: u64,
    /// Arrivals that came out badly while the machine was pressed.
    pub pressed: u64,
    /// The time by which the runner itself was late at most.
    pub latest: Duration,
    /// Latencies that could have been shorter,
    pub seen: Histogram,
    /// and what they would have been at the least,
    pub least: Histogram,
    /// or if the machine had cost them no more than any request of the baseline took.
    pub likely: Histogram,
    /// True where requests came out badly in the baseline too: what was expected to be bad may then be the machine's doing.
    // The machine may save an expectation from failing whenever it was pressed. That something bad was seen as expected is
    // doubted only where there is a sign that the machine does that: else no outage could be judged beside a compiler.
    pub usual: bool,
}

impl Unknowns {
    /// Counts an arrival that is unknown for this reason.
    pub fn count(&mut self, why: Unknown) {
        match why {
            Unknown::NotMade => self.not_made += 1,
            Unknown::Starved => self.starved += 1,
            Unknown::Pressed => self.pressed += 1,
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        let Self { not_made, starved, pressed, latest, seen, least, likely, usual } = other;
        self.not_made += not_made;
        self.starved += starved;
        self.pressed += pressed;
        self.latest = self.latest.max(*latest);
        self.seen.merge(seen);
        self.least.merge(least);
        self.likely.merge(likely);
        self.usual |= usual;
    }

    /// The reasons in words why counts of arrivals are not known, with what would help; `of` of them were due.
    #[must_use]
    pub fn why(&self, of: u64) -> String {
        let pressed = format!("{} of {of} requests came out badly {}", self.pressed, self.because());
        let told = [
            self.not_made(of),
            (self.starved > 0)
                .then(|| format!("{} of {of} came out badly while others could not: {MORE}", self.starved)),
            (self.pressed > 0).then_some(pressed),
        ];
        told.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// The reasons in words why latencies are not known, with what would help; `of` arrivals were due.
    #[must_use]
    pub fn why_slow(&self, of: u64) -> String {
        let slow = self.seen.count().saturating_sub(self.not_made);
        let slow = (slow > 0).then(|| format!("{slow} of {of} requests may have been slow {}", self.because()));
        self.not_made(of).into_iter().chain(slow).collect::<Vec<_>>().join("; ")
    }

    fn not_made(&self, of: u64) -> Option<String> {
        (self.not_made > 0).then(|| format!("{} of {of} requests could not be made: {MORE}", self.not_made))
    }

    fn because(&self) -> String {
        let late = show_duration(self.latest);
        format!("because the machine was pressed (the runner itself was {late} late): {QUIETER}")
    }
}

/// Advice where arrivals can't be made,
const MORE: &str = "raise `ulimit -n`, or lower the rate";
/// and where a machine is pressed.
const QUIETER: &str = "a quieter machine or a lower rate helps";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slice::Counts;

    const MS: Duration = Duration::from_millis(1);

    fn slice(latest: u32, stalled: Option<u32>, missed: u64) -> Slice {
        Slice {
            to: Duration::from_secs(1),
            latest: MS * latest,
            cpu_stalled: stalled.map(|stalled| MS * stalled),
            counts: Counts { missed, ..Counts::default() },
            ..Slice::default()
        }
    }

    #[test]
    fn a_machine_is_pressed_where_tasks_wait_or_the_runner_itself_was_late() {
        let waits = |latest, stalled| Strain::of(&slice(latest, stalled, 0)).and_then(|strain| strain.waits);
        assert_eq!(waits(100, None), Some(MS * 2000), "the kernel need not say so");
        assert_eq!(waits(99, None), None);
        assert_eq!(waits(1, Some(750)), Some(MS * 200), "others may have waited for longer");
        assert_eq!(waits(40, Some(750)), Some(MS * 800));
        assert_eq!(waits(20, Some(500)), Some(MS * 400));
        assert_eq!((waits(19, Some(749)), waits(99, Some(499))), (None, None));
    }

    #[test]
    fn a_harness_is_starved_where_it_could_not_make_an_arrival() {
        assert_eq!(Strain::of(&slice(0, Some(0), 1)), Some(Strain { waits: None, starved: true }));
        let straddled = Slice { straddled: slice(0, None, 1).counts, ..slice(0, None, 0) };
        assert!(Strain::of(&straddled).is_some_and(|strain| strain.starved));
        assert_eq!(Strain::of(&slice(0, Some(0), 0)), None);
    }

    #[test]
    fn pressure_excuses_what_waited_and_no_longer_than_it_explains() {
        let bad = |latency: u32| Bad { latency: MS * latency, made: true };
        let strain = Strain { waits: Some(MS * 800), starved: false };
        let pressed = Some(Unknown::Pressed);
        assert_eq!(strain.excuses(&[bad(20), bad(800), bad(801)]), [pressed, pressed, None]);
        assert_eq!(strain.excuses(&[bad(1), bad(2000)]), [None, None], "it was refused at once, and nobody waited");
        assert_eq!(strain.excuses(&[bad(1), bad(300)]), [pressed, pressed], "it may be refused for what waited");
        assert_eq!(Strain::default().excuses(&[bad(300)]), [None]);
    }

    #[test]
    fn what_was_not_made_is_unknown_and_what_failed_beside_it_too() {
        let strain = Strain { waits: None, starved: true };
        let bad = [Bad { latency: MS, made: false }, Bad { latency: MS, made: true }];
        assert_eq!(strain.excuses(&bad), [Some(Unknown::NotMade), Some(Unknown::Starved)]);
    }

    #[test]
    fn reasons_say_what_would_help() {
        let unknown = Unknowns { not_made: 3, starved: 2, pressed: 1, latest: MS * 120, ..Unknowns::default() };
        assert_eq!(
            unknown.why(9),
            "3 of 9 requests could not be made: raise `ulimit -n`, or lower the rate; 2 of 9 came out badly while \
             others could not: raise `ulimit -n`, or lower the rate; 1 of 9 requests came out badly because the machine \
             was pressed (the runner itself was 120ms late): a quieter machine or a lower rate helps"
        );
        let mut slow = Unknowns { latest: MS * 120, ..Unknowns::default() };
        slow.seen.record(MS * 300);
        assert_eq!(
            slow.why_slow(9),
            "1 of 9 requests may have been slow because the machine was pressed (the runner itself was 120ms late): a \
             quieter machine or a lower rate helps"
        );
    }
}
