//! Services that take their time to end and to start again: nothing waits for them, and every moment belongs to a phase.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use axum::{Router, routing::get};
use chaos_model::{
    Event, Verdict,
    event::{Judged, PhaseFigures},
};
use chaos_sim::{Run, Simulation};
use host::{Host, http};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// Listens after as long as `START_MS` says, in the first start and later ones; needs `DRAIN_MS` to end.
async fn slow(host: Host, starts: Arc<AtomicU32>) -> chaos_sim::Outcome {
    let setting = |name: &str| host.settings().get(name).unwrap_or("0").to_owned();
    let (first, later) = (setting("START_MS"), setting("START_AGAIN_MS"));
    let nth = starts.fetch_add(1, Ordering::Relaxed);
    let takes = if nth == 0 { first } else { later };
    tokio::time::sleep(Duration::from_millis(takes.parse()?)).await;
    let app = Router::new().route("/", get(async || "here"));
    http::serve(&host, host.listen(80)?, app, http::ServerConfig::default()).await;
    tokio::time::sleep(Duration::from_millis(setting("DRAIN_MS").parse()?)).await;
    Ok(())
}

fn run(service: &str, fault: &str, expectations: &str) -> Run {
    let starts = Arc::new(AtomicU32::new(0));
    let scenario = format!(
        "title = \"it\"\nentry = \"svc\"\n\
         load = {{ request = \"GET /\", rate = \"100/s\", arrivals = \"constant\", duration = \"9s\", timeout = \"500ms\" }}\n\
         [service.svc]\nprogram = \"slow\"\nready = \"GET /\"\n{service}\n\
         [[fault]]\nname = \"away\"\non = \"svc\"\nat = \"2s\"\n{fault}\n{expectations}"
    );
    let scenario =
        if fault.contains("for =") { scenario } else { scenario.replace("at = \"2s\"", "at = \"2s\"\nfor = \"1s\"") };
    let simulation = Simulation::new().program("slow", move |host| slow(host, Arc::clone(&starts)));
    simulation.run_text("it.toml", &scenario).unwrap()
}

fn expect(that: &str, checks: &str) -> String {
    format!("[[expect]]\nthat = \"{that}\"\n{checks}\n")
}

fn phase(run: &Run, name: &str) -> Option<PhaseFigures> {
    run.records.iter().find_map(|record| match &record.event {
        Event::Phase(figures) if figures.phase == name => Some(figures.clone()),
        _ => None,
    })
}

fn judged<'r>(run: &'r Run, that: &str) -> &'r Judged {
    let mut judged = run.records.iter().filter_map(|record| match &record.event {
        Event::Judged(judged) if judged.that == that => Some(judged),
        _ => None,
    });
    judged.next().unwrap()
}

fn reasons(run: &Run) -> Vec<&str> {
    let why = run.records.iter().filter_map(|record| match &record.event {
        Event::Inconclusive { why, .. } => Some(why.as_str()),
        _ => None,
    });
    why.collect()
}

#[test]
fn the_time_of_starting_again_is_a_phase_and_counts_as_not_recovered() {
    let service = "env.START_MS = \"2000\"\nenv.START_AGAIN_MS = \"2000\"";
    let expectations = expect("away", "during = \"away restarting\"\nunanswered.any = \">= 99%\"")
        + &expect("back", "during = \"recovery\"\nstatus.200 = \">= 100%\"")
        + &expect("quick", "after = \"away\"\nrecovery.time = \"< 1s\"");
    let run = run(service, "effect = \"kill\"", &expectations);
    assert_eq!(reasons(&run), Vec::<&str>::new());
    let figures = ["baseline", "away", "away restarting", "recovery"].map(|name| phase(&run, name).unwrap());
    assert_eq!(figures.each_ref().map(|of| of.arrivals + of.straddled), [200, 100, 201, 399], "every moment has one");
    let time = |of: &PhaseFigures| of.time.map(|time| (time.from.as_millis(), time.to.as_millis()));
    assert_eq!((time(&figures[2]), time(&figures[3])), (Some((3000, 5005)), Some((5005, 9000))));
    assert_eq!(judged(&run, "away").verdict, Verdict::Pass);
    assert_eq!(judged(&run, "back").verdict, Verdict::Pass, "{}", run.report());
    let quick = judged(&run, "quick");
    assert_eq!((quick.verdict, quick.checks[0].seen.as_str()), (Verdict::Fail, "2s"));
}

#[test]
fn a_service_that_is_back_at_once_makes_no_phase() {
    // It takes a simulation five milliseconds to start a program, and requests come every ten.
    let fault = "effect = \"kill\"\nfor = \"1003ms\"";
    let run = run("", fault, &expect("back", "during = \"recovery\"\nstatus.200 = \">= 100%\""));
    assert_eq!(run.verdict(), Some(Verdict::Pass), "{}", run.report());
    assert!(phase(&run, "away restarting").is_none());
    assert_eq!(phase(&run, "recovery").unwrap().arrivals, 599);
}

#[test]
fn a_service_that_drains_for_longer_than_the_fault_lasts_starts_behind_that() {
    let service = "env.DRAIN_MS = \"2500\"";
    let expectations = expect("back", "during = \"recovery\"\nstatus.200 = \">= 100%\"");
    let run = run(service, "effect = \"stop\"", &expectations);
    let killed = |record: &chaos_model::Record| matches!(record.event, Event::ServiceKilled { .. });
    assert!(!run.records.iter().any(killed), "it has three seconds");
    let restarting = phase(&run, "away restarting").unwrap().time.unwrap();
    assert_eq!((restarting.from.as_millis(), restarting.to.as_millis()), (3000, 4505));
    assert_eq!(run.verdict(), Some(Verdict::Pass), "{}", run.report());
}

#[test]
fn one_that_does_not_end_in_its_time_is_killed_and_that_is_told() {
    let service = "stop-grace = \"400ms\"\nenv.DRAIN_MS = \"2500\"";
    let run = run(service, "effect = \"restart\"", &expect("back", "during = \"recovery\"\nstatus.200 = \">= 100%\""));
    let after = run.records.iter().find_map(|record| match &record.event {
        Event::ServiceKilled { service, after } if service == "svc" => Some(*after),
        _ => None,
    });
    assert_eq!(after, Some(Duration::from_millis(400)));
    assert_eq!(run.verdict(), Some(Verdict::Pass), "{}", run.report());
}

#[test]
fn one_that_takes_far_longer_than_at_first_is_no_verdict_on_the_system() {
    let service = "env.START_MS = \"600\"\nenv.START_AGAIN_MS = \"1300\"";
    let holds = expect("before", "during = \"baseline\"\nstatus.200 = \">= 100%\"");
    let run = run(service, "effect = \"kill\"", &holds);
    assert_eq!(reasons(&run), ["svc took 1.3s to start again, and 605ms at first"]);
    assert_eq!(run.verdict(), Some(Verdict::Inconclusive));
}

#[test]
fn one_that_never_comes_back_fails_what_clients_see() {
    let service = "start-timeout = \"1s\"\nenv.START_AGAIN_MS = \"600000\"";
    let holds = expect("before", "during = \"baseline\"\nstatus.200 = \">= 100%\"");
    let seen = expect("after", "after = \"away\"\nwithin = \"1s\"\nstatus.200 = \">= 99%\"");
    let run_of = |expectations: &str| run(service, "effect = \"kill\"", expectations);
    assert_eq!(run_of(&(holds.clone() + &seen)).verdict(), Some(Verdict::Fail));
    let unseen = run_of(&holds);
    assert_eq!(reasons(&unseen), ["svc was not ready again when the run ended"]);
    assert_eq!(unseen.verdict(), Some(Verdict::Inconclusive));
}

#[test]
fn a_service_is_probed_each_second_where_an_expectation_asks_and_nowhere_else() {
    let service = "env.START_AGAIN_MS = \"2000\"";
    let expectations = expect("before", "during = \"baseline\"\nready.svc = \">= 100%\"")
        + &expect("away", "during = \"away\"\nready.svc = \"<= 0%\"")
        + &expect("starting", "during = \"away restarting\"\nready.svc = \"<= 0%\"")
        + &expect("by then", "after = \"away\"\nwithin = \"2100ms\"\nready.svc = \">= 100%\"")
        + &expect("too soon", "after = \"away\"\nwithin = \"1s\"\nready.svc = \">= 100%\"");
    let of = run(service, "effect = \"kill\"", &expectations);
    let seen = |that: &str| {
        let judged = judged(&of, that);
        (judged.verdict, judged.checks[0].seen.clone())
    };
    assert_eq!(seen("before"), (Verdict::Pass, "100% (2 of 2 probes)".to_owned()));
    assert_eq!(seen("away"), (Verdict::Pass, "0% (0 of 1 probes)".to_owned()));
    assert_eq!(seen("starting"), (Verdict::Pass, "0% (0 of 2 probes)".to_owned()));
    assert_eq!(seen("by then"), (Verdict::Pass, "100% (4 of 4 probes)".to_owned()));
    assert_eq!(seen("too soon"), (Verdict::Fail, "80% (4 of 5 probes)".to_owned()));
    let note = judged(&of, "too soon").checks[0].note.clone().unwrap();
    assert!(note.starts_with("the first that did not, at 4.50s: "), "{note}");
    let probes = |run: &Run| run.records.iter().filter(|record| matches!(record.event, Event::Probed(_))).count();
    let unasked = run(service, "effect = \"kill\"", &expect("it", "during = \"run\"\nstatus.200 = \">= 10%\""));
    assert_eq!((probes(&of), probes(&unasked)), (9, 0));
}

#[test]
fn a_frozen_service_is_not_ready_and_a_probe_across_an_edge_belongs_to_no_phase() {
    let expectations = expect("away", "during = \"away\"\nready.svc = \"<= 0%\"")
        + &expect("after", "during = \"recovery\"\nready.svc = \">= 100%\"");
    let fault = "effect = \"pause\"\nfor = \"2700ms\"";
    let run = run("", fault, &expectations);
    // Those that begin at 2.5 s and 3.5 s are given up after a second, and the one at 4.5 s is answered when it is let go on.
    assert_eq!(judged(&run, "away").checks[0].seen, "0% (0 of 2 probes)");
    assert_eq!(judged(&run, "after").checks[0].seen, "100% (4 of 4 probes)");
    assert_eq!(run.verdict(), Some(Verdict::Pass), "{}", run.report());
}

#[test]
fn what_is_not_seen_by_requests_counts_from_when_a_service_was_back_too() {
    // Its requests are counted by itself, so that nothing is counted before it is back, and all from then on.
    let counting = async |host: Host| -> chaos_sim::Outcome {
        let started = host.settings().get("START_MS").unwrap_or("0").parse()?;
        tokio::time::sleep(Duration::from_millis(started)).await;
        let served = Arc::new(AtomicU32::new(0));
        let (here, told) = (Arc::clone(&served), served);
        let app = Router::new()
            .route("/", get(async move || here.fetch_add(1, Ordering::Relaxed).to_string()))
            .route("/metrics", get(async move || format!("served_total {}\n", told.load(Ordering::Relaxed))));
        http::serve(&host, host.listen(80)?, app, http::ServerConfig::default()).await;
        Ok(())
    };
    let metric = |that: &str, during: &str, bound: &str| {
        expect(
            that,
            &format!("during = \"{during}\"\nmetric.served_total = \"{bound}\"\ntype = \"counter\"\nservice = \"svc\""),
        )
    };
    let scenario = format!(
        "title = \"it\"\nentry = \"svc\"\n\
         load = {{ request = \"GET /\", rate = \"100/s\", arrivals = \"constant\", duration = \"9s\", timeout = \"500ms\" }}\n\
         [service.svc]\nprogram = \"counting\"\nmetrics = \"GET /metrics\"\nenv.START_MS = \"1500\"\n\
         [[fault]]\nname = \"away\"\non = \"svc\"\neffect = \"kill\"\nat = \"2s\"\nfor = \"1s\"\n{}{}",
        metric("none while it starts", "away restarting", "<= 120"),
        metric("all once it is back", "recovery", "<= 460"),
    );
    let run = Simulation::new().program("counting", counting).run_text("it.toml", &scenario).unwrap();
    assert_eq!(run.verdict(), Some(Verdict::Pass), "{}", run.report());
}

#[test]
fn a_service_that_is_ended_again_while_it_starts_is_away_until_it_is_ready_for_the_first_fault_too() {
    let service = "env.START_MS = \"2000\"\nenv.START_AGAIN_MS = \"2000\"";
    let again = "[[fault]]\nname = \"again\"\non = \"svc\"\neffect = \"kill\"\nat = \"4s\"\nfor = \"1s\"\n";
    let expectations = expect("away", "during = \"away restarting\"\nunanswered.any = \">= 99%\"")
        + &expect("again", "during = \"again\"\nunanswered.any = \">= 99%\"")
        + &expect("still", "during = \"again restarting\"\nunanswered.any = \">= 99%\"")
        + &expect("back", "during = \"recovery\"\nstatus.200 = \">= 100%\"")
        + &expect("in time", "after = \"again\"\nrecovery.time = \"< 2100ms\"");
    let run = run(service, "effect = \"kill\"", &(again.to_owned() + &expectations));
    let time =
        |name: &str| phase(&run, name).and_then(|of| of.time).map(|time| (time.from.as_millis(), time.to.as_millis()));
    assert_eq!(time("away restarting"), Some((3000, 7005)), "{}", run.report());
    assert_eq!(time("again restarting"), Some((5000, 7005)));
    assert_eq!(time("recovery"), Some((7005, 9000)));
    assert_eq!(run.verdict(), Some(Verdict::Pass), "{}", run.report());
}
