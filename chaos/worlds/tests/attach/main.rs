//! The world `attach`, whole and in memory: a system that runs, proxies with their control server, and runners.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod support;

use chaos_model::{ArrivalId, Event, Impact, Verdict, ledger::Joined};
use chaos_run::Ending;
use std::time::Duration;
use support::{Running, SECOND, Setting};
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn a_scenario_breaks_a_running_system_and_leaves_it_as_it_was() {
    let running = Running::start();
    let ran = running.run(Setting::default()).await;
    assert!(matches!(&ran.ending, Ending::Judged(Verdict::Pass, _)), "{:?}", ran.told());
    let seen = ran.told();
    for said in ["link_ready client -> web at proxies:", "service_ready web: runs already at web:8000", "outage fired"]
    {
        assert!(seen.iter().any(|line| line.contains(said)), "`{said}` is not in {seen:?}");
    }
    assert_eq!(ran.left(), Some(Vec::new()));
    assert!(running.answers().await, "it runs on");
    // The lease was given up, so that another can begin at once.
    let again = running.run(Setting::default()).await;
    assert!(matches!(&again.ending, Ending::Judged(Verdict::Pass, _)), "{:?}", again.told());
    // Counts of a run are its own, though the proxy has those of both. What it held until clients went was never read.
    let counts = [ran, again].map(|ran| ran.counts());
    let asked = counts[0].links["client -> web"].messages["GET /"];
    assert!((150..=200).contains(&asked), "{counts:?}");
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0].faults["outage"].any(), "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn numbers_that_strangers_send_are_none_of_the_runs() {
    let running = Running::start();
    let (host, world) = running.world(Setting::default());
    let ran = host.spawn(support::run(world));
    // While the fault is there: a number as it was once, one of another run, and the run's own nonce as none else knows it.
    sleep(Duration::from_millis(1500)).await;
    for forged in ["7".to_owned(), ArrivalId::of_seed(9, 7).to_string(), ArrivalId::of_seed(1, 7).to_string()] {
        assert!(!running.answers_to(&format!("baggage: chaos.request={forged}\r\n")).await);
    }
    let ran = ran.await.unwrap();
    let Some(Event::Begin(begin)) = ran.records.first().map(|record| &record.event) else { panic!("it begins") };
    let nonce = begin.nonce.unwrap();
    let injected = ran.records.iter().filter_map(|record| match &record.event {
        Event::Injected(injected) => Some(&injected.injections),
        _ => None,
    });
    let (own, others): (Vec<&Joined>, Vec<&Joined>) =
        injected.flatten().partition(|one| one.injection.arrival.is_some_and(|arrival| arrival.nonce == nonce));
    assert!(own.len() > 90 && own.iter().filter(|one| one.met == Some(7.into())).count() <= 1, "{own:?}");
    assert!(others.iter().all(|one| one.met.is_none() && one.impact == Impact::Background), "{others:?}");
    let claimed = others.iter().filter_map(|one| one.injection.arrival.map(|arrival| arrival.n)).collect::<Vec<_>>();
    assert!(claimed.iter().all(|n| *n == 7) && !claimed.is_empty(), "{others:?}");
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_is_lost_leaves_clean_traffic_within_a_second() {
    let running = Running::start();
    let runner = running.runner.clone();
    let (host, world) = running.world(Setting::default());
    drop(host.spawn(support::run(world)));
    // The fault is on from the first to the third second.
    sleep(Duration::from_millis(1500)).await;
    assert!(!running.answers().await, "the fault is on");
    runner.crash();
    let killed = Instant::now();
    while !running.answers().await {
        sleep(Duration::from_millis(1)).await;
    }
    assert!(killed.elapsed() < SECOND, "{:?}", killed.elapsed());
    assert!(killed.elapsed() >= Duration::from_millis(600), "the lease was gone too early: {:?}", killed.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_second_runner_is_told_who_is_there() {
    let running = Running::start();
    let (host, first) = running.world(Setting::default());
    let first = host.spawn(support::run(first));
    sleep(SECOND).await;
    let second = running.run(Setting::default()).await;
    assert_eq!(second.ending, Ending::WorldFailed);
    let told = second.told().join("\n");
    assert!(told.contains("the lease is held by a test, since 2026-01-01T00:00:00.000Z"), "{told}");
    let first = first.await.unwrap();
    assert!(matches!(&first.ending, Ending::Judged(Verdict::Pass, _)), "{:?}", first.told());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_lapses_while_its_runner_lives_makes_the_run_inconclusive() {
    let running = Running::start();
    let (frozen, (_, world)) = (running.runner.clone(), running.world(Setting::default()));
    let freezing = running.proxies.spawn(async move {
        sleep(Duration::from_millis(1500)).await;
        frozen.freeze();
        sleep(Duration::from_millis(1100)).await;
        frozen.thaw();
    });
    // On the test's own task, which nothing freezes.
    let ran = support::run(world).await;
    freezing.await.unwrap();
    assert_eq!(ran.ending, Ending::Judged(Verdict::Inconclusive, Vec::new()), "{:?}", ran.told());
    let doubts: Vec<&String> = ran.doubts();
    assert_eq!(doubts.len(), 1);
    assert!(doubts[0].starts_with("the lease on the proxies was lost ("), "{doubts:?}");
    assert!(running.answers().await);
}

#[tokio::test(start_paused = true)]
async fn proxies_that_go_away_make_the_run_inconclusive() {
    let running = Running::start();
    let (_, world) = running.world(Setting::default());
    let proxies = running.proxies_tasks.clone();
    let crash = running.web.spawn(async move {
        sleep(Duration::from_millis(1500)).await;
        proxies.crash();
    });
    let ran = support::run(world).await;
    crash.await.unwrap();
    assert_eq!(ran.ending, Ending::Judged(Verdict::Inconclusive, Vec::new()), "{:?}", ran.told());
    // Nobody can say that it is healed.
    assert_eq!(ran.left().map(|left| left.len()), Some(1), "{:?}", ran.told());
}

/// Port of a control server that knows another version of its interface.
const OTHER_RELEASE: u16 = 9;

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_surroundings_is_said_before_anything_is_broken() {
    for (setting, why) in [
        (Setting { token: Ok("another"), ..Setting::default() }, "the control server takes another token"),
        (Setting { token: Err("no such file"), ..Setting::default() }, "no such file"),
        (
            Setting { control: 1, ..Setting::default() },
            "the proxies can't be reached: proxies:1 /v2/links: connection refused",
        ),
        (
            Setting { link: "client -> shop", ..Setting::default() },
            "no proxy stands on client -> web; they do on client -> shop",
        ),
        (
            Setting { is_ready: false, ..Setting::default() },
            "web was not ready after 5s: web:8000: it answered `HTTP/1.1 503",
        ),
        (Setting { remote: false, ..Setting::default() }, "web:8000 (8.8.8.8) is not local, and was not allowed"),
        (
            Setting { control: OTHER_RELEASE, ..Setting::default() },
            "the proxies can't be reached: proxies:9 /v2/links: these proxies are of another release",
        ),
    ] {
        let running = Running::start_so(&setting);
        running.other_release(OTHER_RELEASE);
        let ran = running.run(setting).await;
        assert_eq!(ran.ending, Ending::WorldFailed, "{why}");
        let told = ran.told().join("\n");
        assert!(told.contains(why), "`{why}` is not in {told}");
        assert!(!ran.records.iter().any(|record| matches!(record.event, Event::TimelineBegan)));
    }
}
