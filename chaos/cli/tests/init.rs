//! `chaos init` on systems of processes: what it sees, what it writes, and what it leaves alone. `docs/init.md`, which another test
//! follows, has the whole way from nothing to a report.

#[expect(dead_code, reason = "the tests of the whole command use more of it")]
#[path = "command/support/mod.rs"]
mod support;

use rustix::process::Signal;
use std::{path::Path, process::Stdio};
use support::Sandbox;

/// A service that says what it is, and asks a Redis, what speaks TLS, and what says nothing that anybody knows.
const SHOP: &str = r##"
import json, os, socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

def ask(name, first):
    if name not in os.environ: return
    host, port = os.environ[name].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=1) as there:
        there.sendall(first)
        there.recv(100)

DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/items/{item}": {"get": {"parameters": [
            {"name": "item", "in": "path", "required": True, "schema": {"type": "integer", "maximum": 9}}]}},
        "/secret": {"get": {}},
        "/orders": {"post": {}},
    },
}

class Shop(BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        status, page = 200, {"path": self.path}
        if self.path == "/secret":
            status = 401
        elif self.path == "/openapi.json" and "DOCUMENT" in os.environ:
            page = DOCUMENT
        elif self.path == "/":
            ask("CACHE", b"*1\r\n$4\r\nPING\r\n")
            ask("VAULT", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        elif not self.path.startswith("/items/") and self.path != "/health":
            status = 404
        body = json.dumps(page).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 0))), Shop)
print(server.server_port, flush=True)
server.serve_forever()
"##;

/// A service that says what a Redis says to `PING`, whatever comes: what speaks RESP is asked so whether it is ready.
const ECHO: &str = r##"
import socketserver, sys
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(1000): self.request.sendall(b"+PONG\r\n")
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True
Server(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
"##;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("shop.py", SHOP);
    sandbox.write("echo.py", ECHO);
    sandbox
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn files(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(sandbox.path().join(folder)).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Waits until the files are written, and interrupts the run that comes then; gives what was printed.
async fn until_written(sandbox: &Sandbox, command: support::Chaos) -> String {
    let mut running = command.start();
    running.line("wrote ").await;
    running.line("running ").await;
    running.signal(Signal::INT);
    let finished = running.finish().await;
    finished.exited(130);
    assert_eq!(support::processes::within(sandbox.path()), [], "processes are left");
    finished.out
}

#[tokio::test]
async fn commands_are_wired_and_what_their_links_speak_is_seen() {
    let sandbox = sandbox();
    let command = sandbox.chaos("init").argument("--command").argument("cache=python3 echo.py 9101");
    let command = command.argument("--command").argument("vault=python3 echo.py 9102").argument("--command");
    let command = command.argument("shop=PORT=9100 CACHE=127.0.0.1:9101 VAULT=localhost:9102 python3 shop.py");
    let out = until_written(&sandbox, command).await;
    assert!(out.contains("cache speaks RESP (Redis), vault speaks TLS, shop speaks HTTP"), "{out}");
    assert!(out.contains("used: shop -> cache, shop -> vault\n"), "{out}");
    assert_eq!(files(&sandbox, "chaos"), ["shop_cache.toml", "shop_vault.toml", "system.toml"]);
    insta::assert_snapshot!(read(&sandbox, "chaos/system.toml"));
    let cache = read(&sandbox, "chaos/shop_cache.toml");
    assert!(cache.contains("effect = \"error\"\nreply  = \"LOADING\"\n"), "{cache}");
    let vault = read(&sandbox, "chaos/shop_vault.toml");
    assert!(vault.contains("effect = \"reset\"\n"), "{vault}");
    sandbox.chaos("check").run().await.exited(0).said("chaos/shop_cache.toml: valid, 4 faults, 9 expectations");
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_is_left_of_what_fails() {
    let sandbox = sandbox();
    std::fs::create_dir(sandbox.path().join("chaos")).expect("a folder");
    sandbox.write("chaos/system.toml", "mine");
    let init = || sandbox.chaos("init --command").argument("shop=python3 shop.py");
    init().run().await.exited(2).complained("chaos/system.toml is there already, and nothing is overwritten");
    assert_eq!(read(&sandbox, "chaos/system.toml"), "mine");
    // One that never listens, in another folder.
    let run = sandbox.chaos("init --out other --command").argument("shop=sh -c 'exit 3'").run().await;
    run.exited(3).complained("no scenario was written").complained("exit status: 3");
    assert!(!sandbox.path().join("other").exists(), "{run}");
    for (arguments, wrong) in [
        ("init nowhere.yml", "there is no file nowhere.yml"),
        ("init --command shop", "`shop` needs a name before it"),
        ("init --command a=./a --command b=./b", "nothing says which of these services clients use: `a`, `b`"),
        ("init shop.py", "shop.py is neither a Compose file"),
        ("init localhost:1 --var a=uuid", "--var is for the requests of --request"),
        ("init localhost:1 localhost:2", "these are several systems"),
    ] {
        sandbox.chaos(&format!("{arguments} --out other")).run().await.exited(2).complained(wrong);
        assert!(!sandbox.path().join("other").exists(), "{arguments}");
    }
    sandbox.chaos("run other").run().await.exited(2);
    std::fs::remove_dir_all(sandbox.path().join("chaos")).expect("it can be removed");
    sandbox.chaos("run").run().await.exited(2).complained("there is no folder `chaos` here");
}

#[tokio::test]
async fn what_runs_already_is_asked_what_its_document_says_and_left_alone() {
    let sandbox = sandbox();
    // Its end is this test's: it stands elsewhere than what a run may leave.
    let mut shop = std::process::Command::new("python3");
    shop.arg(sandbox.path().join("shop.py")).env("DOCUMENT", "1").current_dir("/").stdout(Stdio::piped());
    let mut shop = shop.spawn().expect("python3 is there");
    let mut port = String::new();
    let out = shop.stdout.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut port).expect("it says its port");
    let out = until_written(&sandbox, sandbox.chaos(&format!("init localhost:{}", port.trim()))).await;
    let alive = shop.try_wait().expect("it can be asked").is_none();
    shop.kill().and_then(|()| shop.wait()).expect("it ends");
    assert!(alive, "it was ended: {out}");
    assert!(out.contains("left out: GET /secret (status 401, without a login"), "{out}");
    let system = read(&sandbox, "chaos/system.toml");
    assert!(system.contains(&format!("address  = \"127.0.0.1:{}\"", port.trim())), "{system}");
    assert!(system.contains("ready    = \"GET /health\""), "{system}");
    let scenario = read(&sandbox, "chaos/client_app.toml");
    for text in [
        "# Requests: the operations of /openapi.json, as app has it.",
        "# Left out: POST /orders (it may change what is there).",
        "request   = \"GET /items/{item}\"\n",
        "vars.item = \"uniform 1..9\"\n",
        "on     = \"client -> app\"\n",
    ] {
        assert!(scenario.contains(text), "no {text} in {scenario}");
    }
}

#[tokio::test]
async fn without_a_system_the_tutorials_example_is_written() {
    let sandbox = Sandbox::new();
    let out = until_written(&sandbox, sandbox.chaos("init")).await;
    assert!(out.starts_with("there is no system here: wrote an example (shop.py, stock.json, Procfile)\n"), "{out}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tutorial.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    assert!(page.contains(&format!("```python\n{}```", read(&sandbox, "shop.py"))), "the page has another shop");
    assert!(page.contains(&format!("```json\n{}```", read(&sandbox, "stock.json"))), "the page has another stock");
    assert_eq!(files(&sandbox, "chaos"), ["shop_stock.toml", "system.toml"]);
}
