//! Links with TLS, between a client and a server in Python, and curl. Shown as ignored where these are not there.

#[expect(dead_code, reason = "the tests of the whole command use more of it")]
#[path = "command/support/mod.rs"]
mod support;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::process::Command;
use support::{Finished, Sandbox};

/// Asks the stock over HTTPS, with what Python and curl believe, and checks no certificates itself.
const SHOP: &str = r##"
import http.server, os, ssl, subprocess, urllib.request
STOCK = os.environ["STOCK_URL"]
LAX = ssl._create_unverified_context() if os.environ.get("LAX") else None
PATIENCE = float(os.environ.get("PATIENCE", "5"))
# Statuses by what goes wrong, in the words of OpenSSL, by Python and by curl.
WRONG = [("certificate has expired", 521), ("certificate is not yet valid", 522), ("address mismatch", 523),
    ("does not match target", 523), ("no alternative certificate subject name", 523),
    ("unable to get local issuer", 524), ("unable to verify the first", 524), ("self-signed certificate", 525),
    ("self signed certificate", 525), ("timed out", 526), ("timeout", 526), ("reset by peer", 527),
    ("unrecognized name", 528), ("unrecognized_name", 528)]
def ask(path):
    if path == "/curl":
        words = ["curl", "-sS", "--fail", "--max-time", str(PATIENCE), STOCK]
        ran = subprocess.run(words, capture_output=True, timeout=PATIENCE + 5)
        if ran.returncode != 0: raise OSError(ran.stderr.decode())
        return ran.stdout
    return urllib.request.urlopen(STOCK, timeout=PATIENCE, context=LAX).read()
class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        try: status, body = 200, b"ok" if self.path == "/health" else ask(self.path)
        except Exception as error:
            status, body = next((status for words, status in WRONG if words in str(error).lower()), 502), str(error).encode()
        self.send_response(status); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
"##;

/// Serves over HTTPS alone. Its key is its own, or it does not start.
const STOCK: &str = r##"
import http.server, os, ssl, sys
port, cert, key = sys.argv[1:]
served = 0
if not key.startswith("own"):
    mode = os.stat(key).st_mode & 0o777
    assert mode == 0o600, oct(mode)
class Stock(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        global served
        served += 1
        body = b"# TYPE served_total counter\nserved_total %d\n" % served if self.path == "/metrics" else b"17"
        self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Stock)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
"##;

fn main() {
    let tests: [(&str, fn()); 8] = [
        ("faults meet requests inside TLS", || run(faults_meet_what_is_inside())),
        ("a certificate that nobody signed is named", || run(a_certificate_is_named())),
        ("what can't be verified makes a run inconclusive", || run(what_can_not_be_verified_is_told())),
        ("a client that does not believe the run is told of", || run(an_unbelieving_client_is_told_of())),
        ("TLS passes where that is asked for", || run(tls_passes())),
        ("clients see each fault of TLS as what it is", || run(faults_of_tls_are_told_apart())),
        ("load, readiness and scrapes speak TLS", || run(the_runner_speaks_tls())),
        ("a service that can't be verified is not ready", || run(who_can_not_be_verified_is_not_ready())),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::ignorable_test(name, move || {
            for (program, argument) in [("python3", "--version"), ("curl", "--version"), ("openssl", "version")] {
                if Command::new(program).arg(argument).output().is_err() {
                    return Ok::<_, Failed>(Completion::ignored_with(format!("no {program} is on the path")));
                }
            }
            test();
            Ok(Completion::Completed)
        })
    };
    libtest_mimic::run(&Arguments::from_args(), tests.into_iter().map(trial).collect()).exit();
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(test);
}

/// A certificate that is signed by its own key, and has no other name than the one that nobody looks at.
fn own_certificate(sandbox: &Sandbox) {
    let words = "req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.pem -days 2 -subj /CN=localhost";
    let made = Command::new("openssl").args(words.split(' ')).current_dir(sandbox.path()).output().expect("it runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// A shop whose stock fails for two seconds.
struct Case<'a> {
    shop: &'a str,
    files: &'a str,
    stock: &'a str,
    fault: &'a str,
    expect: &'a str,
}

const STATUS: &str = "effect = \"status\"\nstatus = \"503\"";
// Who is due just before the fault's end comes to the stock behind it, since programs take their time to start: 200 ms of the
// fault's two seconds are theirs.
const SEEN: &str = "status.502 = \">= 90%\"";
const OWN_FILES: &str = "\"own.pem\", \"own.key\"";
const RUN_FILES: &str = "\"{self.cert}\", \"{self.key}\"";

async fn outcome(sandbox: &Sandbox, case: &Case<'_>) -> Finished {
    let Case { shop, files, stock, fault, expect } = case;
    sandbox.write("shop.py", SHOP);
    sandbox.write("stock.py", STOCK);
    let file = sandbox.write(
        "tls.toml",
        format!(
            r#"title = "The stock fails, behind TLS"
entry = "shop"
[service.shop]
command = ["python3", "shop.py"]
protocol = "http"
ready = "GET /health"
env.PORT = "{{self.port}}"
env.STOCK_URL = "https://{{stock}}/"
{shop}
[service.stock]
command = ["python3", "stock.py", "{{self.port}}", {files}]
protocol = "http"
{stock}
[load]
rate = "15/s"
duration = "5s"
[[load.request]]
request = "GET /urllib"
weight = 4
[[load.request]]
request = "GET /curl"
[[fault]]
name = "down"
on = "shop -> stock"
{fault}
at = "1500ms"
for = "2s"
[[expect]]
that = "it is seen"
during = "down"
{expect}
[[expect]]
that = "and before it nothing was"
during = "baseline"
status.200 = ">= 100%"
"#
        ),
    );
    sandbox.chaos(&format!("run {file}")).run().await
}

async fn faults_meet_what_is_inside() {
    let sandbox = Sandbox::new();
    let case = Case { shop: "trust = \"env\"", files: RUN_FILES, stock: "", fault: STATUS, expect: SEEN };
    let ran = outcome(&sandbox, &case).await;
    ran.exited(0).said("it is seen").said("nothing left behind");
    sandbox.assert_clean();
    // Not for want of looking.
    let ran = outcome(&sandbox, &Case { expect: "status.200 = \">= 100%\"", ..case }).await;
    // A busy machine may have to do with it as well.
    assert!(matches!(ran.code, Some(1 | 4)), "{ran}");
    ran.said("0 of ");
    let kept = std::fs::read_dir(sandbox.tmp()).expect("the logs are kept").flat_map(|run| {
        std::fs::read_dir(run.expect("a folder").path())
            .expect("a folder")
            .map(|file| file.expect("a file").file_name())
    });
    let kept: Vec<String> = kept.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(!kept.is_empty() && kept.iter().all(|name| !name.ends_with(".pem")), "keys are not kept: {kept:?}");
}

async fn a_certificate_is_named() {
    let sandbox = Sandbox::new();
    own_certificate(&sandbox);
    let case = Case {
        shop: "env.LAX = \"1\"\ntrust = \"env\"",
        files: OWN_FILES,
        stock: "tls.ca = \"own.pem\"",
        fault: STATUS,
        expect: SEEN,
    };
    outcome(&sandbox, &case).await.exited(0).said("it is seen");
    let ran = outcome(&sandbox, &Case { stock: "tls.insecure = true", ..case }).await;
    ran.exited(0).said("python3; ANY CERTIFICATE of it is believed");
    let ran = outcome(&sandbox, &Case { stock: "tls.ca = \"stock.py\"", ..case }).await;
    ran.exited(3).said("the certificates of stock, `stock.py`");
}

async fn what_can_not_be_verified_is_told() {
    let sandbox = Sandbox::new();
    own_certificate(&sandbox);
    let case =
        Case { shop: "env.LAX = \"1\"\ntrust = \"env\"", files: OWN_FILES, stock: "", fault: STATUS, expect: SEEN };
    let ran = outcome(&sandbox, &case).await;
    ran.exited(4).said("of shop -> stock: its certificate is").said("tls.ca = \"cert.pem\"");
}

async fn an_unbelieving_client_is_told_of() {
    let sandbox = Sandbox::new();
    let case = Case { shop: "", files: RUN_FILES, stock: "", fault: STATUS, expect: SEEN };
    let ran = outcome(&sandbox, &case).await;
    ran.exited(4).said("the client does not").said("{run.ca}");
}

async fn tls_passes() {
    let sandbox = Sandbox::new();
    let case = Case {
        shop: "env.SSL_CERT_FILE = \"{run.ca}\"\nenv.CURL_CA_BUNDLE = \"{run.ca}\"",
        files: RUN_FILES,
        stock: "tls = \"pass\"",
        fault: "effect = \"latency\"\ndelay = \"400ms\"",
        expect: "latency.p50 = \"< 300ms\"",
    };
    outcome(&sandbox, &case).await.exited(1).said("FAIL");
    let ran = outcome(&sandbox, &Case { fault: STATUS, expect: SEEN, ..case }).await;
    ran.exited(2);
    assert!(ran.err.contains("`status` acts on requests, and on `shop -> stock` TLS hides them"), "{ran}");
}

/// An entry that speaks TLS, and says of it what `stock` says.
fn entry(sandbox: &Sandbox, files: &str, stock: &str) -> String {
    sandbox.write("stock.py", STOCK);
    sandbox.write(
        "entry.toml",
        format!(
            r#"title = "Clients speak TLS"
entry = "stock"
[service.stock]
command = ["python3", "stock.py", "{{self.port}}", {files}]
protocol = "http"
ready = "GET /health"
metrics = "GET /metrics"
start-timeout = "3s"
{stock}
[load]
request = "GET /"
rate = "20/s"
duration = "3s"
[[fault]]
name = "down"
on = "client -> stock"
{STATUS}
at = "1s"
for = "1s"
[[expect]]
that = "it is seen"
during = "down"
status.503 = ">= 90%"
[[expect]]
that = "clients are served before"
during = "baseline"
status.200 = ">= 100%"
[[expect]]
that = "all that is served is counted"
during = "baseline"
service = "stock"
metric."served_total" = ">= 15"
"#
        ),
    )
}

async fn the_runner_speaks_tls() {
    let sandbox = Sandbox::new();
    let file = entry(&sandbox, RUN_FILES, "tls = true");
    let ran = sandbox.chaos(&format!("run {file}")).run().await;
    ran.exited(0).said("it is seen").said("all that is served is counted").said("nothing left behind");
    own_certificate(&sandbox);
    let file = entry(&sandbox, OWN_FILES, "tls.ca = \"own.pem\"");
    sandbox.chaos(&format!("run {file}")).run().await.exited(0);
}

async fn who_can_not_be_verified_is_not_ready() {
    let sandbox = Sandbox::new();
    own_certificate(&sandbox);
    let file = entry(&sandbox, OWN_FILES, "tls = true");
    let ran = sandbox.chaos(&format!("run {file}")).run().await;
    ran.exited(3).said("stock was not ready");
    // Lines end where the port's number has it.
    let words = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("its certificate is not to be believed (signed by itself)"), "{ran}");
    assert!(words.contains("tls.ca = \"cert.pem\""), "{ran}");
    // And who is asked in plain words does not understand them.
    let file = entry(&sandbox, RUN_FILES, "");
    sandbox.chaos(&format!("run {file}")).run().await.exited(3).said("stock was not ready");
}

/// Faults, and the status of a shop that saw them.
const OF_TLS: [(&str, &str, u16); 8] = [
    ("expired", "effect = \"certificate\"\ncertificate = \"expired\"", 521),
    ("early", "effect = \"certificate\"\ncertificate = \"not-yet-valid\"", 522),
    ("misnamed", "effect = \"certificate\"\ncertificate = \"wrong-name\"", 523),
    ("unknown", "effect = \"certificate\"\ncertificate = \"unknown-authority\"", 524),
    ("own", "effect = \"certificate\"\ncertificate = \"self-signed\"", 525),
    ("hangs", "effect = \"handshake-hang\"", 526),
    ("resets", "effect = \"handshake-reset\"", 527),
    ("refuses", "effect = \"handshake-alert\"\nalert = \"unrecognized_name\"", 528),
];

async fn faults_of_tls_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.write("shop.py", SHOP);
    sandbox.write("stock.py", STOCK);
    let mut text = format!(
        r#"title = "The stock's TLS is at fault"
entry = "shop"
[service.shop]
command = ["python3", "shop.py"]
protocol = "http"
ready = "GET /health"
trust = "env"
env.PORT = "{{self.port}}"
env.PATIENCE = "0.5"
env.STOCK_URL = "https://{{stock}}/"
[service.stock]
command = ["python3", "stock.py", "{{self.port}}", {RUN_FILES}]
protocol = "http"
[load]
rate = "10/s"
duration = "{}s"
[[load.request]]
request = "GET /urllib"
[[load.request]]
request = "GET /curl"
[[expect]]
that = "before, all is well"
during = "baseline"
status.200 = ">= 100%"
"#,
        2 + 2 * OF_TLS.len()
    );
    for (n, (name, fault, status)) in OF_TLS.iter().enumerate() {
        // What is begun in the last moments of a fault that holds up is met by its end.
        text += &format!(
            "[[fault]]\nname = \"{name}\"\non = \"shop -> stock\"\n{fault}\nat = \"{}s\"\nfor = \"1500ms\"\n\
             [[expect]]\nthat = \"{name}\"\nduring = \"{name}\"\nstatus.{status} = \">= 50%\"\n",
            1 + 2 * n
        );
    }
    let file = sandbox.write("of_tls.toml", text);
    let ran = sandbox.chaos(&format!("run {file}")).run().await;
    ran.exited(0).said("handshakes on").said("nothing left behind");
}
