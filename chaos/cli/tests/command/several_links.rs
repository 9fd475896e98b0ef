//! A fault on several links: it counts on each by itself, and is told in sum and by link.

use crate::support::{Sandbox, scenarios};

fn several(sandbox: &Sandbox, on: &str) -> String {
    let system = scenarios::shipped().join("system.toml");
    let text = format!(
        r#"
title = "Two services refuse once each"
system = {system:?}

[set]
"service.gateway.env.GATEWAY_CACHE" = "off"

[load]
request   = "GET /api/profile/{{user}}"
rate      = "50/s"
duration  = "3s"
vars.user = "uniform 1..1000"

[[fault]]
name   = "refusal"
on     = {on}
effect = "status"
status = "503"
only.nth = "2"
at     = "1s"
for    = "1s"

[[expect]]
that   = "both were asked"
during = "refusal"
calls.'gateway -> user-service'  = "> 10"
calls.'gateway -> order-service' = "> 10"
"#
    );
    sandbox.write("several.toml", text)
}

#[tokio::test]
async fn each_link_counts_by_itself_and_is_told_by_itself() {
    let sandbox = Sandbox::new();
    let file = several(&sandbox, r#"["gateway -> user-service", "gateway -> order-service"]"#);
    let run = sandbox.chaos(&format!("run --world sim {file} --json run.jsonl")).run().await;
    run.exited(0).said("status 503 on gateway -> user-service and gateway -> order-service");
    let recorded = std::fs::read_to_string(sandbox.path().join("run.jsonl")).expect("it was recorded");
    let removed = recorded.lines().find(|line| line.contains("\"fault_removed\"")).expect("it was taken back");
    let removed: serde_json::Value = serde_json::from_str(removed).expect("an event");
    assert_eq!(removed["fired"]["messages"], 2, "the second on each: {removed}");
    for link in ["gateway -> user-service", "gateway -> order-service"] {
        assert_eq!(removed["links"][link]["messages"], 1, "{removed}");
        assert!(run.out.replace("\n", " ").contains(link), "{run}");
        let met = format!("\"event\":\"injected\",\"fault\":\"refusal\",\"link\":\"{link}\"");
        assert!(recorded.contains(&met), "{link}: its injections");
    }
    run.said("2 requests on 2 connections");
}
