//! The programs as processes on real sockets, where time is real.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    time::Duration,
};

const USER: &str = env!("CARGO_BIN_EXE_user-service");
const ORDER: &str = env!("CARGO_BIN_EXE_order-service");
const PRODUCT: &str = env!("CARGO_BIN_EXE_product-service");

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for name in ["PORT", "BIND", "DATA_SEED", "DATA_USERS", "DATA_ABOUT_BYTES", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}

/// A program that listens. It is killed when the test ends, however that ends.
struct Running {
    child: Child,
    logs: BufReader<ChildStdout>,
    port: u16,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut logs = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        logs.read_line(&mut line).unwrap();
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["message"], "listening");
        Self { child, logs, port: u16::try_from(line["port"].as_u64().unwrap()).unwrap() }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }

    /// Waits for the end, and not for ever.
    #[expect(clippy::disallowed_methods, reason = "waits for a process, where time is real")]
    fn wait(&mut self) -> ExitStatus {
        for _ in 0..1000 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the program did not stop within ten seconds");
    }

    /// Sends a signal, and waits for the end: the exit code and the rest of the log.
    fn stop(mut self, signal: Signal) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let code = self.wait().code();
        let mut rest = String::new();
        self.logs.read_to_string(&mut rest).unwrap();
        (code, rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn each_program_serves_until_a_signal_and_exits_with_0() {
    let cases = [
        (USER, "/users/1", Signal::TERM),
        (ORDER, "/orders/user/1", Signal::INT),
        (PRODUCT, "/products/p1", Signal::TERM),
    ];
    for (program, path, signal) in cases {
        let running = Running::start(command(program).args(["--port", "0"]));
        assert!(running.get("/health").contains(r#""status":"ok""#));
        assert!(running.get(path).starts_with("HTTP/1.1 200 OK\r\n"));
        let (code, log) = running.stop(signal);
        assert_eq!(code, Some(0));
        assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
        assert!(log.lines().last().unwrap().contains(r#""message":"stopped""#), "{log}");
    }
}

#[test]
fn settings_come_from_the_environment_and_flags_count_first() {
    let running = Running::start(command(USER).envs([("PORT", "0"), ("DATA_SEED", "8")]).args(["--data-seed", "7"]));
    assert!(running.get("/health").contains(r#""data_seed":7"#));
}

#[test]
fn made_request_ids_do_not_repeat_after_a_restart() {
    let id = || {
        let response = Running::start(command(USER).args(["--port", "0"])).get("/health");
        response.lines().find_map(|line| line.strip_prefix("x-request-id: ").map(str::to_owned)).unwrap()
    };
    assert_ne!(id(), id());
}

fn failure(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(stdout.is_empty(), "{}", String::from_utf8_lossy(&stdout));
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_taken_port_is_said_and_exits_with_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (code, message) = failure(command(USER).args(["--port", &port.to_string()]));
    assert_eq!(code, Some(1));
    assert!(message.starts_with(&format!("user-service: port {port} is taken: ")), "{message}");
}

#[test]
fn a_bad_setting_is_named_and_exits_with_2() {
    let cases = [
        (vec!["--port", "x"], "PORT is `x`"),
        (vec!["--bind", "here"], "BIND is `here`"),
        (vec!["--data-seed=-1"], "DATA_SEED is `-1`"),
        (vec!["--log", "=="], "the log filter `==`"),
        (vec!["--prot", "1"], "--prot"),
    ];
    for (arguments, expected) in cases {
        let (code, message) = failure(command(ORDER).args(&arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {message}");
        assert!(message.contains(expected), "{message}");
    }
}
