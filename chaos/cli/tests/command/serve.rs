//! `chaos serve`: each built-in program in the foreground.

use crate::support::{Sandbox, ask};
use rustix::process::Signal;
use serde_json::Value;
use std::net::SocketAddr;

/// Paths and texts by which a program is seen to be there.
const HTTP: [(&str, &str); 4] = [
    ("gateway", "/health/live"),
    ("user-service", "/users/7"),
    ("order-service", "/orders/user/7"),
    ("product-service", "/health"),
];

/// Starts a program on a port that the kernel chooses, says something to it, and stops it.
async fn served(program: &str, say: &str, expected: &str) {
    let sandbox = Sandbox::new();
    let mut run = sandbox.chaos(&format!("serve {program}")).env("PORT", "0").start();
    let line: Value = serde_json::from_str(&run.line("listening").await).expect("logs are JSON lines");
    let port = line["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("its port");
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let response = ask::say(address, say).await;
    assert!(response.starts_with(expected), "{program}: {response}");
    run.signal(Signal::TERM);
    let run = run.finish().await;
    run.exited(0);
    assert_eq!(run.err, "", "{program}");
    sandbox.assert_clean();
}

#[tokio::test]
async fn each_program_answers_and_stops_on_sigterm() {
    for (program, path) in HTTP {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        served(program, &request, "HTTP/1.1 200 ").await;
    }
    served("redis", "PING\r\nQUIT\r\n", "+PONG\r\n+OK\r\n").await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_refused_with_those_that_are() {
    let sandbox = Sandbox::new();
    let run = sandbox.chaos("serve postgres").run().await;
    run.exited(2).complained("this build brings no program called `postgres`").complained("gateway, user-service");
}

#[tokio::test]
async fn a_setting_that_cannot_be_used_is_named() {
    let sandbox = Sandbox::new();
    let run = sandbox.chaos("serve user-service").env("PORT", "http").run().await;
    run.exited(1).complained("user-service: ").complained("PORT");
}
