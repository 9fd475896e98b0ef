//! `--metrics`: a run's own metrics in a file.

use crate::support::{Sandbox, scenarios};

#[tokio::test]
async fn the_file_has_what_came_of_the_run() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("one.toml", scenarios::passing());
    sandbox.chaos(&format!("run {file} --metrics run.prom")).run().await.exited(0);
    let text = std::fs::read_to_string(sandbox.path().join("run.prom")).expect("it is there");
    for line in [
        "chaos_run_info{file=\"one.toml\",title=\"One service\",world=\"local\",seed=\"1\"} 1",
        "chaos_run_active 0",
        "chaos_run_fault_active{fault=\"away\",on=\"client -> users\",effect=\"refuse\"} 0",
        "chaos_run_phase_available_ratio{phase=\"baseline\"} 1",
        "chaos_run_verdict{verdict=\"pass\"} 1",
    ] {
        assert!(text.lines().any(|there| there == line), "no {line} in\n{text}");
    }
    assert!(!sandbox.path().join("run.prom.new").exists(), "its draft became it");
}

#[tokio::test]
async fn a_place_for_no_file_is_refused_before_anything_starts() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("one.toml", scenarios::passing());
    let run = sandbox.chaos(&format!("run {file} --metrics nowhere/run.prom")).run().await;
    run.exited(2).complained("--metrics: can't write nowhere/run.prom");
}
