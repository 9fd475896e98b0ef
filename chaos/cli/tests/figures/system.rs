//! The bundled system as processes of this machine, without proxies, so that what is measured is the gateway alone.

use host::{
    Host,
    http::{Client, ClientConfig},
    tcp,
};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::{Instant, sleep};

const PROGRAMS: [&str; 5] = ["redis", "user-service", "order-service", "product-service", "gateway"];

/// The gateway's name in its process's environment.
const GATEWAY: &str = "gateway";

/// One running program.
struct Service {
    name: &'static str,
    port: u16,
    child: Child,
}

impl Drop for Service {
    fn drop(&mut self) {
        // SIGKILL ends frozen ones too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All of them. They end with this.
pub(crate) struct System {
    services: Vec<Service>,
    pub(crate) host: Host,
    client: Client<Full<bytes::Bytes>>,
}

impl System {
    /// All programs are ready, and Redis is used if it is to be.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        tcp::open_as_many_as_allowed();
        let host = tcp::host(tcp::Config::loopback("figures")).unwrap();
        let client = host::http::client(&host, ClientConfig::default());
        let ports = free_ports();
        let address = |index: usize| format!("127.0.0.1:{}", ports[index]);
        let services = PROGRAMS.iter().zip(ports).map(|(name, port)| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_chaos"));
            command.args(["serve", name]).stdout(Stdio::null()).env("RUST_LOG", "off").env("PORT", port.to_string());
            if *name == GATEWAY {
                command.env("REDIS_URL", format!("redis://{}", address(0)));
                for (index, service) in ["USER", "ORDER", "PRODUCT"].iter().enumerate() {
                    command.env(format!("{service}_SERVICE_URL"), format!("http://{}", address(index + 1)));
                }
            }
            let of_it = |name: &str, of: &str| (of == GATEWAY) == name.starts_with("GATEWAY_");
            command.envs(settings.iter().filter(|(key, _)| of_it(key, name)).copied());
            Service { name, port, child: command.spawn().unwrap() }
        });
        let system = Self { services: services.collect(), host, client };
        for name in &PROGRAMS[1..] {
            system.answers(name).await;
        }
        if !settings.contains(&("GATEWAY_CACHE", "off")) {
            system.until("cache_mode{mode=\"redis\"}", |value| value > 0.0, Duration::from_secs(5)).await;
        }
        system
    }

    fn service(&self, name: &str) -> &Service {
        self.services.iter().find(|service| service.name == name).unwrap()
    }

    pub(crate) fn port(&self, name: &str) -> u16 {
        self.service(name).port
    }

    pub(crate) fn pid(&self, name: &str) -> u32 {
        self.service(name).child.id()
    }

    fn signal(&self, name: &str, signal: Signal) {
        kill_process(Pid::from_child(&self.service(name).child), signal).unwrap();
    }

    /// By SIGSTOP: its kernel still accepts and acknowledges.
    pub(crate) fn freeze(&self, name: &str) {
        self.signal(name, Signal::STOP);
    }

    pub(crate) fn thaw(&self, name: &str) {
        self.signal(name, Signal::CONT);
    }

    pub(crate) fn kill(&self, name: &str) {
        self.signal(name, Signal::KILL);
    }

    async fn get(&self, name: &str, path: &str) -> Option<String> {
        let url = format!("http://127.0.0.1:{}{path}", self.port(name));
        let response = self.client.request(Request::get(url).body(Full::default()).unwrap()).await.ok()?;
        let body = response.into_body().collect().await.ok()?.to_bytes();
        String::from_utf8(body.to_vec()).ok()
    }

    async fn answers(&self, name: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.get(name, "/health").await.is_none() {
            assert!(Instant::now() < deadline, "{name} is not ready");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// The sum of a metric of `name` over the series that have all of these labels: `name{a="b",c="d"}`.
    pub(crate) async fn metric_of(&self, name: &str, selector: &str) -> f64 {
        let text = self.get(name, "/metrics").await.unwrap();
        let (metric, labels) = selector.split_once('{').unwrap_or((selector, ""));
        let labels: Vec<&str> = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty()).collect();
        let series = text.lines().filter(|line| {
            let rest = line.strip_prefix(metric).unwrap_or_default();
            (rest.starts_with('{') || rest.starts_with(' ')) && labels.iter().all(|label| rest.contains(label))
        });
        let values: Vec<f64> = series.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert!(!values.is_empty(), "no series is {selector}");
        values.iter().sum()
    }

    pub(crate) async fn metric(&self, selector: &str) -> f64 {
        self.metric_of(GATEWAY, selector).await
    }

    /// Waits until a metric of the gateway is so.
    pub(crate) async fn until(&self, selector: &str, is_so: impl Fn(f64) -> bool, patience: Duration) {
        let deadline = Instant::now() + patience;
        while !is_so(self.metric(selector).await) {
            assert!(Instant::now() < deadline, "{selector}: not after {patience:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Resident memory of a program's process, in bytes (`VmRSS` of proc(5)).
    pub(crate) fn resident(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid(name))).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Sockets of the gateway that are connected to Redis, by inode.
    pub(crate) fn connections_to_redis(&self) -> Vec<u64> {
        let port = format!(":{:04X}", self.port("redis"));
        let own: Vec<u64> = std::fs::read_dir(format!("/proc/{}/fd", self.pid(GATEWAY)))
            .unwrap()
            .filter_map(|entry| {
                let target = std::fs::read_link(entry.ok()?.path()).ok()?;
                target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
            })
            .collect();
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let to_redis = table.lines().skip(1).filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields[2].ends_with(&port).then(|| fields[9].parse().unwrap())
        });
        to_redis.filter(|inode| own.contains(inode)).collect()
    }
}

fn free_ports() -> [u16; 5] {
    let held = PROGRAMS.map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}
