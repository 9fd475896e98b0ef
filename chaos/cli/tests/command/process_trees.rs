//! Services that are more than one process: start scripts, launchers and daemons. What is done to a service is done to all of
//! it, whatever parents, groups, sessions and environments its processes have, and clients see it.

use crate::support::{Sandbox, processes};

/// Runs a service whose start script is this, with `SERVER` in place of the server's command; it is frozen, and later killed.
async fn reached(script: &str) {
    let sandbox = Sandbox::new();
    let server = format!("{} serve user-service", env!("CARGO_BIN_EXE_chaos"));
    let script = script.replace("SERVER", &server);
    let text = format!(
        r#"
title = "A service of several processes"
entry = "users"

[service.users]
command     = ["bash", "-c", '''{script}''']
protocol    = "http"
ready       = "GET /health"
env.PORT    = "{{self.port}}"

[load]
request   = "GET /users/{{user}}"
rate      = "100/s"
duration  = "2500ms"
timeout   = "200ms"
vars.user = "uniform 1..1000"

[[fault]]
name   = "frozen"
on     = "users"
effect = "pause"
at     = "300ms"
for    = "700ms"

[[fault]]
name   = "killed"
on     = "users"
effect = "kill"
at     = "1500ms"
for    = "400ms"

[[expect]]
that       = "all are answered before"
during     = "baseline"
status.200 = ">= 99%"

# Those that wait as it wakes are answered.
[[expect]]
that       = "a frozen service answers nobody"
during     = "frozen"
status.200 = "<= 40%"

[[expect]]
that       = "all are answered in between"
during     = "1200ms..1500ms"
status.200 = ">= 99%"

[[expect]]
that       = "a killed service answers nobody"
during     = "killed"
status.200 = "== 0%"
"#
    );
    let file = sandbox.write("tree.toml", text);
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    // Starting a program may take longer than an edge may, where many tests run at once.
    assert!(matches!(run.code, Some(0 | 4)), "{run}");
    for held in ["before", "in between"] {
        run.said(&format!("ok    all are answered {held}"));
    }
    run.said("ok    a frozen service answers nobody").said("ok    a killed service answers nobody");
    run.said("nothing left behind");
    sandbox.assert_clean();
}

#[tokio::test]
async fn a_start_script_with_job_control_gives_the_server_a_process_group() {
    reached("set -m; SERVER").await;
}

#[tokio::test]
async fn a_start_script_gives_the_server_a_session() {
    reached("setsid SERVER & wait").await;
}

#[tokio::test]
async fn a_server_has_neither_environment_nor_output_nor_session_of_its_script() {
    reached("env -i PORT=$PORT setsid SERVER >/dev/null 2>&1 & wait").await;
}

#[tokio::test]
async fn a_server_is_started_anew_by_its_script_whenever_it_ends() {
    reached("while :; do SERVER; done").await;
}

#[tokio::test]
async fn a_script_that_ends_well_leaves_a_daemon_behind() {
    reached("setsid SERVER & exit 0").await;
}

#[tokio::test]
async fn a_daemon_has_forgotten_whose_it_was() {
    reached("(env -i PORT=$PORT setsid SERVER >/dev/null 2>&1 &) ; exit 0").await;
}

#[tokio::test]
async fn a_script_that_fails_takes_what_it_left_with_it() {
    let sandbox = Sandbox::new();
    let server = format!("{} serve user-service", env!("CARGO_BIN_EXE_chaos"));
    let command = format!("[\"bash\", \"-c\", \"setsid {server} & sleep 1; exit 7\"]");
    let file = sandbox.write("tree.toml", crate::support::scenarios::by_command(&command));
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.said("users DIED: exit status: 7").said("nothing left behind");
    // Its logs are kept, since it did not pass.
    assert_eq!(processes::within(sandbox.path()), []);
}
