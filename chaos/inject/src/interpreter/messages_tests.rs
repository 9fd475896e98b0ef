use super::*;
use chaos_model::{
    Directions, Distribution, Effect, Endpoint, Fault, KeyKind, Link, Nth, Only, Pattern, Spread, Target,
    effect::{Action, Delay, Header, Latency, Miss, Status},
};
use std::collections::BTreeSet;

const MS: Duration = Duration::from_millis(1);

fn link(to: &str) -> Link {
    Link { from: Endpoint::Service("gateway".to_owned()), to: to.to_owned(), label: None }
}

fn active(fault: Fault) -> Arc<Active> {
    let link = link("user-service");
    Arc::new(Active::new(fault, 7, &link, Duration::ZERO, 0))
}

fn fault(name: &str, effect: impl Into<Effect>) -> Fault {
    Fault::new(name, Target::Link(link("user-service")), effect)
}

fn status(status: u16) -> Status {
    Status { status, body: String::new(), content_type: None }
}

fn latency() -> Latency {
    Latency::of(Spread { mean: MS, jitter: MS, distribution: Distribution::Uniform }, Directions::Both)
}

fn percent(name: &str, parts: u64) -> Fault {
    Fault { share: Share { parts, whole: 100 }, ..fault(name, status(503)) }
}

/// A message of some protocol.
struct Asked {
    path: String,
    arrival: Option<ArrivalId>,
}

impl Message for Asked {
    fn matches(&self, action: &Action, only: &Only) -> bool {
        action.is_of_messages() && only.path.as_ref().is_none_or(|path| path.matches(self.path.as_bytes()))
    }

    fn key(&self) -> Key {
        let number = self.arrival.map_or(0, |arrival| arrival.n).to_le_bytes();
        Key::new(KeyKind::Message, &[b"message", &number, self.path.as_bytes()])
    }

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn arrival(&self) -> Option<ArrivalId> {
        self.arrival
    }
}

fn asked(path: &str, n: Option<u64>) -> Asked {
    Asked { path: path.to_owned(), arrival: n.map(|n| ArrivalId::of_seed(1, n)) }
}

fn decider(interpreter: &Interpreter, now: Duration) -> Decider<'_> {
    Decider { interpreter, tally: Box::leak(Box::default()), now }
}

/// The decision on message number `n`.
fn ask(interpreter: &Interpreter, n: u64) -> Decision {
    decider(interpreter, Duration::ZERO).on_message(&asked("/users/7", Some(n)))
}

/// The numbers of those that a fault takes.
fn taken(interpreter: &Interpreter, name: &str, numbers: impl IntoIterator<Item = u64>) -> BTreeSet<u64> {
    let takes = |n: &u64| ask(interpreter, *n).injected().iter().any(|one| one.fault.fault.name == name);
    numbers.into_iter().filter(takes).collect()
}

fn interpreter(faults: impl IntoIterator<Item = Fault>) -> Interpreter {
    Interpreter::of(faults.into_iter().map(active).collect())
}

#[test]
fn the_same_are_taken_in_any_order_and_whatever_other_faults_there_are() {
    let alone = taken(&interpreter([percent("some", 20)]), "some", 0..500);
    assert!((60..140).contains(&alone.len()), "{}", alone.len());
    let backwards = taken(&interpreter([percent("some", 20)]), "some", (0..500).rev());
    assert_eq!(alone, backwards);
    let among = interpreter([percent("before", 50), percent("some", 20), fault("after", status(500))]);
    assert_eq!(taken(&among, "some", 0..500), alone);
    // A share is a subset of a larger one, and another name draws others.
    assert!(taken(&interpreter([percent("some", 40)]), "some", 0..500).is_superset(&alone));
    assert_ne!(taken(&interpreter([percent("other", 20)]), "other", 0..500), alone);
}

#[test]
fn each_attempt_is_drawn_for_itself() {
    let interpreter = interpreter([percent("half", 50)]);
    let attempts: Vec<Decision> = (0..40).map(|_| ask(&interpreter, 1)).collect();
    let failed = attempts.iter().filter(|plan| !plan.is_clear()).count();
    assert!((8..=32).contains(&failed), "{failed}");
    for (nth, plan) in attempts.iter().enumerate() {
        assert!(
            plan.injected()
                .iter()
                .all(|one| one.entry.attempt == nth as u64 && one.entry.arrival == Some(ArrivalId::of_seed(1, 1)))
        );
    }
}

#[test]
fn ten_percent_of_ten_thousand_requests_lie_in_the_interval_for_every_seed() {
    for seed in 0..20 {
        let ten = percent("ten", 10);
        let fault = Arc::new(Active::new(ten, seed, &link("user-service"), Duration::ZERO, 0));
        let taken = taken(&Interpreter::of(vec![fault]), "ten", 0..10_000).len();
        // The 99.99 % interval of a binomial distribution: 1000 ± 3.89 · 30.
        assert!((884..=1116).contains(&taken), "{taken} with seed {seed}");
    }
}

#[test]
fn faults_add_up_in_the_order_in_which_they_came() {
    let delay = |ms: u32| Delay { delay: Spread::constant(ms * MS) };
    let header = Header { header: "x".to_owned(), value: Some("1".to_owned()) };
    let all = [
        fault("slow", delay(10)),
        fault("slower", delay(20)),
        fault("first", status(503)),
        fault("second", status(500)),
        fault("head", header),
    ];
    let plan = ask(&interpreter(all), 1);
    assert_eq!(plan.wait().map(|wait| (wait.whole(), wait.parts.len())), Some((30 * MS, 2)));
    let names: Vec<&str> = plan.iter().map(|drawn| drawn.injected.fault.fault.name.as_str()).collect();
    assert_eq!(names, ["slow", "slower", "first", "second", "head"]);
}

#[test]
fn only_those_that_are_meant_are_counted_and_taken() {
    let only = Only { nth: Some(Nth::Every(3)), path: Some(Pattern("/users/*".to_owned())), ..Only::default() };
    let third = interpreter([Fault { only, ..fault("third", status(503)) }]);
    let other = asked("/health", None);
    let plans: Vec<bool> = (0..9)
        .map(|n| {
            assert!(decider(&third, MS).on_message(&other).is_clear());
            !ask(&third, n).is_clear()
        })
        .collect();
    assert_eq!(plans, [false, false, true, false, false, true, false, false, true]);
}

#[test]
fn those_that_are_excepted_are_spared_and_not_counted() {
    let path = |path: &str| Only { path: Some(Pattern(path.to_owned())), ..Only::default() };
    let every = |n, only: Only| Only { nth: Some(Nth::Every(n)), ..only };
    let taken = |only: Only, except: Only| {
        let faults = interpreter([Fault { only, except: Some(except), ..fault("some", status(503)) }]);
        let paths = ["/users/1", "/users/2", "/health/a", "/users/3", "/health/b", "/users/4", "/health/c", "/users/5"];
        let takes = |path: &&&str| !decider(&faults, MS).on_message(&asked(path, None)).is_clear();
        paths.iter().filter(takes).map(|path| path.trim_start_matches('/')).collect::<Vec<_>>().join(" ")
    };
    let health = || path("/health/*");
    assert_eq!(taken(Only::default(), health()), "users/1 users/2 users/3 users/4 users/5");
    assert_eq!(taken(path("*/*/*"), path("/users/*")), "health/a health/b health/c");
    // Its number counts those that it is for, and that of the exception those that this is about.
    assert_eq!(taken(every(2, Only::default()), health()), "users/2 users/4");
    assert_eq!(taken(path("/health/*"), every(2, Only::default())), "health/a health/c");
    assert_eq!(taken(Only::default(), every(2, health())), "users/1 users/2 health/a users/3 users/4 health/c users/5");
}

#[test]
fn a_ramp_grows_the_share_or_the_delay() {
    let ramp = 100 * MS;
    let share = interpreter([Fault { ramp, ..fault("share", status(503)) }]);
    let at = |now: Duration, n: u64| {
        let request = asked(&format!("/users/{n}"), None);
        !decider(&share, now).on_message(&request).is_clear()
    };
    let taken = |now: Duration, from: u64| (from..from + 1000).filter(|n| at(now, *n)).count();
    assert_eq!(taken(Duration::ZERO, 0), 0);
    let half = taken(50 * MS, 1000);
    assert!((400..600).contains(&half), "{half}");
    assert_eq!(taken(100 * MS, 2000), 1000);
    let delay = interpreter([Fault { ramp, ..fault("delay", Delay { delay: Spread::constant(80 * MS) }) }]);
    let request = asked("/", None);
    let plan = decider(&delay, 25 * MS).on_message(&request);
    assert_eq!(plan.wait().map(|wait| wait.whole()), Some(20 * MS));
}

#[test]
fn messages_without_a_number_are_drawn_by_their_keys() {
    let miss = || interpreter([Fault { share: Share { parts: 1, whole: 2 }, ..fault("miss", Miss {}) }]);
    let ask = |interpreter: &Interpreter, key: &str| {
        !decider(interpreter, Duration::ZERO).on_message(&asked(key, None)).is_clear()
    };
    let keys: Vec<String> = (0..200).map(|n| format!("profile:{n}")).collect();
    let forth = miss();
    let first: Vec<bool> = keys.iter().map(|key| ask(&forth, key)).collect();
    let back = miss();
    let mut second: Vec<bool> = keys.iter().rev().map(|key| ask(&back, key)).collect();
    second.reverse();
    assert_eq!(first, second);
    // The same key is drawn anew each time it comes.
    assert_ne!(first, keys.iter().map(|key| ask(&forth, key)).collect::<Vec<_>>());
}

#[test]
fn effects_on_connections_leave_messages_alone() {
    let interpreter = interpreter([fault("slow", latency())]);
    assert!(!decider(&interpreter, MS).is_armed());
    assert!(ask(&interpreter, 1).is_clear());
}

#[test]
fn what_nothing_can_be_done_to_counts_for_those_that_might_be_for_it() {
    let path = |text: &str| Only { path: Some(Pattern(text.to_owned())), ..Only::default() };
    let all = active(fault("all", status(503)));
    let users =
        active(Fault { only: Only { nth: Some(Nth::Only(7)), ..path("/users/*") }, ..fault("users", status(503)) });
    let others = active(Fault { except: Some(path("/users/*")), ..fault("others", status(503)) });
    let bytes = active(fault("bytes", latency()));
    let faults = [all, users, others, bytes];
    let interpreter = Interpreter::of(faults.to_vec());
    let mut decider = decider(&interpreter, Duration::ZERO);
    decider.spare(Unreadable::AmbiguousLength, 2);
    decider.spare_message(Unreadable::Transaction, &asked("/users/7", None));
    decider.on_message(&asked("/users/7", None));
    let counts = |fault: &Arc<Active>| {
        let fired = fault.tally.fired();
        (fired.spared.message_words(), fired.spared.messages())
    };
    let both = "2 ambiguous length, 1 transaction".to_owned();
    let known = "ambiguous length".to_owned();
    let wanted = [(both.clone(), 3), (both, 3), (known, 2), (String::new(), 0)];
    assert_eq!(faults.each_ref().map(counts), wanted);
    assert_eq!(faults[1].count_match(), 2, "what was spared took no number");
}
