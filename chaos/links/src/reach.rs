//! Reach: what is local, and what else whoever starts a program has allowed by name.
//!
//! Local are this machine (loopback) and private networks (RFC 1918, RFC 4193), as those of containers are. It is
//! decided by the address, not by the name, and at each dial: names can be made to lead elsewhere. Link-local addresses
//! are not among them: no service is there, but what clouds tell their machines is; nor are the addresses within private
//! networks at which clouds do that.

use chaos_model::attach::HostPort;
use chaos_run::WorldError;
use futures_util::future::BoxFuture;
use host::{Host, Listener, Network, Stream};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Semaphore;

/// Addresses within unique local networks (RFC 4193) at which clouds tell their machines who they are, credentials included: the
/// instance metadata of Amazon EC2 and its resolver, of Google Compute Engine, of Oracle Cloud and of Scaleway, as each
/// documents them.
const METADATA: [Ipv6Addr; 5] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

/// True for an address of this machine or of a private network.
#[must_use]
pub fn is_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || (address.is_unique_local() && !METADATA.contains(&address)),
    }
}

/// Lookups of names that are under way at once. Each opens files and sockets which nobody counts ([`LOOKUP_DESCRIPTORS`]).
const LOOKUPS: usize = 16;

/// Descriptors that lookups of names take at most, about three each: files that say where names are to be looked up, and a socket.
pub(crate) const LOOKUP_DESCRIPTORS: u64 = 48;

/// Resolver: gives the addresses behind a name.
pub type Resolve = Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// The resolver of this machine.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is where names are looked up before a run")]
pub fn resolve_here() -> Resolve {
    let lookups = Arc::new(Semaphore::new(LOOKUPS));
    Arc::new(move |name, port| {
        let lookups = Arc::clone(&lookups);
        Box::pin(async move {
            // Loopback by definition (RFC 6761, 6.3), whatever the resolver knows of it.
            if name == "localhost" {
                return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
            }
            if let Ok(address) = name.parse() {
                return Ok(vec![address]);
            }
            // It is never closed.
            let _turn = lookups.acquire().await.map_err(io::Error::other)?;
            Ok(tokio::net::lookup_host((name, port)).await?.map(|address| address.ip()).collect())
        })
    })
}

/// The addresses at which this process listens: they may come and go.
#[derive(Clone, Debug, Default)]
pub struct OwnAddresses(Arc<Mutex<Vec<SocketAddr>>>);

impl OwnAddresses {
    /// These, to begin with.
    #[must_use]
    pub fn of(addresses: Vec<SocketAddr>) -> Self {
        Self(Arc::new(Mutex::new(addresses)))
    }

    /// Something listens there from now on.
    pub fn add(&self, address: SocketAddr) {
        self.all().push(address);
    }

    /// Nothing does any more.
    pub fn remove(&self, address: SocketAddr) {
        self.all().retain(|other| *other != address);
    }

    fn all(&self) -> MutexGuard<'_, Vec<SocketAddr>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A host like this one, whose programs reach what is local and what is allowed, and nothing else; and never a proxy that
/// listens in this process, at one of the addresses `own`: a connection would go round until no descriptor is left.
#[must_use]
pub fn within_reach(host: &Host, allowed: Vec<HostPort>, own: OwnAddresses, resolve: Resolve) -> Host {
    host.with_network(|network| Arc::new(Reach { network, allowed, own, resolve }))
}

/// True if one of these addresses, at which this process listens, is meant by another.
fn is_own(own: &[SocketAddr], address: IpAddr, port: u16) -> bool {
    let address = address.to_canonical();
    // Who listens on all addresses of the machine listens on each. Nothing else tells which they are as surely as that the
    // kernel lets one be taken.
    let is_here =
        || address.is_loopback() || address.is_unspecified() || std::net::UdpSocket::bind((address, 0)).is_ok();
    let means = |listen: &SocketAddr| listen.ip() == address || (listen.ip().is_unspecified() && is_here());
    own.iter().any(|listen| listen.port() == port && means(listen))
}

/// Checks a target, as far as its name can be resolved by now.
///
/// # Errors
/// In words: it is not local.
pub async fn check(target: &HostPort, resolve: &Resolve) -> Result<(), String> {
    let HostPort { host, port } = target;
    let addresses = resolve(host.clone(), *port).await.unwrap_or_default();
    match addresses.into_iter().find(|address| !is_local(*address)) {
        Some(address) => Err(not_local(host, *port, address)),
        None => Ok(()),
    }
}

/// Refuses a target of a run that is not local, with the option that would allow it.
///
/// # Errors
/// Where it is not local.
pub async fn allow(target: &HostPort, resolve: &Resolve) -> Result<(), WorldError> {
    let refused = |why| WorldError::CannotGive(format!("{why}: `--allow-remote-targets` would allow it"));
    check(target, resolve).await.map_err(refused)
}

struct Reach {
    network: Arc<dyn Network>,
    allowed: Vec<HostPort>,
    own: OwnAddresses,
    resolve: Resolve,
}

impl Network for Reach {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin(async move {
            let allowed = self.allowed.iter().any(|allowed| allowed.host == host && allowed.port == port);
            // What the first said counts: the others may just be of a protocol that is absent.
            let mut failed = None;
            // At each dial: names of containers stand for nothing until these run, and can be made to stand for
            // something else.
            for address in (self.resolve)(host.to_owned(), port).await? {
                if is_own(&self.own.all(), address, port) {
                    let why = format!("{host}:{port} is a proxy of this process, or its control server");
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
                }
                if !allowed && !is_local(address) {
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, not_local(host, port, address)));
                }
                // By its address, so that what is dialled is what was looked at.
                match self.network.dial(&address.to_string(), port).await {
                    Ok(stream) => return Ok(stream),
                    Err(error) => drop(failed.get_or_insert(error)),
                }
            }
            Err(failed.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"))))
        })
    }

    fn listen(&self, port: u16) -> io::Result<Listener> {
        self.network.listen(port)
    }
}

fn not_local(host: &str, port: u16, address: IpAddr) -> String {
    let what = if host.parse::<IpAddr>().is_ok() { String::new() } else { format!(" ({address})") };
    format!("{host}:{port}{what} is not local, and was not allowed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::memory::MemoryNetwork;

    #[test]
    fn private_networks_are_local_and_what_clouds_tell_is_not() {
        let local =
            ["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.18.0.2", "192.168.1.1", "::1", "fd00::1", "::ffff:10.0.0.1"];
        for address in local {
            assert!(is_local(address.parse().unwrap()), "{address}");
        }
        let remote =
            ["8.8.8.8", "172.32.0.1", "169.254.169.254", "fe80::1", "2001:db8::1", "0.0.0.0", "::ffff:8.8.8.8"];
        let told = ["fd00:ec2::254", "fd00:ec2::253", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42"];
        for address in remote.into_iter().chain(told) {
            assert!(!is_local(address.parse().unwrap()), "{address}");
        }
    }

    /// A name stands for what this says.
    fn resolving(address: &'static str) -> Resolve {
        Arc::new(move |_, _| Box::pin(async move { Ok(vec![address.parse().unwrap()]) }))
    }

    #[tokio::test(start_paused = true)]
    async fn every_address_of_a_name_is_tried_and_what_the_first_says_counts() {
        let network = MemoryNetwork::new(1);
        let second = network.host("10.0.0.8");
        let _listening = second.listen(80).unwrap();
        let both: Resolve =
            Arc::new(|_, _| Box::pin(async { Ok(vec!["10.0.0.7".parse().unwrap(), "10.0.0.8".parse().unwrap()]) }));
        let _first = network.host("10.0.0.7");
        let host = within_reach(&network.host("proxies"), Vec::new(), OwnAddresses::default(), both);
        host.dial("web", 80).await.unwrap();
        let refused = host.dial("web", 81).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let addresses = resolve_here()("localhost".to_owned(), 80).await.unwrap();
        assert_eq!(addresses, [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_listens_in_this_process_is_not_reached_by_any_name() {
        let network = MemoryNetwork::new(1);
        let proxies = network.host("10.0.0.9");
        let _listening = proxies.listen(7001).unwrap();
        let listens = |address: &str| OwnAddresses::of(vec![address.parse::<SocketAddr>().unwrap()]);
        let dials = async |own: &str, at: &'static str, allowed: Vec<HostPort>, port: u16| {
            let host = within_reach(&proxies, allowed, listens(own), resolving(at));
            host.dial("looks-else", port).await.map(drop).map_err(|error| error.to_string())
        };
        let refused = Err("looks-else:7001 is a proxy of this process, or its control server".to_owned());
        assert_eq!(dials("10.0.0.9:7001", "10.0.0.9", vec![], 7001).await, refused);
        assert_eq!(dials("0.0.0.0:7001", "127.0.0.1", vec![], 7001).await, refused, "it listens there too");
        let allowed = vec![HostPort { host: "looks-else".to_owned(), port: 7001 }];
        assert_eq!(
            dials("10.0.0.9:7001", "10.0.0.9", allowed, 7001).await,
            refused,
            "that is no matter of where it is"
        );
        assert_eq!(dials("10.0.0.9:7002", "10.0.0.9", vec![], 7001).await, Ok(()), "another port");
        assert_eq!(dials("10.0.0.8:7001", "10.0.0.9", vec![], 7001).await, Ok(()), "another address");
        assert_eq!(dials("0.0.0.0:7001", "10.0.0.9", vec![], 7001).await, Ok(()), "another machine");
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_leads_where_its_address_is() {
        let network = MemoryNetwork::new(1);
        let (private, public) = (network.host("10.0.0.7"), network.host("8.8.8.8"));
        let _listening = (private.listen(80).unwrap(), public.listen(80).unwrap());
        let host = network.host("proxies");
        within_reach(&host, Vec::new(), OwnAddresses::default(), resolving("10.0.0.7"))
            .dial("redis", 80)
            .await
            .unwrap();
        let strict = within_reach(&host, Vec::new(), OwnAddresses::default(), resolving("8.8.8.8"));
        let error = strict.dial("redis", 80).await.unwrap_err();
        assert_eq!(error.to_string(), "redis:80 (8.8.8.8) is not local, and was not allowed");
        let allowed = vec![HostPort { host: "8.8.8.8".to_owned(), port: 80 }];
        let lenient = within_reach(&host, allowed, OwnAddresses::default(), resolving("8.8.8.8"));
        lenient.dial("8.8.8.8", 80).await.unwrap();
        // Another port, or another name for the same, is another target.
        assert_eq!(lenient.dial("8.8.8.8", 81).await.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(lenient.dial("redis", 80).await.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        let target = HostPort { host: "redis".to_owned(), port: 80 };
        assert_eq!(check(&target, &resolving("10.0.0.7")).await, Ok(()));
        check(&target, &resolving("8.8.8.8")).await.unwrap_err();
    }
}
