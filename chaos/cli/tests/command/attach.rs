//! The world `attach` with real processes: a system of `chaos serve`, proxies of `chaos proxy`, and runners that may
//! die.

use crate::support::{Chaos, Running, Sandbox, ask, scenarios::passing};
use rustix::process::Signal;
use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// A user service that runs, with a proxy before it.
struct System {
    sandbox: Sandbox,
    service: Running,
    proxy: Running,
    entry: u16,
}

/// A port below those that the kernel gives to outgoing connections, so that only tests like this one may take it.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(std::process::id() % 900).expect("below 900") * 10;
    for _ in 0..200 {
        let port = 21_000 + (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % 9000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

impl System {
    async fn start() -> Self {
        let sandbox = Sandbox::new();
        let (port, entry, control) = (free_port(), free_port(), free_port());
        // It would tell of each request, and stand still once nobody reads that.
        let service =
            sandbox.chaos("serve user-service").env("PORT", &port.to_string()).env("RUST_LOG", "error").start();
        while !ask::listens(SocketAddr::from(([127, 0, 0, 1], port))).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let proxies = format!(
            "[control]\nlisten = \"{control}\"\ntoken-file = \"token\"\n[[link]]\nname = \"client -> users\"\n\
             listen = \"{entry}\"\ntarget = \"localhost:{port}\"\nprotocol = \"http\"\n"
        );
        sandbox.write("proxies.toml", proxies);
        let attach = format!(
            "entry = \"127.0.0.1:{entry}\"\n[control]\nurl = \"http://127.0.0.1:{control}\"\ntoken-file = \"token\"\n\
             [service.users]\naddress = \"127.0.0.1:{port}\"\n"
        );
        sandbox.write("attach.toml", attach);
        let mut proxy = sandbox.chaos("proxy proxies.toml").start();
        proxy.line("the control server listens").await;
        Self { sandbox, service, proxy, entry }
    }

    fn run(&self, scenario: &str) -> Chaos {
        self.sandbox.chaos(&format!("run --world attach {scenario}"))
    }

    /// The profile that a user gets, through the proxy.
    async fn user(&self) -> String {
        ask::get(SocketAddr::from(([127, 0, 0, 1], self.entry)), "/users/7").await
    }

    /// Asserts that it runs on, and ends it.
    async fn stop(self) {
        assert!(self.user().await.starts_with("HTTP/1.1 200 "), "the system runs on");
        for running in [self.proxy, self.service] {
            running.signal(Signal::TERM);
            let ended = running.finish().await;
            ended.exited(0);
            assert_eq!(ended.err, "");
        }
        self.sandbox.assert_clean();
    }
}

#[tokio::test]
async fn a_scenario_runs_against_what_runs_already() {
    let system = System::start().await;
    let token = std::fs::metadata(system.sandbox.path().join("token")).expect("a token");
    assert_eq!(token.permissions().mode() & 0o777, 0o600, "for nobody else to read");
    system.sandbox.chaos("proxy proxies.toml --health").run().await.exited(0);
    system.sandbox.write("one.toml", passing());
    let run = system.run("one.toml").run().await;
    run.exited(0).said("world attach").said("runs already").said("nothing left behind; the system runs on");
    // The token may come by the environment, and where the system runs from another file.
    let text = std::fs::read_to_string(system.sandbox.path().join("attach.toml")).expect("a file");
    system.sandbox.write("there.toml", text.replace("token-file = \"token\"", "token-env = \"PROXY_TOKEN\""));
    let token = std::fs::read_to_string(system.sandbox.path().join("token")).expect("a token");
    let run = system.run("--attach there.toml one.toml").env("PROXY_TOKEN", &token).run().await;
    run.exited(0);
    let run = system.run("--attach there.toml one.toml").run().await;
    run.exited(3).said("the token is to be in PROXY_TOKEN, which is not set");
    let run = system.run("--attach there.toml one.toml").env("PROXY_TOKEN", "guessed").run().await;
    run.exited(3).said("the control server takes another token");
    system.stop().await;
}

/// A fault that lasts for longer than any test.
fn long() -> String {
    passing().replace("\"1500ms\"", "\"300s\"").replace("for    = \"400ms\"", "for    = \"290s\"")
}

#[tokio::test]
async fn a_runner_that_is_killed_leaves_a_system_that_is_well_within_a_second() {
    let system = System::start().await;
    system.sandbox.write("long.toml", long().replace("\"refuse\"", "\"hang\""));
    let mut run = system.run("long.toml").start();
    run.line("away begins").await;
    let mut second = system.run("long.toml").start();
    second.line("the lease is held by chaos run").await;
    second.finish().await.exited(3).said("long.toml, process");
    run.signal(Signal::KILL);
    let killed = Instant::now();
    // Held until the lease lapses, and not a moment longer.
    assert!(system.user().await.starts_with("HTTP/1.1 200 "));
    let took = killed.elapsed();
    eprintln!("clean {took:?} after the runner was killed");
    assert!(took >= Duration::from_millis(500), "it was clean too early, {took:?}: the fault was not there");
    // The promise is a second; a debug build beside other tests has more time.
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(run.finish().await.code, None);
    system.stop().await;
}

#[tokio::test]
async fn a_runner_that_stood_still_can_say_nothing() {
    let system = System::start().await;
    system.sandbox.write("long.toml", long());
    let mut run = system.run("long.toml").start();
    run.line("away begins").await;
    run.signal(Signal::STOP);
    let mut system = system;
    system.proxy.line("a lease lapsed").await;
    run.signal(Signal::CONT);
    let run = run.finish().await;
    run.exited(4).said("the lease on the proxies was lost");
    system.stop().await;
}

#[tokio::test]
async fn what_can_not_be_done_there_is_refused_before_anything_starts() {
    let sandbox = Sandbox::new();
    sandbox.write("service.toml", passing().replace("client -> users", "users").replace("\"refuse\"", "\"stop\""));
    let nowhere = sandbox.chaos("run --world attach service.toml").run().await;
    nowhere.exited(2).complained("there is no file `attach.toml`").complained("the world `attach` can't stop `users`");
    sandbox.write("one.toml", passing());
    let attach = "entry = \"127.0.0.1:1\"\n[control]\nurl = \"http://127.0.0.1:1\"\ntoken-file = \"token\"\n\
                  [service.users]\naddress = \"127.0.0.1:1\"\n";
    sandbox.write("attach.toml", attach);
    let set = sandbox.chaos("run --world attach --set service.users.env.DATA_SEED=7 one.toml").run().await;
    set.exited(2).complained("`service.users.env.DATA_SEED` can't be set in the world `attach`");
    let no_token = sandbox.chaos("run --world attach one.toml").run().await;
    no_token.exited(3).said("can't read the token of the proxies in token");
    sandbox.write("attach.toml", attach.replacen("127.0.0.1:1", "192.0.2.7:80", 1));
    let remote = sandbox.chaos("run --world attach one.toml").run().await;
    remote.exited(3).said("192.0.2.7:80 is not local, and was not allowed");
    sandbox.assert_clean();
}

#[tokio::test]
async fn proxies_lead_to_nothing_that_is_not_local_unless_both_say_so() {
    let sandbox = Sandbox::new();
    let (control, port) = (free_port(), free_port());
    let file = format!(
        "[control]\nlisten = \"{control}\"\ntoken-file = \"token\"\n[[link]]\nname = \"a -> b\"\nlisten = \"{port}\"\n\
         target = \"192.0.2.7:80\"\n"
    );
    sandbox.write("proxies.toml", &file);
    for arguments in ["proxy proxies.toml", "proxy proxies.toml --allow-remote-targets"] {
        let run = sandbox.chaos(arguments).run().await;
        run.exited(2).complained("192.0.2.7:80 is not local").complained("proxies.toml:7:10");
    }
    sandbox.write("proxies.toml", format!("{file}[targets]\nallow = [\"192.0.2.7:80\"]\n"));
    sandbox.chaos("proxy proxies.toml").run().await.exited(2).complained("--allow-remote-targets");
    let mut allowed = sandbox.chaos("proxy proxies.toml --allow-remote-targets").start();
    allowed.line("the control server listens").await;
    // Ports that are taken are the machine's refusal.
    let taken = sandbox.chaos("proxy proxies.toml --allow-remote-targets").run().await;
    taken.exited(3).complained(&format!("can't listen on 127.0.0.1:{control} (the control server)"));
    allowed.signal(Signal::TERM);
    allowed.finish().await.exited(0);
    sandbox.chaos("proxy proxies.toml --allow-remote-targets --health").run().await.exited(1);
    sandbox.assert_clean();
}

#[tokio::test]
async fn what_a_stranger_says_of_its_health_is_shown_in_plain() {
    let sandbox = Sandbox::new();
    let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let control = stranger.local_addr().expect("its address");
    let says = std::thread::spawn(move || {
        let (mut stream, _) = stranger.accept().expect("a connection");
        stream.read_exact(&mut [0; 16]).expect("a request");
        stream.write_all("\u{1b}[2Jall is well\u{202e}\r\n".as_bytes()).expect("it can be said");
        stream.shutdown(Shutdown::Write).expect("it can end");
        // Until the other side has read it: a close with bytes unread would be a reset.
        stream.read_to_end(&mut Vec::new()).map(drop)
    });
    let file = format!(
        "[control]\nlisten = \"{control}\"\ntoken-file = \"token\"\n[[link]]\nname = \"a -> b\"\nlisten = \"{}\"\n\
         target = \"localhost:1\"\n",
        free_port()
    );
    sandbox.write("proxies.toml", file);
    let asked = sandbox.chaos("proxy proxies.toml --health").run().await;
    asked.exited(1).complained("it answered ` [2Jall is well`\n");
    says.join().expect("it ends").expect("the other side ends first");
}

#[tokio::test]
async fn why_a_target_can_not_be_reached_is_told_and_not_for_each_connection() {
    let sandbox = Sandbox::new();
    let (entry, target, control) = (free_port(), free_port(), free_port());
    let proxies = format!(
        "[control]\nlisten = \"{control}\"\ntoken-file = \"token\"\n[[link]]\nname = \"client -> users\"\n\
         listen = \"{entry}\"\ntarget = \"localhost:{target}\"\nprotocol = \"http\"\n"
    );
    sandbox.write("proxies.toml", proxies);
    let mut proxy = sandbox.chaos("proxy proxies.toml").start();
    proxy.line("the control server listens").await;
    let began = Instant::now();
    for _ in 0..20 {
        // Each is accepted, and reset when the dial has failed.
        let at = SocketAddr::from(([127, 0, 0, 1], entry));
        assert!(!ask::hears_from(at).await, "nobody is there to say anything");
    }
    let most = 1 + usize::try_from(began.elapsed().as_secs()).expect("few");
    proxy.signal(Signal::TERM);
    let ended = proxy.finish().await;
    ended.exited(0);
    let told: Vec<&str> = ended.out.lines().filter(|line| line.contains("the service can't be reached")).collect();
    assert!((1..=most).contains(&told.len()), "{told:#?}");
    let first = told[0];
    assert!(
        first.contains("client -> users") && first.contains("refused") && first.contains(&target.to_string()),
        "{first}"
    );
}
