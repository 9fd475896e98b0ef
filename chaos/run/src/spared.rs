//! Faults that were not there as they should have been: they met nobody, could not act on what they met, or ended before their
//! delays did. What their scopes would have come to is then unknown.

use chaos_model::{
    Fault, Injection, Verdict,
    carried::Came,
    check::{Evidence, Finding, Marked, Subject},
    event::{Cause, Fired},
};
use std::time::Duration;

/// A fault that spares more than one in so many of what it should have met was not there as it should have been.
const SPARED_SHARE: u64 = 100;

/// A delay that came to so much of what was asked for is as it should be, in percent: the machine is late, and no delay is exact.
const ACHIEVED: u32 = 90;

/// A fault that did less than was asked for.
pub(crate) struct Weaker<'a> {
    fault: &'a Fault,
    why: String,
    /// The requests that may have come out otherwise, at the most; none where that isn't known.
    most: Option<u64>,
}

impl<'a> Weaker<'a> {
    /// Judges by the counts of what a fault did: it may have spared too much.
    pub(crate) fn spared(fault: &'a Fault, fired: &Fired) -> Option<Self> {
        let spared = &fired.spared;
        // What can't be read counts as if it matched, and a connection as one message at least.
        let least = spared.least();
        let is_too_much = least.saturating_mul(SPARED_SHARE) > least + fired.messages;
        let why = || format!("the fault `{}` did not meet all that it should have: {}", fault.name, words(fired, ""));
        // On a connection that is spared there may be any number of them.
        let most = (spared.connections() == 0).then_some(least);
        is_too_much.then(|| Self { fault, why: why(), most })
    }

    /// Judges by the delays that it has given: those that waited when it was taken back were let go, and most of all may have been.
    pub(crate) fn cut_short(fault: &'a Fault, injections: &[Injection]) -> Option<Self> {
        let delays = injections.iter().filter_map(|one| Some((one.asked?, one.achieved?)));
        let (mut all, mut short) = (0_u64, 0_u64);
        for (asked, achieved) in delays {
            all += 1;
            short += u64::from(achieved * 100 < asked * ACHIEVED);
        }
        let why = || {
            format!(
                "the fault `{}` ended before its delays did: {short} of {} were cut short by that: a fault lasts for longer than \
                 what it delays",
                fault.name,
                count(all, "delays")
            )
        };
        (short * 2 > all).then(|| Self { fault, why: why(), most: Some(short) })
    }

    /// Tells whether it was there in the scope of this name, from a moment of the timeline to another.
    pub(crate) fn is_in(&self, scope: &str, from: Duration, to: Duration) -> bool {
        self.fault.name == scope || self.fault.windows().any(|(begin, end)| begin < to && from < end)
    }

    /// The finding as far as it is known: nothing passes, and what fails has to fail whatever the fault would have made of what
    /// it spared.
    pub(crate) fn weigh(&self, subject: &dyn Subject, evidence: &Evidence<'_>, finding: Finding) -> Finding {
        let stays = match finding.verdict {
            Verdict::Inconclusive => true,
            Verdict::Pass => false,
            Verdict::Fail => {
                // What no response should have was seen.
                let never = subject.test().is_some_and(|test| !test.wanted);
                never || self.most.is_some_and(|most| fails_whatever(subject, evidence, most))
            }
        };
        if stays { finding } else { Finding::inconclusive(finding.seen, self.why.as_str()) }
    }
}

/// Tells whether a check fails, too, where so many arrivals had what they didn't, or had not what they did.
fn fails_whatever(subject: &dyn Subject, evidence: &Evidence<'_>, count: u64) -> bool {
    let fails = |count: u64| {
        let Marked { excused_with, excused_without, .. } = *evidence.marked;
        let marked = Marked {
            excused_with: excused_with.saturating_add(count),
            excused_without: excused_without.saturating_add(count),
            ..evidence.marked.clone()
        };
        subject.judge(&Evidence { marked: &marked, ..evidence.clone() }).verdict == Verdict::Fail
    };
    // One that fails where all may have come out otherwise weighs no arrivals.
    fails(count) && !fails(evidence.counts.due)
}

/// The reason for which a fault was not there as it should have been: it had nothing to act on, or could not act on what it
/// met. `came` is what its links carried meanwhile, where that was counted.
pub(crate) fn not_given(fault: &Fault, fired: &Fired, came: Option<Came>) -> Option<(Cause, String)> {
    let (name, on) = (&fault.name, &fault.on);
    if !fired.any() {
        let why =
            if fired.spared.least() > 0 { words(fired, &format!(" of {on}")) } else { fault.idle_reason(fired, came) };
        return Some((Cause::NeverFired, format!("the fault `{name}` never fired: {why}")));
    }
    let why = || format!("the fault `{name}` did not meet all of {on}: {}", words(fired, ""));
    Weaker::spared(fault, fired).map(|_| (Cause::Other, why()))
}

/// Words for what a fault could not act on: `41 connections could not be read (TLS)`.
fn words(fired: &Fired, of: &str) -> String {
    let spared = &fired.spared;
    let connections = (spared.connections() > 0).then(|| {
        format!("{}{of} could not be read ({})", count(spared.connections(), "connections"), spared.connection_words())
    });
    let of = if connections.is_some() { "" } else { of };
    let messages = (spared.messages() > 0).then(|| {
        format!("{}{of} could not be acted on ({})", count(spared.messages(), "messages"), spared.message_words())
    });
    connections.into_iter().chain(messages).collect::<Vec<_>>().join(", ")
}

/// So many things, which are named as several are.
fn count(number: u64, things: &str) -> String {
    if number == 1 { format!("1 {}", things.trim_end_matches('s')) } else { format!("{number} {things}") }
}
