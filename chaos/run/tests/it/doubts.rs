//! Tests of what makes a run inconclusive as a whole, and of runs that come to no verdict.

use crate::world::{MemoryWorld, ONE_SERVICE, fault, run, run_in};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use chaos_model::{Event, Verdict};
use chaos_run::{Ending, Events, Options};
use host::Host;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn web(_: Host, _: BTreeMap<String, String>) -> Router {
    Router::new().route("/users/{id}", get(|| async { "{}" }))
}

const WELL: &str = "[[expect]]\nthat = \"it\"\nduring = \"recovery\"\nstatus.200 = \">= 100%\"\n";

#[tokio::test(start_paused = true)]
async fn a_fault_that_fired_leaves_no_doubt() {
    let ran = run(&format!("{ONE_SERVICE}{}{WELL}", fault("effect = \"hang\"")), &[("web", web)]).await;
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Pass, _)), "{:?}", ran.ending);
    assert_eq!(ran.doubts(), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_never_fired_makes_a_run_inconclusive() {
    let text = ONE_SERVICE.replace("[load]", "env.OTHER = \"{idle}\"\n[service.idle]\nprogram = \"redis\"\n[load]");
    let fault = fault("effect = \"refuse\"").replace("client -> web", "web -> idle");
    let ran = run(&format!("{text}{fault}{WELL}"), &[("web", web), ("idle", web)]).await;
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Inconclusive, _)), "{:?}", ran.ending);
    assert_eq!(ran.doubts(), ["the fault `outage` never fired: nothing used web -> idle while it was there"]);
}

/// It lets go of what waits when it is taken back: so nobody has waited for as long as was asked.
#[tokio::test(start_paused = true)]
async fn a_fault_that_ends_before_its_delays_did_shows_nothing() {
    let late = "[[expect]]\nthat = \"late\"\nduring = \"outage\"\nlatency.p50 = \"< 900ms\"\n\
                [[expect]]\nthat = \"slow\"\nduring = \"outage\"\nlatency.p50 = \"< 1ms\"\n";
    let judged = async |delay: &str| {
        let text = format!("{ONE_SERVICE}{}{late}", fault(&format!("effect = \"delay\"\ndelay = \"{delay}\"")));
        let ran = run(&text.replace("timeout = \"1s\"", "timeout = \"9s\""), &[("web", web)]).await;
        let note = ran.judged("late").checks[0].note.clone().unwrap_or_default();
        (ran.judged("late").verdict, ran.judged("slow").verdict, note)
    };
    // Nobody waits for 900 ms, and it fails in no case.
    let (late, _, note) = judged("950ms").await;
    assert_eq!(late, Verdict::Inconclusive, "{note}");
    assert!(note.contains("ended before its delays did: 85 of 100 delays"), "{note}");
    // Half of them at most are cut short here.
    assert_eq!(judged("400ms").await, (Verdict::Pass, Verdict::Fail, String::new()));
}

#[tokio::test(start_paused = true)]
async fn a_comparison_that_can_not_fail_shows_nothing() {
    let idle = WELL.replace(">= 100%", ">= 0%");
    let ran = run(&format!("{ONE_SERVICE}{}{idle}", fault("effect = \"hang\"")), &[("web", web)]).await;
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Inconclusive, _)), "{:?}", ran.ending);
    assert_eq!(ran.judged("it").checks[0].note.as_deref(), Some("it can't fail, so it shows nothing"));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_was_used_is_not_called_idle() {
    let never = "the fault `outage` never fired: ";
    for (effect, why) in [
        ("effect = \"limit\"\nbytes = \"1GiB\"", "of 1 connection of client -> web that it met, none passed 1GiB"),
        ("effect = \"dial-delay\"\ndelay = \"1ms\"", "no connection of client -> web was opened while it was there"),
        (
            "effect = \"header\"\nheader = \"x-nobody-has-it\"",
            "100 requests came on client -> web while it was there, and it had nothing to change",
        ),
        (
            "effect = \"status\"\nstatus = \"503\"\nonly.path = \"/nowhere\"",
            "100 requests came on client -> web while it was there, and it had nothing to change",
        ),
    ] {
        let ran = run(&format!("{ONE_SERVICE}{}{WELL}", fault(effect)), &[("web", web)]).await;
        assert!(matches!(ran.ending, Ending::Judged(Verdict::Inconclusive, _)), "{:?}", ran.ending);
        let doubts = ran.doubts().join("\n");
        assert!(doubts.starts_with(&format!("{never}{why}")), "{effect}: {doubts}");
    }
}

/// Asks another service for each request: every other time in plain, else by what begins as TLS, or ends in two places.
fn asks_half_oddly(host: Host, env: BTreeMap<String, String>) -> Router {
    let asked = Arc::new(AtomicU64::new(0));
    let (name, port) =
        env["OTHER"].split_once(':').map(|(name, port)| (name.to_owned(), port.parse().unwrap())).unwrap();
    let ask = async move || {
        let mut stream = host.dial(&name, port).await.unwrap();
        let is_odd = asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) || env.contains_key("ALWAYS");
        let plain = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        let both = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        let odd: &[u8] = if env.contains_key("AMBIGUOUS") { both } else { b"\x16\x03\x01\x02\0\x01" };
        let bytes: &[u8] = if is_odd { odd } else { plain };
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
        "{}"
    };
    Router::new().route("/users/{id}", get(ask))
}

/// A service that asks another, which a fault stands in for: all of it but what is expected.
fn two_services() -> String {
    let other = "env.OTHER = \"{stock}\"\n[service.stock]\nprogram = \"user-service\"\n[load]";
    let fault = fault("effect = \"status\"\nstatus = \"503\"").replace("client -> web", "web -> stock");
    ONE_SERVICE.replace("[load]", other) + &fault
}

#[tokio::test(start_paused = true)]
async fn nothing_passes_where_too_much_was_spared_and_only_what_fails_in_any_case_does() {
    let verdict = async |odd: &str, check: &str| {
        let expect = format!("[[expect]]\nthat = \"it\"\nduring = \"outage\"\n{check}\n");
        let text = (two_services() + &expect).replace("env.OTHER", &format!("{odd}env.OTHER"));
        match run(&text, &[("web", asks_half_oddly), ("stock", web)]).await.ending {
            Ending::Judged(verdict, _) => verdict,
            other => panic!("{other:?}"),
        }
    };
    // Fifty of the hundred messages were spared, and every response is a 200.
    let messages = "env.AMBIGUOUS = \"yes\"\n";
    assert_eq!(verdict(messages, "status.200 = \">= 90%\"").await, Verdict::Inconclusive);
    assert_eq!(verdict(messages, "status.503 = \">= 40%\"").await, Verdict::Inconclusive);
    assert_eq!(verdict(messages, "status.503 = \">= 60%\"").await, Verdict::Fail, "fifty more are not enough");
    assert_eq!(verdict(messages, "latency.p50 = \">= 1s\"").await, Verdict::Inconclusive);
    // How many there were on connections that can't be read, nobody knows.
    assert_eq!(verdict("", "status.503 = \">= 60%\"").await, Verdict::Inconclusive);
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_could_not_read_what_it_met_is_no_pass() {
    let text = two_services();
    let doubts = async |text: String| {
        let ran = run(&text, &[("web", asks_half_oddly), ("stock", web)]).await;
        assert!(matches!(ran.ending, Ending::Judged(Verdict::Inconclusive, _)), "{:?}", ran.ending);
        ran.doubts().join("\n")
    };
    let some = doubts(format!("{text}{WELL}")).await;
    assert_eq!(some, "the fault `outage` did not meet all of web -> stock: 50 connections could not be read (TLS)");
    let all = doubts(format!("{text}{WELL}").replace("env.OTHER", "env.ALWAYS = \"yes\"\nenv.OTHER")).await;
    assert_eq!(all, "the fault `outage` never fired: 100 connections of web -> stock could not be read (TLS)");
    let messages = doubts(format!("{text}{WELL}").replace("env.OTHER", "env.AMBIGUOUS = \"yes\"\nenv.OTHER")).await;
    let why = "50 messages could not be acted on (ambiguous length)";
    assert_eq!(messages, format!("the fault `outage` did not meet all of web -> stock: {why}"));
}

#[tokio::test(start_paused = true)]
async fn a_system_that_was_not_well_before_proves_nothing() {
    fn ill(_: Host, _: BTreeMap<String, String>) -> Router {
        Router::new().route("/users/{id}", get(|| async { StatusCode::SERVICE_UNAVAILABLE }))
    }
    let expect = "[[expect]]\nthat = \"it\"\nduring = \"outage\"\nunanswered.any = \"> 0%\"\n";
    let ran = run(&format!("{ONE_SERVICE}{}{expect}", fault("effect = \"refuse\"")), &[("web", ill)]).await;
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Inconclusive, _)), "{:?}", ran.ending);
    assert_eq!(ran.doubts(), ["the system was not well before the first fault: 0% were served"]);
}

#[tokio::test(start_paused = true)]
async fn requests_that_a_proxy_had_no_room_for_say_nothing_of_the_system() {
    fn slow(_: Host, _: BTreeMap<String, String>) -> Router {
        let answer = async || {
            tokio::time::sleep(Duration::from_millis(50)).await;
            "{}"
        };
        Router::new().route("/users/{id}", get(answer))
    }
    let mut world = MemoryWorld::new(&[("web", slow)]);
    world.most_connections = Some(1);
    let ran = run_in(&format!("{ONE_SERVICE}{}{WELL}", fault("effect = \"hang\"")), &mut world).await;
    // Most requests were reset, and nobody is accused of that.
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Inconclusive, _)), "{:?}", ran.ending);
    let doubts = ran.doubts();
    assert!(doubts.iter().any(|why| why.starts_with("the proxy of client -> web had no room for ")), "{doubts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_world_that_fails_gives_no_verdict() {
    let ran = run_in(&format!("{ONE_SERVICE}{}{WELL}", fault("effect = \"hang\"")), &mut MemoryWorld::broken()).await;
    assert_eq!(ran.ending, Ending::WorldFailed);
    let why = "this world is broken".to_owned();
    assert!(ran.records.iter().any(|record| record.event == Event::WorldFailed { why: why.clone() }));
    assert_eq!(ran.records.last().map(|record| &record.event), Some(&Event::End { verdict: None }));
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_a_run_in_good_order() {
    let scenario = crate::world::scenario(&format!("{ONE_SERVICE}{}{WELL}", fault("effect = \"hang\""))).unwrap();
    let mut world = MemoryWorld::new(&[("web", web)]);
    let options = Options { file: "test.toml".to_owned(), seed: 1, ..Options::default() };
    let (events, mut reader) = Events::channel();
    let interrupt = Box::pin(async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        "SIGINT".to_owned()
    });
    let ending = chaos_run::run(&scenario, &mut world, &options, &events, interrupt).await;
    assert_eq!(ending, Ending::Interrupted);
    drop(events);
    let mut names = Vec::new();
    while let Some(record) = reader.recv().await {
        match record.event {
            Event::Interrupted { by } => names.push(by),
            Event::TornDown { left, .. } => names.push(format!("torn down, {} left", left.len())),
            Event::End { verdict } => names.push(format!("end {verdict:?}")),
            _ => {}
        }
    }
    assert_eq!(names, ["SIGINT", "torn down, 0 left", "end None"]);
}

#[tokio::test(start_paused = true)]
async fn too_few_requests_for_a_percentile_make_it_inconclusive() {
    /// A service so slow that requests of the last 50 ms before the fault straddle its beginning.
    fn slow(host: Host, _: BTreeMap<String, String>) -> Router {
        let answer = move || {
            let host = host.clone();
            async move { host.sleep(Duration::from_millis(50)).await }
        };
        Router::new().route("/users/{id}", get(answer))
    }
    let expect = "[[expect]]\nthat = \"it\"\nduring = \"baseline\"\nlatency.p99 = \"< 1s\"\n";
    let ran = run(&format!("{ONE_SERVICE}{}{expect}", fault("effect = \"refuse\"")), &[("web", slow)]).await;
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Inconclusive, _)), "{:?}", ran.ending);
    let check = &ran.judged("it").checks[0];
    assert_eq!((check.verdict, check.seen.as_str()), (Verdict::Inconclusive, "50ms of 95 requests"));
    assert_eq!(check.note.as_deref(), Some("p99 takes at least 100 requests"));
}

#[tokio::test(start_paused = true)]
async fn arrivals_that_start_late_make_a_run_inconclusive() {
    /// At one request, the world stands still for 300 ms: 30 arrivals are due in that time.
    fn stalls(_: Host, _: BTreeMap<String, String>) -> Router {
        let answer = |State(served): State<Arc<AtomicU64>>| async move {
            if served.fetch_add(1, Ordering::SeqCst) == 30 {
                tokio::time::advance(Duration::from_millis(300)).await;
            }
        };
        Router::new().route("/users/{id}", get(answer)).with_state(Arc::default())
    }
    let ran = run(&format!("{ONE_SERVICE}{}{WELL}", fault("effect = \"hang\"")), &[("web", stalls)]).await;
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Inconclusive, _)), "{:?}", ran.ending);
    let doubts = ran.doubts();
    let [late] = doubts[..] else { panic!("{doubts:?}") };
    assert!(
        late.starts_with("the load was not reached: ") && late.contains(" started more than 100ms late: a lower rate"),
        "{late}"
    );
}

#[tokio::test(start_paused = true)]
async fn arrivals_that_are_not_made_make_a_run_inconclusive() {
    // More are under way than the generator keeps.
    let text = ONE_SERVICE.replace("100/s", "30000/s").replace("\"4s\"", "\"900ms\"");
    let fault = fault("effect = \"hang\"").replace("at = \"1s\"\nfor = \"1s\"", "at = \"100ms\"\nfor = \"700ms\"");
    let ran = run(&format!("{text}{fault}{}", WELL.replace("recovery", "baseline")), &[("web", web)]).await;
    assert!(matches!(ran.ending, Ending::Judged(Verdict::Inconclusive, _)), "{:?}", ran.ending);
    let doubts = ran.doubts();
    let [missed] = doubts[..] else { panic!("{doubts:?}") };
    assert!(
        missed.starts_with("the load was not reached: ")
            && missed.ends_with(" of 27000 arrivals were not made: raise `ulimit -n`, or lower the rate"),
        "{missed}"
    );
}
