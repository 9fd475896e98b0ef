//! Whoever has the token steers the proxies, whatever strangers do to them: with all descriptors taken and more clients
//! knocking from several processes, a loop, heads and bodies that never come, and a log that nobody reads.

use crate::support::{Sandbox, ask};
use rustix::process::Signal;
use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    task::JoinSet,
    time::{Instant, timeout},
};

/// Descriptors of the proxies: few, so that they are soon taken.
const DESCRIPTORS: u32 = 256;
/// Processes that attack.
const ATTACKERS: usize = 4;
/// Variable of a process that attacks: where the full link, the loop and the control server are, and the token.
const ATTACK: &str = "ATTACK";
/// Time that a lease lives without being renewed.
const TTL: Duration = Duration::from_secs(4);
/// The promise is a second; a debug build beside other tests has more time.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time between two attempts of an attacker, and between two bytes of one that is slow.
const SOON: Duration = Duration::from_millis(20);

/// Everything that goes on until it is dropped.
#[derive(Default)]
struct Background(JoinSet<()>);

impl Background {
    #[expect(clippy::disallowed_methods, reason = "the test's own tasks, in no world")]
    fn add(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    /// A service that does this with each connection; its address.
    fn service<F>(&mut self, serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("it can be");
        let listener = TcpListener::from_std(listener).expect("it can be registered");
        let address = listener.local_addr().expect("its address");
        self.add(async move {
            let mut open = Self::default();
            while let Ok((stream, _)) = listener.accept().await {
                open.add(serve(stream));
            }
        });
        address
    }

    /// Clients that connect anew whenever they are turned away. They say this, and then a byte at a time where they go on.
    fn clients(&mut self, count: usize, address: SocketAddr, text: &str, goes_on: bool) {
        for _ in 0..count {
            let text = text.to_owned();
            self.add(async move {
                loop {
                    // However it ends.
                    let _ = client(address, &text, goes_on).await;
                    tokio::time::sleep(SOON).await;
                }
            });
        }
    }
}

async fn client(address: SocketAddr, text: &str, goes_on: bool) -> std::io::Result<()> {
    let mut stream = ask::connect(address).await?;
    stream.write_all(text.as_bytes()).await?;
    if !goes_on {
        return stream.read(&mut [0]).await.map(drop);
    }
    loop {
        tokio::time::sleep(10 * SOON).await;
        stream.write_all(b"x").await?;
    }
}

async fn echo(mut stream: TcpStream) {
    let (mut read, mut write) = stream.split();
    // Until the client goes, however it goes.
    let _ = tokio::io::copy(&mut read, &mut write).await;
}

/// Sends everything back to where it came from.
async fn send_round(mut stream: TcpStream, to: SocketAddr) {
    if let Ok(mut next) = ask::connect(to).await {
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut next).await;
    }
}

/// Whoever has the token.
struct Owner {
    control: SocketAddr,
    token: String,
}

impl Owner {
    fn new(control: SocketAddr, folder: &Path) -> Self {
        let token = std::fs::read_to_string(folder.join("token")).expect("a token");
        Self { control, token: token.trim().to_owned() }
    }

    /// Sends a request on a connection of its own; gives the response, and how long it took.
    async fn asks(&self, method: &str, path: &str, body: &str) -> (String, Duration) {
        let Self { control, token } = self;
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n");
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        let began = Instant::now();
        let response = timeout(PATIENCE, ask::say(*control, &request)).await;
        let response = response.unwrap_or_else(|_| panic!("{method} {path}: no response in {PATIENCE:?}"));
        assert!(response.starts_with("HTTP/1.1 2"), "{method} {path}: {response}");
        (response, began.elapsed())
    }
}

fn link(name: &str, listen: SocketAddr, target: SocketAddr) -> String {
    format!("[[link]]\nname = \"{name}\"\nlisten = \"{listen}\"\ntarget = \"{target}\"\n")
}

/// A process that attacks until this is dropped: this program once more, as [`attacker`].
fn attack(told: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "lockout::attacker", "--ignored"]).env(ATTACK, told).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process of the attack: the test of it starts several"]
async fn attacker() {
    #[expect(clippy::disallowed_methods, reason = "a process of this test's own, which is told so")]
    let told = std::env::var(ATTACK).unwrap_or_default();
    let [full, round, control, token] = *told.split(' ').collect::<Vec<_>>() else { return };
    let [full, round, control] = [full, round, control].map(|address| address.parse().expect("an address"));
    let slow_body = |token: &str| {
        format!("POST /v2/lease HTTP/1.1\r\nauthorization: Bearer {token}\r\ncontent-length: 9999\r\n\r\n")
    };
    let most = usize::try_from(DESCRIPTORS).expect("few") / ATTACKERS;
    let mut attack = Background::default();
    // As many as the descriptors allow, which idle, and half as many again, which knock.
    attack.clients(most + most / 2, full, "", false);
    attack.clients(most / 4, round, "x", false);
    attack.clients(most / 2, control, "", false);
    attack.clients(most / 8, control, "GET /v2/links HTTP/1.1\r\nx: ", true);
    attack.clients(most / 8, control, &slow_body("guessed"), true);
    attack.clients(1, control, &slow_body(token), true);
    // Nothing comes, until whoever started this is gone.
    let _ = tokio::io::stdin().read(&mut [0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_locks_out_who_has_the_token() {
    let sandbox = Sandbox::new();
    let [control, full, healed, round] = [(); 4].map(|()| ask::free());
    let mut services = Background::default();
    let echoes = services.service(echo);
    let back = services.service(move |stream| send_round(stream, round));
    let links =
        link("client -> full", full, echoes) + &link("client -> healed", healed, echoes) + &link("a -> b", round, back);
    sandbox.write("proxies.toml", format!("[control]\nlisten = \"{control}\"\ntoken-file = \"token\"\n{links}"));
    let mut proxy = sandbox.chaos("proxy proxies.toml").with_descriptors(DESCRIPTORS).start();
    proxy.line("the control server listens").await;
    let owner = Owner::new(control, sandbox.path());
    let mut client = ask::connect(healed).await.expect("a connection");
    client.write_all(b"a").await.expect("it is open");
    assert_eq!(client.read_u8().await.expect("an echo"), b'a');

    let told = format!("{full} {round} {control} {}", owner.token);
    let attack: Vec<Child> = (0..ATTACKERS).map(|_| attack(&told)).collect();
    proxy.line("a connection is turned away").await;

    let mut times = Vec::new();
    for _ in 0..21 {
        times.push(owner.asks("GET", "/v2/links", "").await.1);
    }
    times.sort_unstable();
    eprintln!("the control API answers in {:?}, at most {:?}", times[times.len() / 2], times[times.len() - 1]);
    let lease = format!("{{\"holder\": \"me\", \"ttl_ms\": {}, \"seed\": 1}}", TTL.as_millis());
    let (granted, _) = owner.asks("POST", "/v2/lease", &lease).await;
    let id = granted.split("\"id\":\"").nth(1).and_then(|rest| rest.get(..16)).expect("an id");
    let fault = r#"{"link": "client -> healed", "message": {"apply": {"name": "f", "on": "client -> healed", "effect": "hang"}}}"#;
    owner.asks("POST", &format!("/v2/lease/{id}/messages"), fault).await;
    client.write_all(b"b").await.expect("it is open");
    let asked = Instant::now();
    owner.asks("PUT", &format!("/v2/lease/{id}"), "").await;
    let answered = Instant::now();
    assert_eq!(timeout(TTL + PATIENCE, client.read_u8()).await.expect("it heals").expect("an echo"), b'b');
    assert!(asked.elapsed() >= TTL, "{:?}: the fault was not there", asked.elapsed());
    eprintln!("clean {:?} after the lease lapsed", answered.elapsed().saturating_sub(TTL));
    let (links, _) = owner.asks("GET", "/v2/links", "").await;
    assert!(links.contains("\"turned_away\":"), "{links}");

    drop(attack);
    proxy.signal(Signal::TERM);
    proxy.finish().await.exited(0);
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_up_no_proxy() {
    let sandbox = Sandbox::new();
    let [control, through] = [(); 2].map(|()| ask::free());
    let mut services = Background::default();
    let link = link("client -> echo", through, services.service(echo)) + "protocol = \"http\"\n";
    sandbox.write("proxies.toml", format!("[control]\nlisten = \"{control}\"\ntoken-file = \"token\"\n{link}"));
    let mut proxy = sandbox.chaos("proxy proxies.toml").env("RUST_LOG", "trace").start();
    proxy.line("the control server listens").await;
    let owner = Owner::new(control, sandbox.path());
    // From here on nobody reads what it logs, for each request: a kilobyte.
    let request = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100));
    for _ in 0..300 {
        let mut client = ask::connect(through).await.expect("a connection");
        client.write_all(request.as_bytes()).await.expect("it is open");
        let echoed = timeout(PATIENCE, client.read_u8()).await.expect("traffic passes");
        assert_eq!(echoed.expect("an echo"), b'G');
    }
    owner.asks("GET", "/v2/links", "").await;
    proxy.signal(Signal::TERM);
    let ended = proxy.finish().await;
    ended.exited(0);
    // More than a pipe and whoever read its beginning hold.
    assert!(ended.out.len() > 200_000, "it logs too little for this test: {}", ended.out.len());
}
