use super::*;
use crate::responses::PARTIAL;
use chaos_load::{Marks, Rest};
use chaos_model::{ArrivalId, Injection, KeyKind, Link, Share, effect, system::Endpoint};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn link() -> Target {
    Target::Link(Link { from: Endpoint::Client, to: "web".to_owned(), label: None })
}

/// A fault on a link, in milliseconds of the timeline.
fn fault(name: &str, at: u64, ends: u64) -> Fault {
    Fault { at: ms(at), lasts: ms(ends - at), ..Fault::new(name, link(), effect::Hang {}) }
}

/// 1,000 requests, one each 10 ms, each answered in a millisecond; those that `bad` chooses in part. The first second is the
/// warm-up.
fn outcomes(bad: impl Fn(u64) -> bool) -> Vec<Outcome> {
    let outcome = |n| Outcome {
        n,
        step: 0,
        request: 0,
        intended: ms(10 * n),
        started: Some(ms(10 * n)),
        ended: ms(10 * n + 1),
        retried: false,
        result: Ok(200),
        marks: Marks { bits: if bad(n) { PARTIAL } else { 0 }, ..Marks::default() },
        rest: Rest::Nothing,
    };
    (0..1000).map(outcome).collect()
}

fn joined(fault: &str, n: u64, impact: Impact) -> Joined {
    let injection = Injection {
        fault: fault.to_owned(),
        link: "client -> web".to_owned(),
        at: ms(10 * n),
        key: KeyKind::NumberedRequest,
        subject: "GET /".to_owned(),
        arrival: Some(ArrivalId::of_seed(1, n)),
        idle: false,
        attempt: 0,
        asked: None,
        achieved: None,
        bystanders: 0,
    };
    Joined { injection, met: Some(n.into()), impact }
}

fn blame(faults: &[Fault], outcomes: &[Outcome], joined: &[Joined], fired: &[&str], baseline: Share) -> Vec<Blame> {
    let fired = fired.iter().map(|name| ((*name).to_owned(), Fired { messages: 1, ..Fired::default() })).collect();
    let baseline = Baseline::of(baseline);
    let cut_off = BTreeSet::new();
    let has = |request| request == 0;
    Evidence { faults, outcomes, warmup: ms(1000), has: &has, joined, fired: &fired, cut_off: &cut_off, baseline }
        .blame()
}

const CLEAN: Share = Share { parts: 0, whole: 300 };
const NOISY: Share = Share { parts: 6, whole: 300 };

fn reason(blame: &Blame) -> Option<Reason> {
    blame.uncharged.map(|uncharged| uncharged.reason)
}

#[test]
fn what_met_an_injection_counts_at_once_where_the_baseline_was_clean() {
    let faults = [fault("outage", 4000, 8000)];
    // Request 600 is due at 5 s; request 510, at 4.1 s, met nothing.
    let outcomes = outcomes(|n| n == 600 || n == 510);
    let met = [joined("outage", 600, Impact::Partial)];
    assert_eq!(
        blame(&faults, &outcomes, &met, &["outage"], CLEAN),
        [Blame { first_bad: Some(ms(5001)), uncharged: None }]
    );
    let harmless = [joined("outage", 600, Impact::Background)];
    let none = &blame(&faults, &outcomes, &harmless, &["outage"], CLEAN)[0];
    assert_eq!((none.first_bad, reason(none)), (None, Some(Reason::TooFew)));
}

#[test]
fn what_would_fail_anyway_is_not_charged_though_it_met_an_injection() {
    let faults = [fault("slow", 4000, 8000)];
    let all = outcomes(|n| n % 50 == 1);
    let impact = |n| if n % 50 == 1 { Impact::Partial } else { Impact::Unnoticed };
    let met: Vec<Joined> = (500..900).map(|n| joined("slow", n, impact(n))).collect();
    let blamed = &blame(&faults, &all, &met, &["slow"], NOISY)[0];
    assert_eq!((blamed.first_bad, reason(blamed)), (None, Some(Reason::AsBefore)));
    // Where more of those that met it are bad than in the baseline, it made them so, though few of all are.
    let all = outcomes(|n| n % 50 == 1 || (700..720).contains(&n));
    let some: Vec<Joined> = (700..720).map(|n| joined("slow", n, Impact::Partial)).collect();
    assert_eq!(blame(&faults, &all, &some, &["slow"], NOISY)[0].first_bad, Some(ms(6001)));
}

#[test]
fn what_the_baseline_has_too_is_not_charged() {
    let faults = [fault("outage", 4000, 8000)];
    let as_before = &blame(&faults, &outcomes(|n| n % 50 == 1), &[], &["outage"], NOISY)[0];
    let uncharged = Uncharged { bad: 8, of: 400, baseline: NOISY, reason: Reason::AsBefore };
    assert_eq!(*as_before, Blame { first_bad: None, uncharged: Some(uncharged) });
    let more = &blame(&faults, &outcomes(|n| n % 40 == 1), &[], &["outage"], NOISY)[0];
    assert_eq!((more.first_bad, reason(more)), (None, Some(Reason::TooFew)));
    let one = &blame(&faults, &outcomes(|n| n == 600), &[], &["outage"], CLEAN)[0];
    assert_eq!((one.first_bad, reason(one)), (None, Some(Reason::TooFew)), "one may be chance");
    let without = &blame(&faults, &outcomes(|_| true), &[], &["outage"], Share { parts: 0, whole: 0 })[0];
    assert_eq!((without.first_bad, reason(without)), (None, Some(Reason::TooFew)), "nothing to compare with");
}

#[test]
fn what_is_more_than_the_baseline_has_counts_from_where_it_is() {
    let faults = [fault("outage", 4000, 8000)];
    let noisy = outcomes(|n| n % 50 == 1 || (700..720).contains(&n));
    assert_eq!(blame(&faults, &noisy, &[], &["outage"], NOISY)[0].first_bad, Some(ms(6001)));
}

#[test]
fn a_fault_that_never_fired_is_charged_with_nothing() {
    let faults = [fault("outage", 4000, 8000)];
    let blame = &blame(&faults, &outcomes(|n| n > 500), &[], &[], CLEAN)[0];
    assert_eq!((blame.first_bad, reason(blame)), (None, Some(Reason::NeverFired)));
}

#[test]
fn of_several_faults_the_one_that_met_it_is_charged() {
    let faults = [fault("one", 4000, 8000), fault("two", 4000, 8000)];
    let all = outcomes(|n| (600..640).contains(&n));
    let hurt: Vec<Joined> = (600..640).map(|n| joined("two", n, Impact::Partial)).collect();
    let both = [&hurt[..], &[joined("one", 700, Impact::Slower)]].concat();
    let [one, two] = &blame(&faults, &all, &both, &["one", "two"], CLEAN)[..] else { panic!("two") };
    assert_eq!((*one, two.first_bad), (Blame::default(), Some(ms(5001))));
}

#[test]
fn of_several_faults_the_one_that_is_not_ruled_out_is_charged() {
    let faults = [fault("one", 4000, 8000), fault("two", 4000, 8000)];
    let all = outcomes(|n| (600..640).contains(&n));
    let harmless = joined("one", 600, Impact::Unnoticed);
    let open = |fault| Joined { met: None, ..joined(fault, 600, Impact::Unknown) };
    let of = |joined: &[Joined]| {
        let blames = blame(&faults, &all, joined, &["one", "two"], CLEAN);
        blames.iter().map(|blame| (blame.first_bad.is_some(), reason(blame))).collect::<Vec<_>>()
    };
    let others = (false, Some(Reason::OthersToo));
    assert_eq!(of(&[harmless.clone(), open("two")]), [others, (true, None)]);
    assert_eq!(of(&[open("one"), open("two")]), [others, others], "either may have");
    assert_eq!(of(&[harmless, joined("two", 610, Impact::Slower)]), [others, others], "neither has, for itself");
    // One after the other, each is alone.
    let faults = [fault("one", 4000, 5000), fault("two", 6000, 8000)];
    let later = blame(&faults, &outcomes(|n| (750..790).contains(&n)), &[open("one"), open("two")], &[], CLEAN);
    assert_eq!([later[0], later[1]], [Blame::default(), Blame { first_bad: Some(ms(6501)), uncharged: None }]);
}
