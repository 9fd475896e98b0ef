//! Each exit code by a real case, with what people need then.

use crate::support::{Sandbox, scenarios};
use rustix::process::Signal;
use std::path::Path;

/// Expects what can't be: answers while the service is away.
const FAILING: &str = r#"
[[expect]]
that   = "nobody notices"
during = "away"
status.200 = ">= 100%"
"#;

#[tokio::test]
async fn zero_where_all_holds() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.exited(0).said("One service").said("PASS in ").said("nothing left behind");
    assert_eq!(run.err, "");
    sandbox.assert_clean();
}

#[tokio::test]
async fn one_where_an_expectation_fails_with_its_place_and_the_logs() {
    let sandbox = Sandbox::new();
    let text = scenarios::with(FAILING);
    let line = 1 + text.lines().position(|line| line.starts_with("status.200")).expect("it is there");
    let file = sandbox.write("bad.toml", text);
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.exited(1).said("FAIL  nobody notices").said("status.200 >= 100%").said(&format!("bad.toml:{line}:"));
    run.said("status.200 = \">= 100%\"").said("^^^^").said("seen: 0% (0 of ").said("FAIL in ");
    let logs: Vec<&str> = run.out.lines().filter(|line| line.ends_with(".log")).collect();
    let log = logs.first().and_then(|line| line.split_whitespace().last()).expect("the log's path is said");
    assert_eq!(logs.len(), 1, "{run}");
    assert!(std::fs::read_to_string(log).expect("the log is there").contains("listening"), "{log}");
    assert!(Path::new(log).starts_with(sandbox.tmp()), "{log}");
}

/// Request, status, body and the fault that it met; and the recording has all of it.
#[tokio::test]
async fn what_clients_saw_is_shown_where_an_expectation_fails() {
    let sandbox = Sandbox::new();
    let text = scenarios::with(FAILING).replace("effect = \"refuse\"", "effect = \"status\"\nstatus = \"503\"");
    let text = text.replace("GET /users/{user}\"", "GET /users/{user}?api_key=sesame\"");
    let text = text.replace("entry = \"users\"", "entry = \"users\"\nresponses.instance.header = \"content-length\"");
    let file = sandbox.write("bad.toml", text);
    let run = sandbox.chaos(&format!("run {file} --json run.jsonl")).run().await;
    run.exited(1).said("GET /users/").said("?api_key=****** (user = ").said("503 after ").said(", it met away\n");
    run.said("from ").said(" responses:\n");
    let report = sandbox.chaos("report run.jsonl").run().await;
    let judged = |out: &str| out[out.find("\n  expectations\n").unwrap()..].to_owned();
    assert_eq!(judged(&report.out), judged(&run.out), "{run}");
    let recorded = std::fs::read_to_string(sandbox.path().join("run.jsonl")).unwrap();
    assert!(!run.out.contains("sesame") && !recorded.contains("?api_key=sesame\",\"vars"), "{run}");
}

#[tokio::test]
async fn the_command_for_another_run_is_the_one_that_was_given() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("bad.toml", scenarios::with(FAILING));
    let command = format!("run {file} --seed 7 --set load.rate=50/s --set load.duration=1s -e notices");
    let run = sandbox.chaos(&command).run().await;
    run.exited(1).said(&format!("again, with the same draws: chaos {command}\n"));
}

#[tokio::test]
async fn two_where_a_scenario_or_the_command_line_is_invalid() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("typo.toml", scenarios::passing().replace("effect = ", "efect = "));
    for command in ["run", "prove", "check", "explain"] {
        let run = sandbox.chaos(&format!("{command} {file}")).run().await;
        run.exited(2).complained("typo.toml:").complained("^^^^^").complained("did you mean `effect`?");
        assert_eq!(run.out, "", "{command} started something");
    }
    sandbox.chaos("run no-such.toml").run().await.exited(2).complained("there is no file `no-such.toml`");
    sandbox
        .chaos("run")
        .run()
        .await
        .exited(2)
        .complained("name a scenario, or a folder of them: there is no folder `chaos` here");
    sandbox.chaos("run tmp").run().await.exited(2).complained("tmp has no scenario in it");
    sandbox.chaos(&format!("run {file} --set load.rate")).run().await.exited(2).complained("KEY=VALUE");
    sandbox.assert_clean();
}

#[tokio::test]
async fn two_where_a_world_cannot_run_a_service_or_give_a_fault() {
    let sandbox = Sandbox::new();
    let image = scenarios::passing().replace("program = \"user-service\"", "image = \"users:1\"\nprotocol = \"http\"");
    let image = sandbox.write("image.toml", image);
    let limit = "on     = \"users\"\neffect = \"cpu\"\ncpus   = \"0.1\"";
    let limit = scenarios::passing().replace("on     = \"client -> users\"\neffect = \"refuse\"", limit);
    let limit = sandbox.write("limit.toml", limit);
    for world in ["sim", "local"] {
        let run = sandbox.chaos(&format!("run {image} --world {world}")).run().await;
        run.exited(2)
            .complained("service `users` is an image")
            .complained("image.toml:5:")
            .complained("--world docker");
        assert_eq!(run.out, "", "{world} started something");
    }
    for world in ["sim", "local", "attach"] {
        let run = sandbox.chaos(&format!("run {limit} --world {world}")).run().await;
        run.exited(2).complained("`cpu` on `users` can't be given here").complained("limit.toml:").complained("^^^");
        assert_eq!(run.out, "", "{world} started something");
    }
    let command = sandbox.write("command.toml", scenarios::by_command(r#"["./server"]"#));
    let run = sandbox.chaos(&format!("run {command} --world docker")).run().await;
    run.exited(2).complained("service `users` runs a command, and containers run images").complained("command.toml:5:");
    assert_eq!(run.out, "", "docker started something");
    sandbox.chaos(&format!("explain {image}")).run().await.exited(0).said("image users:1 (http, the entry)");
    sandbox.assert_clean();
}

#[tokio::test]
async fn two_where_the_recording_has_no_place() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::proven());
    for command in ["run", "prove"] {
        let run = sandbox.chaos(&format!("{command} {file} --json no/such/folder.jsonl")).run().await;
        run.exited(2).complained(&format!("chaos {command}: --json: can't write no/such/folder.jsonl: No such file"));
        assert_eq!(run.out, "", "{command} started something");
    }
    sandbox.assert_clean();
}

#[tokio::test]
async fn three_where_a_service_ends_at_once_with_its_last_words() {
    let sandbox = Sandbox::new();
    let file = sandbox.write(
        "dies.toml",
        scenarios::by_command(r#"["sh", "-c", "echo the first word; echo the last word >&2; exit 7"]"#),
    );
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.exited(3).said("users DIED: exit status: 7").said("| the first word").said("| the last word");
    run.said("WORLD FAILED after ").said("users.log").said("nothing left behind");
}

#[tokio::test]
async fn a_service_that_never_stops_talking_does_not_fill_the_disk() {
    let sandbox = Sandbox::new();
    let talks = r#"["sh", "-c", "echo the first word; yes on and on | head -c 150000000; echo the last word; exit 7"]"#;
    let file = sandbox.write("talks.toml", scenarios::by_command(talks));
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.exited(3).said("| the last word");
    let log = run.out.lines().find_map(|line| line.trim().strip_prefix("users ")).unwrap().trim();
    let kept = std::fs::read_to_string(log).unwrap();
    assert!(kept.starts_with("the first word\n") && kept.ends_with("the last word\n"));
    assert!(kept.len() <= 20 << 20 && kept.contains("bytes were taken out here"), "{} bytes", kept.len());
}

#[tokio::test]
async fn three_where_a_program_is_missing() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("missing.toml", scenarios::by_command(r#"["no-such-program", "--fast"]"#));
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    let text = std::fs::read_to_string(sandbox.path().join("missing.toml")).unwrap();
    let line = text.lines().position(|line| line.contains("no-such-program")).unwrap() + 1;
    let why = "users can't be started: the command `no-such-program` was not found on the path";
    let said = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&format!("{why} (missing.toml:{line})")) && !said.contains("DIED"), "{said}");
    run.exited(3).said("WORLD FAILED after ");

    let file = scenarios::redis_down(&sandbox);
    let run =
        sandbox.chaos(&format!("run {file} --set service.redis.program=redis-server")).env("PATH", "").run().await;
    run.exited(3).said("there is no redis-server on the path");
}

#[tokio::test]
async fn four_where_a_fault_never_fires() {
    let sandbox = Sandbox::new();
    let text = scenarios::with(
        r#"
[service.users.env]
NEIGHBOUR = "{idle}"

[service.idle]
program = "order-service"

[[expect]]
that = "all are answered"
status.200 = ">= 100%"
"#,
    );
    let text = text.replace("client -> users", "users -> idle");
    let file = sandbox.write("idle.toml", text);
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.exited(4).said("ok    all are answered").said("the fault `away` never fired").said("INCONCLUSIVE in ");
}

#[tokio::test]
async fn four_where_no_scrape_has_the_metric() {
    let sandbox = Sandbox::new();
    let expect = "\n[[expect]]\nthat = \"no errors\"\nduring = \"away\"\nmetric.'http_request_total' = \"== 0\"\n";
    let file = sandbox.write("typo.toml", scenarios::with(expect));
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.exited(4).said("????  no errors").said("the nearest is").said("INCONCLUSIVE in ");
}

#[tokio::test]
async fn signals_end_a_run_in_good_order() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    for (signal, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM"), (Signal::HUP, "SIGHUP")] {
        let mut run = sandbox.chaos(&format!("run {file} --set load.duration=60s")).start();
        run.line("away begins").await;
        run.signal(signal);
        let run = run.finish().await;
        run.exited(130).said(&format!("by {name}")).said("nothing left behind");
        assert!(!run.out.contains(".log"), "{run}");
        sandbox.assert_clean();
    }
}

#[tokio::test]
async fn a_run_that_is_to_outlive_its_terminal_does_and_says_so() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("good.toml", scenarios::passing());
    let mut run = sandbox.chaos(&format!("run {file}")).ignoring_hangups().start();
    run.line("away begins").await;
    run.signal(Signal::HUP);
    run.finish().await.exited(0).said("PASS").complained("SIGHUP: the terminal is gone, and the run goes on");
    sandbox.assert_clean();
}

#[tokio::test]
async fn a_folder_exits_by_the_worst() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("all")).expect("a folder");
    sandbox.write("all/a.toml", scenarios::with(FAILING));
    sandbox.write("all/b.toml", scenarios::passing());
    let run = sandbox.chaos("run all").run().await;
    run.exited(1).said("FAIL").said("all/a.toml").said("PASS").said("all/b.toml").said("1 of 2");

    sandbox.write("all/c.toml", scenarios::passing().replace("title", "tilte"));
    std::fs::remove_file(sandbox.path().join("all/a.toml")).expect("it was written");
    let run = sandbox.chaos("run all").run().await;
    run.exited(2).said("PASS").said("INVALID").complained("all/c.toml");
}
