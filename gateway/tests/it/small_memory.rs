//! The program in a control group, as in a container: it lives within its memory, whatever clients do. `.ci/small-memory`
//! runs it.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

const MEMORY: u64 = 256 << 20;
const ATTEMPTS: usize = 20_000;

/// A control group of its own, which is gone when it is dropped.
struct Group {
    folder: PathBuf,
    /// The file that says the most memory that it has had.
    peak: &'static str,
}

impl Group {
    /// One with so much memory; none where this machine lets us make none.
    fn make(memory: u64) -> Option<Self> {
        let versions = [
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
            ("/sys/fs/cgroup", "memory.max", "memory.peak"),
        ];
        versions.into_iter().find_map(|(mount, limit, peak)| {
            let folder = Path::new(mount).join(format!("gateway-test-{}", std::process::id()));
            std::fs::create_dir(&folder).ok()?;
            let group = Self { folder, peak };
            // Elsewhere it is a folder like any other.
            group.folder.join("cgroup.procs").exists().then_some(())?;
            std::fs::write(group.folder.join(limit), memory.to_string()).ok()?;
            Some(group)
        })
    }

    fn peak(&self) -> u64 {
        let text = std::fs::read_to_string(self.folder.join(self.peak)).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What was in it ends a moment after it was killed.
        for _ in 0..500 {
            if std::fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            wait(10);
        }
    }
}

/// The gateway, which ends with the test.
struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Gateway {
    fn start(group: &Group, port: u16) -> Self {
        let enter = "echo $$ >\"$0/cgroup.procs\" && exec \"$1\"";
        let mut command = Command::new("sh");
        command.arg("-c").arg(enter).arg(&group.folder).arg(env!("CARGO_BIN_EXE_gateway"));
        command.env_clear().env("PORT", port.to_string()).env("RUST_LOG", "warn");
        command.stdin(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

#[expect(clippy::disallowed_methods, reason = "processes and sockets are real")]
fn wait(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

fn connect(port: u16) -> std::io::Result<TcpStream> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port))
}

/// Tells if the connection is open, and nothing came.
fn is_held(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    stream.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// The status line of a response, where there is one.
fn ask(port: u16) -> Option<String> {
    let mut stream = connect(port).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(b"GET /health/live HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.lines().next().map(str::to_owned)
}

fn until_it_answers(gateway: &mut Gateway, port: u16) {
    for _ in 0..1000 {
        assert!(gateway.lives(), "it is gone");
        if ask(port).is_some_and(|line| line.ends_with("200 OK")) {
            return;
        }
        wait(10);
    }
    panic!("it does not answer");
}

#[test]
#[ignore = "makes a control group, which takes root: .ci/small-memory"]
fn a_gateway_of_256_mib_survives_20_000_silent_connections() {
    host::tcp::open_as_many_as_allowed();
    let group = Group::make(MEMORY).expect("a control group with memory can be made");
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let mut gateway = Gateway::start(&group, port);
    until_it_answers(&mut gateway, port);
    let idle = group.peak();
    let mut held = Vec::new();
    for attempt in 1..=ATTEMPTS {
        held.extend(connect(port).ok());
        if attempt % 1000 == 0 {
            held.retain(is_held);
            assert!(gateway.lives(), "it is gone after {attempt} attempts, with {} connections open", held.len());
        }
    }
    // A moment later those that it has not come to yet are turned away too.
    wait(500);
    held.retain(is_held);
    let (connections, peak) = (held.len(), group.peak());
    println!("{connections} connections held, {} MiB at most, {} MiB before", peak >> 20, idle >> 20);
    assert!(gateway.lives(), "it is gone");
    assert!(connections > 1000, "{connections} is fewer than fit");
    drop(held);
    until_it_answers(&mut gateway, port);
}
