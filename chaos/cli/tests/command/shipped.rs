//! The first scenario that people run, on a machine that has nothing and whose usual ports are taken.

use crate::support::{Sandbox, scenarios};
use std::net::TcpListener;

/// Ports of the bundled system when it is started by hand.
const USUAL_PORTS: [u16; 5] = [8000, 8001, 8002, 8003, 6379];

#[tokio::test]
async fn redis_down_passes_with_the_built_in_redis() {
    let sandbox = Sandbox::new();
    let file = scenarios::redis_down(&sandbox);
    let command = format!("run {file} {} --set service.redis.program=redis-built-in", scenarios::SHORTER);
    let run = sandbox.chaos(&command).run().await;
    run.exited(0).said("Redis goes down under load").said("redis (built in)").said("gateway (built in)");
    run.said("outage begins: refuse on gateway -> redis").said("outage ends: 1 connection reset");
    run.said("PASS in ").said("all 3 expectations held").said("nothing left behind");
    sandbox.assert_clean();
}

#[tokio::test]
async fn it_needs_no_program_of_the_machine_and_none_of_the_usual_ports() {
    // What something else has already is taken too.
    let _taken: Vec<_> = USUAL_PORTS.iter().map(|port| TcpListener::bind(("127.0.0.1", *port))).collect();
    let sandbox = Sandbox::new();
    let file = scenarios::redis_down(&sandbox);
    let command = format!("run {file} {} --set service.redis.program=redis", scenarios::SHORTER);
    let run = sandbox.chaos(&command).env("PATH", "").run().await;
    run.exited(0).said("redis (built in)");
    sandbox.assert_clean();
}
