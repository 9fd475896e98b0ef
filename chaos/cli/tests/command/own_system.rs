//! Systems of one's own, in processes: how each service shows that it is ready, its ports, the commands around it, and what
//! runs already.

use crate::support::{Sandbox, ask::connect, processes};
use std::{path::Path, time::Duration};

/// A server in Python: on a port, and on another one with what is for its operator. It is deaf for some seconds, writes a line
/// once it serves, and may read a file that its setup has made.
const SERVER: &str = r##"
import os, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

served = 0

class Public(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def respond(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        global served
        served += 1
        self.respond(200, b"ok")

class Admin(Public):
    def do_GET(self):
        if self.path == "/metrics":
            self.respond(200, b"# TYPE served_total counter\nserved_total %d\n" % served)
        else:
            self.respond(200 if self.path == "/health" else 404, b"")

late = float(os.environ.get("LATE", "0"))
print("Starting", flush=True)
time.sleep(late)
public = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Public)
if "ADMIN" in os.environ:
    admin = ThreadingHTTPServer(("127.0.0.1", int(os.environ["ADMIN"])), Admin)
    threading.Thread(target=admin.serve_forever, daemon=True).start()
print("Listening on " + os.environ["PORT"], flush=True)
public.serve_forever()
"##;

/// A scenario with such a server as its entry, these keys of it, and these other parts.
fn scenario(keys: &str, parts: &str) -> String {
    format!(
        "title = \"A system of one's own\"\nentry = \"shop\"\n\n[service.shop]\ncommand = [\"python3\", \
         \"server.py\"]\nprotocol = \"http\"\nenv.PORT = \"{{self.port}}\"\n{keys}\n\n[load]\nrequest = \"GET \
         /\"\nrate = \"40/s\"\nduration = \"1500ms\"\n\n[[expect]]\nthat = \"it serves\"\nstatus.200 = \">= \
         99%\"\n\n{parts}"
    )
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("server.py", SERVER);
    sandbox
}

/// A command that connects to the service, and then does this.
fn connects(then: &str) -> String {
    let connect = "import os, socket; socket.create_connection(('127.0.0.1', int(os.environ['PORT'])))";
    format!("[\"python3\", \"-c\", \"{connect}{then}\"]")
}

/// Runs a scenario that passes, and gives what was printed.
async fn passes(sandbox: &Sandbox, text: String) -> String {
    let file = sandbox.write("own.toml", text);
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.said("nothing left behind");
    // A machine that runs many tests at once may be too busy for a verdict, and then its logs are kept.
    assert!(matches!(run.code, Some(0 | 4)) && !run.out.contains("FAIL  "), "{run}");
    assert_eq!(processes::within(sandbox.path()), [], "processes are left");
    run.out
}

#[tokio::test]
async fn a_slow_starter_is_ready_by_whatever_its_file_says() {
    for ready in ["\"GET /\"", "\"tcp\"", "\"log Listening on\"", &connects("")] {
        let sandbox = sandbox();
        let out = passes(&sandbox, scenario(&format!("env.LATE = \"1\"\nready = {ready}"), "")).await;
        // Nobody was asked too early: each request was answered.
        assert!(out.contains("100%"), "{ready}: {out}");
    }
}

/// A kill, after which the server starts anew and takes its time again: the line of its first start says nothing of that.
#[tokio::test]
async fn a_line_of_the_output_counts_from_the_last_start() {
    let sandbox = sandbox();
    let fault = "[[fault]]\nname = \"gone\"\non = \"shop\"\neffect = \"kill\"\nat = \"300ms\"\nfor = \"300ms\"\n";
    let text = scenario("env.LATE = \"1\"\nready = \"log Listening*on\"", fault).replace(">= 99%", ">= 1%");
    let file = sandbox.write("own.toml", text);
    let run = sandbox.chaos(&format!("run {file} --json run.jsonl")).run().await;
    let recorded = std::fs::read_to_string(sandbox.path().join("run.jsonl")).expect("it was recorded");
    let back = recorded.lines().find(|line| line.contains("service_back")).expect("it comes back");
    let took = back.split("\"took_us\":").nth(1).and_then(|rest| rest.split([',', '}']).next());
    let took: u64 = took.and_then(|took| took.parse().ok()).expect("the time that it took");
    assert!(took >= 1_000_000, "it was said to be ready after {took} us: {run}");
}

#[tokio::test]
async fn a_service_that_is_never_ready_is_told_with_what_it_was_asked() {
    for (ready, why) in [
        ("\"log Nobody says this\"", "it has not written `Nobody says this` yet"),
        ("[\"sh\", \"-c\", \"echo not yet; exit 3\"]", "and said `not yet`"),
        ("\"GET :admin/never\"", "404"),
    ] {
        let sandbox = sandbox();
        let keys =
            format!("start-timeout = \"1s\"\nports.admin = 1\nenv.ADMIN = \"{{self.port.admin}}\"\nready = {ready}");
        let file = sandbox.write("own.toml", scenario(&keys, ""));
        let run = sandbox.chaos(&format!("run {file}")).run().await;
        run.exited(3);
        // Lines are broken where the terminal ends.
        let out = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(out.contains("shop was not ready after 1s") && out.contains(why), "{run}");
        run.said("nothing left behind");
        assert_eq!(processes::within(sandbox.path()), [], "processes are left");
    }
}

#[tokio::test]
async fn metrics_and_readiness_may_be_at_a_port_of_their_own() {
    let sandbox = sandbox();
    let keys = "ports.admin = 8081\nenv.ADMIN = \"{self.port.admin}\"\nready = \"GET :admin/health\"\nmetrics = \"GET \
                :admin/metrics\"";
    let expect = "[[expect]]\nthat = \"it counts\"\nduring = \"run\"\nmetric.served_total = \">= 30\"\n";
    passes(&sandbox, scenario(keys, expect)).await;
}

#[tokio::test]
async fn setup_and_teardown_run_around_the_service_in_its_folder() {
    let sandbox = sandbox();
    std::fs::create_dir(sandbox.path().join("shop")).expect("a folder");
    sandbox.write("shop/run.sh", "cat data && exec python3 ../server.py\n");
    let keys = "working-dir = \"shop\"\nsetup = [[\"sh\", \"-c\", \"echo $PORT > data\"], [\"cp\", \"data\", \
                \"seen\"]]\nteardown = [[\"rm\", \"data\"]]\nready = \"GET /\"";
    let text = scenario(keys, "").replace("\"python3\", \"server.py\"", "\"sh\", \"run.sh\"");
    passes(&sandbox, text).await;
    // Without what its setup has made, the service would not have started.
    assert!(!sandbox.path().join("shop/data").exists(), "the teardown was not run");
    assert!(sandbox.path().join("shop/seen").exists(), "the setup's second command was not run");
}

#[tokio::test]
async fn a_setup_that_fails_is_told_with_its_last_lines_and_tidied_up() {
    for (command, how) in [
        ("echo no schema >&2; exit 4", "ended with exit status: 4"),
        ("echo no schema; sleep 60", "had not ended after 1s and was killed"),
    ] {
        let sandbox = sandbox();
        let keys = format!(
            "setup = [[\"touch\", \"made\"], [\"sh\", \"-c\", \"{command}\"]]\nteardown = [[\"mv\", \"made\", \
             \"tidied\"]]\nsetup-timeout = \"1s\""
        );
        let file = sandbox.write("own.toml", scenario(&keys, ""));
        let run = sandbox.chaos(&format!("run {file}")).run().await;
        run.exited(3);
        run.said("the setup of shop failed").said(how).said("no schema").said("nothing left behind");
        assert!(sandbox.path().join("tidied").exists(), "{run}");
        assert_eq!(processes::within(sandbox.path()), [], "processes are left");
    }
}

#[tokio::test]
async fn a_teardown_that_fails_is_told_and_the_others_are_run() {
    let sandbox = sandbox();
    let keys = "teardown = [[\"sh\", \"-c\", \"echo schema is in use; exit 5\"], [\"touch\", \"other\"]]";
    let file = sandbox.write("own.toml", scenario(keys, ""));
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.said("LEFT BEHIND").said("the teardown of shop").said("exit status: 5").said("schema is in use");
    assert!(sandbox.path().join("other").exists(), "{run}");
}

/// Kills the runner with SIGKILL while the system is up: the supervisor runs what comes after the service.
#[tokio::test]
async fn a_teardown_is_run_also_where_the_runner_is_killed() {
    let sandbox = sandbox();
    let keys = "teardown = [[\"sh\", \"-c\", \"echo down > torn\"]]";
    let file = sandbox.write("own.toml", scenario(keys, "").replace("1500ms", "60s"));
    let mut started = sandbox.chaos(&format!("run {file}")).start();
    started.line("ready in").await;
    assert!(!sandbox.path().join("torn").exists(), "it is run after the end alone");
    started.signal(rustix::process::Signal::KILL);
    until(|| sandbox.path().join("torn").exists()).await;
    until(|| processes::within(sandbox.path()).is_empty()).await;
}

async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it comes to that");
}

/// A server that others have started, on a port of this machine.
async fn running(folder: &Path) -> (tokio::process::Child, u16) {
    let port = free_port();
    let child = tokio::process::Command::new("python3")
        .arg(folder.join("server.py"))
        .env("PORT", port.to_string())
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("python3 is there");
    let listens = async {
        while connect(([127, 0, 0, 1], port).into()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), listens).await.expect("it listens");
    (child, port)
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

#[tokio::test]
async fn what_runs_already_is_used_by_its_links_and_left_alone() {
    let sandbox = sandbox();
    let (mut other, port) = running(sandbox.path()).await;
    let service = format!("[service.stock]\naddress = \"127.0.0.1:{port}\"\nprotocol = \"http\"\nready = \"GET /\"\n");
    let fault = "[[fault]]\nname = \"refused\"\non = \"shop -> stock\"\neffect = \"refuse\"\nat = \"500ms\"\nfor = \
                 \"500ms\"\n[[expect]]\nthat = \"the shop goes without\"\nduring = \"refused\"\nstatus.200 = \">= \
                 99%\"\n";
    // It asks its stock each time, and goes without where it has none.
    sandbox.write(
        "shop.py",
        SERVER.replace(
            "        served += 1\n",
            "        served += 1\n        import urllib.request\n        try: \
             urllib.request.urlopen(os.environ['STOCK']).read()\n        except OSError: pass\n",
        ),
    );
    let text = scenario("env.STOCK = \"http://{stock}/\"\nready = \"tcp\"", &format!("{service}\n{fault}"));
    let file = sandbox.write("own.toml", text.replace("server.py", "shop.py"));
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.said("nothing left behind");
    assert!(matches!(run.code, Some(0 | 4)) && !run.out.contains("FAIL  "), "{run}");
    assert!(other.try_wait().expect("it can be asked").is_none(), "it was ended");
    let answered = connect(([127, 0, 0, 1], port).into()).await;
    answered.expect("it listens still");

    // What is not started here is not broken here.
    let kill = fault.replace("shop -> stock", "stock").replace("refuse\"", "kill\"");
    let text = scenario("env.STOCK = \"http://{stock}/\"", &format!("{service}\n{kill}"));
    let file = sandbox.write("kill.toml", text);
    let checked = sandbox.chaos(&format!("check {file}")).run().await;
    checked.exited(2);
    assert!(checked.err.contains("runs already, at its `address`"), "{checked}");
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.exited(2);
}

#[tokio::test]
async fn an_address_that_is_not_local_is_refused_unless_that_was_said() {
    let sandbox = sandbox();
    let service = "[service.stock]\naddress = \"192.0.2.1:80\"\n";
    let file = sandbox.write("own.toml", scenario("env.STOCK = \"{stock}\"", service));
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.exited(3);
    run.said("192.0.2.1:80").said("--allow-remote-targets");
}

#[tokio::test]
async fn what_another_world_lacks_is_refused_there_before_anything_starts() {
    let sandbox = sandbox();
    let program = "title = \"it\"\nentry = \"users\"\n[service.users]\nprogram = \"user-service\"\nKEY\n[load]\nrequest = \
                   \"GET /users/1\"\nrate = \"9/s\"\nduration = \"1s\"\n[[expect]]\nthat = \"it\"\nstatus.200 = \">= \
                   1%\"\n";
    for (world, key, why) in [
        ("sim", "setup = [[\"true\"]]", "has commands for its setup or teardown"),
        ("sim", "ready = [\"true\"]", "is ready by a command"),
        ("sim", "ready = \"log x\"", "is ready by a line of its output"),
        ("attach", "ready = \"log x\"", "is ready by a line of its output"),
        ("docker", "teardown = [[\"true\"]]", "has commands for its setup or teardown"),
        ("docker", "ready = [\"true\"]", "is ready by a command"),
    ] {
        let file = sandbox.write("own.toml", program.replace("KEY", key));
        let checked = sandbox.chaos(&format!("check {file} --world {world}")).run().await;
        checked.exited(2);
        assert!(checked.err.contains(why), "{world}, {key}: {checked}");
    }
}

/// A check whether a service is ready asks by the command, too: while the run goes on, and when the last of it is over.
#[tokio::test]
async fn a_check_of_readiness_asks_by_the_command() {
    let sandbox = sandbox();
    let keys = format!("ready = {}", connects(""));
    let expect = "[[expect]]\nthat = \"it is ready all the time\"\nduring = \"run\"\nready.shop = \">= 100%\"\n";
    passes(&sandbox, scenario(&keys, expect)).await;
    // Ready once, and never again.
    let keys = format!("ready = {}", connects("; open('up', 'x')"));
    let file = sandbox.write("own.toml", scenario(&keys, expect));
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.said("ready.shop >= 100%  0% (0 of ");
    assert!(matches!(run.code, Some(1 | 4)), "{run}");
}
