//! Options of simulated runs: `--logs`, `--seeds`, and what belongs to other worlds.

use crate::support::{Finished, Sandbox, scenarios};
use std::path::Path;

async fn sim(sandbox: &Sandbox, arguments: &str) -> Finished {
    sandbox.chaos(&format!("run --world sim {arguments}")).run().await
}

/// Folders and files beneath a folder that hold something, in order.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("it is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::metadata(&path).expect("a file").len() > 0 {
                found.push(path.strip_prefix(folder).expect("beneath it").display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn each_run_has_a_place_of_its_own_for_its_logs() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("other")).unwrap();
    let one = sandbox.write("one.toml", scenarios::passing());
    let other = sandbox.write("other/one.toml", scenarios::passing());
    sim(&sandbox, &format!("{one} {other} --logs logs")).await.exited(0);
    assert_eq!(files(&sandbox.path().join("logs")), ["one-2/seed-1/users.log", "one/seed-1/users.log"]);
    sim(&sandbox, &format!("{one} --control --logs compared")).await.exited(0);
    assert_eq!(files(&sandbox.path().join("compared")), ["one.control/seed-1/users.log", "one/seed-1/users.log"]);
    sim(&sandbox, &format!("{one} --seeds 1..2 --logs seeds")).await.exited(0);
    assert_eq!(files(&sandbox.path().join("seeds")), ["one/seed-1/users.log", "one/seed-2/users.log"]);
}

#[tokio::test]
async fn a_folder_that_takes_no_logs_is_a_mistake_before_anything_runs() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("one.toml", scenarios::passing());
    let refused = sim(&sandbox, &format!("{file} --seeds 1..100 --logs {file}/logs")).await;
    refused.exited(2).complained("chaos run: --logs: can't write to one.toml/logs: Not a directory");
    assert_eq!(refused.out, "");
}

#[tokio::test]
async fn seeds_say_how_many_passed_and_go_on_past_what_is_not_valid() {
    let sandbox = Sandbox::new();
    let good = sandbox.write("good.toml", scenarios::passing());
    let bad = sandbox.write("bad.toml", scenarios::passing().replace("refuse", "refuze"));
    sim(&sandbox, &format!("{good} --seeds 5..5")).await.exited(0).said("good.toml: seeds 5..5: 1 run passed\n");
    let both = sim(&sandbox, &format!("{bad} {good} --seeds 1..3")).await;
    both.exited(2).complained("bad.toml:").said("good.toml: seeds 1..3: 3 runs passed\n");
    let failing = sandbox.write(
        "failing.toml",
        scenarios::passing().replace("unanswered.any = \">= 100%\"", "unanswered.any = \"< 1%\""),
    );
    let found = sim(&sandbox, &format!("{failing} --seeds 4..9")).await;
    found.exited(1).said("failing.toml: seed 4 is the first that does not pass, 0 runs passed before it\n");
    // What is not valid is worse, whatever else is found.
    sim(&sandbox, &format!("{bad} {failing} --seeds 4..9")).await.exited(2).said("seed 4 is the first");
}

#[tokio::test]
async fn a_number_that_is_none_is_named() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("one.toml", scenarios::passing());
    for (option, why) in [
        ("--trace abc", "it must be a whole number: requests are numbered from 0"),
        ("--trace -1", "it must be a whole number: requests are numbered from 0"),
        ("--seeds -1..5", "it must be two whole numbers, both included, as `1..1000`"),
        ("--seeds 5..1", "the first is greater than the last"),
    ] {
        sim(&sandbox, &format!("{file} {option}")).await.exited(2).complained(why);
    }
    let none = sim(&sandbox, &format!("{file} --trace 5000")).await;
    none.exited(0).said("there was no request 5000: the last was 1");
}

#[tokio::test]
async fn an_option_of_another_world_is_refused() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("one.toml", scenarios::passing());
    for (option, why) in [
        ("--attach none.toml", "chaos run: --attach is for `--world attach`"),
        ("--allow-remote-targets", "--allow-remote-targets is for worlds that use addresses"),
        ("--allow-unhealed", "--allow-unhealed is for `--world attach`"),
        #[cfg(feature = "docker")]
        ("--images none.env", "--images is for `--world docker`"),
    ] {
        sim(&sandbox, &format!("{file} {option}")).await.exited(2).complained(why);
    }
    let proven = sandbox.chaos(&format!("prove {file} --logs logs")).run().await;
    proven.exited(2).complained("chaos prove: --logs is for `--world sim`");
}

#[tokio::test]
async fn slices_tell_of_requests_that_were_due_and_of_what_came_of_each() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("one.toml", scenarios::passing());
    sim(&sandbox, &format!("{file} --json events.jsonl")).await.exited(0);
    let events = std::fs::read_to_string(sandbox.path().join("events.jsonl")).unwrap();
    let events: Vec<serde_json::Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let slices: Vec<_> = events.iter().filter(|event| event["event"] == "slice").collect();
    assert!(!slices.is_empty(), "{events:#?}");
    let sum = |counts: &serde_json::Value| -> u64 {
        counts.as_object().into_iter().flat_map(|counts| counts.values()).filter_map(serde_json::Value::as_u64).sum()
    };
    for slice in slices {
        let came = sum(&slice["statuses"]) + sum(&slice["unanswered"]);
        assert_eq!(slice["due"].as_u64(), Some(came), "{slice}");
    }
}

#[tokio::test]
async fn services_that_are_to_stop_at_once_do_not_wait_for_each_other() {
    let sandbox = Sandbox::new();
    let folder = scenarios::shipped();
    let text = std::fs::read_to_string(folder.join("gateway_stops.toml")).unwrap();
    let both =
        "\n[[fault]]\nname = \"too\"\non = \"product-service\"\neffect = \"stop\"\nat = \"2500ms\"\nfor = \"1500ms\"\n";
    let file = sandbox.write("both.toml", format!("system = {:?}\n{text}{both}", folder.join("system.toml")));
    let slow = format!("{file} --set service.gateway.env.GATEWAY_DRAIN_DELAY=400ms");
    let both = sim(&sandbox, &slow).await;
    both.exited(0).said("2.5s  stopped begins").said("2.5s  too begins");
}
