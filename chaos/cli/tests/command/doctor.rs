//! Tests of `chaos doctor`: what it says of this machine is what a run finds.

use crate::support::Sandbox;

#[tokio::test]
async fn it_says_what_is_there_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    let run = sandbox.chaos("doctor --world sim,local").run().await;
    run.exited(0).said("sim      ready").said("local    ready").said("earlier runs    ok left nothing");
    let cores = std::thread::available_parallelism().expect("it has some");
    run.said(&format!("  cores           ok {cores}"));
    assert!(run.out.lines().all(|line| line.chars().count() <= 80), "{run}");
    sandbox.assert_clean();
}

#[tokio::test]
async fn what_is_missing_is_named_with_what_to_do() {
    let sandbox = Sandbox::new();
    // Where nothing is on the path, and no engine answers.
    let bare = |arguments: &str| {
        sandbox.chaos(arguments).env("PATH", "/nowhere").env("DOCKER_HOST", "unix:///nowhere/docker.sock")
    };
    let run = bare("doctor").run().await;
    run.exited(0).said("local    ready").said("redis-server    -- none on the path");
    let few = sandbox.chaos("doctor").with_descriptors(1000).run().await;
    few.exited(0).said("open files      -- 1000 at the most");
    if cfg!(feature = "docker") {
        run.said("docker   NOT READY").said("engine          NO none answers, unix:///nowhere/docker.sock");
        run.said("compose         -- none");
        bare("doctor --world local,docker").run().await.exited(3);
        bare("doctor --world local").run().await.exited(0);
    }
    sandbox.assert_clean();
}
