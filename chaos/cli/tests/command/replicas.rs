//! Services with several replicas: each with its own port, its own links and its own name; and faults on all of them, on some, and
//! on one.

use crate::support::Sandbox;

/// A server that says its port.
const SERVER: &str = r#"
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class One(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self):
        body = os.environ["PORT"].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), One).serve_forever()
"#;

/// What spreads requests over them, in turn: one that can't be reached is left out, and named in a header.
const BALANCER: &str = r#"
import itertools, os, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

APPS = os.environ["APPS"].split(",")
turns = itertools.cycle(range(len(APPS)))

class Balancer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self):
        first, down, by, body = next(turns), [], "none", b""
        for number in [(first + n) % len(APPS) for n in range(len(APPS))]:
            try:
                with urllib.request.urlopen("http://" + APPS[number] + "/", timeout=0.3) as response:
                    by, body = "app.%d" % (number + 1), response.read()
                    break
            except OSError:
                down.append("app.%d" % (number + 1))
        self.send_response(200 if body else 502)
        self.send_header("x-down", " ".join(down) or "none")
        self.send_header("x-served-by", by)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Balancer).serve_forever()
"#;

fn scenario(fault: &str, expectations: &str) -> String {
    let service = |name: &str, keys: &str| {
        format!(
            "[service.{name}]\ncommand = [\"python3\", \"{name}.py\"]\nprotocol = \"http\"\nready = \"GET \
             /\"\nenv.PORT = \"{{self.port}}\"\n{keys}\n"
        )
    };
    let (app, lb) = (service("app", "replicas = 3"), service("lb", "env.APPS = \"{app.all}\""));
    format!(
        "title = \"Replicas\"\nentry = \"lb\"\n{app}{lb}\n[load]\nrequest = \"GET /\"\nrate = \"40/s\"\nduration = \
         \"3s\"\n[[fault]]\nname = \"gone\"\n{fault}\nat = \"1s\"\nfor = \"1s\"\n{expectations}"
    )
}

async fn run(fault: &str, expectations: &str, seed: u64) -> crate::support::Finished {
    let sandbox = Sandbox::new();
    sandbox.write("app.py", SERVER);
    sandbox.write("lb.py", BALANCER);
    let file = sandbox.write("replicas.toml", scenario(fault, expectations));
    let run = sandbox.chaos(&format!("run {file} --seed {seed}")).run().await;
    run.said("nothing left behind");
    // A machine that runs many tests at once may be too busy for a verdict; none is against the system.
    assert!(matches!(run.code, Some(0 | 4)) && !run.out.contains("FAIL  "), "{run}");
    run
}

/// An expectation on the share of responses that name this one as down.
fn down(that: &str, which: &str, share: &str) -> String {
    format!("[[expect]]\nthat = \"{that}\"\nduring = \"gone\"\nheader.x-down = \"{share} {which}\"\n")
}

#[tokio::test]
async fn one_replica_is_killed_and_the_others_serve() {
    let fault = "on = \"app.2\"\neffect = \"kill\"";
    let expect = "[[expect]]\nthat = \"clients never notice\"\nstatus.200 = \">= 99%\"\n".to_owned();
    let run = run(fault, &(expect + &down("it is down", "== app.2", ">= 20%")), 1).await;
    run.said("kill on app.2").said("app.1").said("app.3");
}

#[tokio::test]
async fn the_link_to_one_replica_is_refused() {
    let fault = "on = \"lb -> app.3\"\neffect = \"refuse\"";
    run(fault, &down("it is down", "== app.3", ">= 20%"), 1).await.said("refuse on lb -> app.3");
}

#[tokio::test]
async fn a_fault_on_the_service_hits_all_of_them_and_one_on_its_link_all_links() {
    for fault in ["on = \"app\"\neffect = \"kill\"", "on = \"lb -> app\"\neffect = \"refuse\""] {
        let expect = "[[expect]]\nthat = \"nobody serves\"\nduring = \"gone\"\nstatus.502 = \">= 95%\"\n[[expect]]\nthat = \
                      \"all serve again\"\nafter = \"gone\"\nwithin = \"900ms\"\nstatus.200 = \">= 1%\"\n";
        let run = run(fault, expect, 1).await;
        run.said("app.1 and ").said("app.3");
        // The service is there again when the last of them is.
        let places = (run.out.rfind("is ready again"), run.out.rfind("recovery: "));
        if let (Some(back), Some(recovery)) = places {
            assert!(back < recovery, "{run}");
        }
    }
}

/// Which of them it is comes from the seed, and the same seed gives the same.
#[tokio::test]
async fn a_fault_on_one_of_them_is_on_the_one_that_the_seed_draws() {
    let fault = "on = \"app\"\neffect = \"pause\"\ninstances = \"1\"";
    let expect = "[[expect]]\nthat = \"clients never notice\"\nstatus.200 = \">= 99%\"\n";
    let mut drawn = Vec::new();
    for seed in [3, 3] {
        let run = run(fault, expect, seed).await;
        let line = run.out.lines().find(|line| line.contains("pause on app.")).expect("it says where it was");
        drawn.push(line.split("pause on ").nth(1).and_then(|on| on.split_whitespace().next()).map(str::to_owned));
    }
    assert_eq!(drawn[0], drawn[1]);
    assert!(drawn[0].as_ref().is_some_and(|on| on.starts_with("app.")));
}
