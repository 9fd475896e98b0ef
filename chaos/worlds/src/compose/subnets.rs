//! Small networks, of addresses that nobody on the engine or this machine uses.

use chaos_run::WorldError;
use std::net::Ipv4Addr;

/// The range that they are taken from: private (RFC 1918), and none of those that engines give networks by themselves.
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 0);
/// Number of networks in the range.
const MANY: u32 = 512;
/// Addresses of each.
const SIZE: u32 = 128;

/// A network of 128 addresses (/25). The engine gives containers the lower half, and proxies stand in the upper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subnet(Ipv4Addr);

/// Several addresses in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    first: u32,
    last: u32,
}

impl Subnet {
    /// Places for proxies.
    pub(super) const PLACES: usize = 60;

    /// The network in the notation of engines.
    pub(super) fn cidr(self) -> String {
        format!("{}/25", self.0)
    }

    /// The part of it that containers get their addresses from.
    pub(super) fn dynamic(self) -> String {
        format!("{}/26", self.0)
    }

    /// The place of the proxy with this number.
    pub(super) fn place(self, number: usize) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.0) + 64 + u32::try_from(number).unwrap_or(u32::MAX).min(SIZE - 66))
    }

    fn overlaps(self, taken: &Taken) -> bool {
        let first = u32::from(self.0);
        taken.first < first + SIZE && first <= taken.last
    }
}

impl Taken {
    /// The addresses of a network in the notation of engines, if it is one of IPv4.
    pub(super) fn of_cidr(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let (address, bits): (Ipv4Addr, u32) = (address.parse().ok()?, bits.parse().ok()?);
        Self::of_mask(u32::from(address), u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or_default())
    }

    // Which way everything else goes takes no addresses.
    /// The addresses of a route, a line of `/proc/net/route`; none where it is the default route.
    pub(super) fn of_route(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().skip(1);
        let hex = |word: Option<&str>| Some(u32::from_str_radix(word?, 16).ok()?.swap_bytes());
        let (address, mask) = (hex(words.next())?, hex(words.nth(5))?);
        Self::of_mask(address, mask).filter(|_| mask != 0)
    }

    fn of_mask(address: u32, mask: u32) -> Option<Self> {
        (mask.leading_ones() == mask.count_ones()).then_some(Self { first: address & mask, last: address | !mask })
    }
}

/// So many networks that nobody uses.
pub(super) fn free(count: usize, taken: &[Taken]) -> Result<Vec<Subnet>, WorldError> {
    let all = (0..MANY).map(|number| Subnet(Ipv4Addr::from(u32::from(FIRST) + number * SIZE)));
    let free = all.filter(|subnet| !taken.iter().any(|taken| subnet.overlaps(taken)));
    let subnets: Vec<Subnet> = free.take(count).collect();
    if subnets.len() == count {
        return Ok(subnets);
    }
    let (found, range) = (subnets.len(), format!("{FIRST}/16"));
    let why = format!(
        "{count} small networks are needed, and {found} are free in {range}: `docker network prune` frees some"
    );
    Err(WorldError::CannotGive(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_lie_beside_what_is_taken() {
        let cidrs = |taken: &[&str]| {
            let taken: Vec<Taken> = taken.iter().filter_map(|text| Taken::of_cidr(text)).collect();
            free(2, &taken).unwrap().into_iter().map(Subnet::cidr).collect::<Vec<_>>()
        };
        assert_eq!(cidrs(&["172.17.0.0/16", "fd00::/64"]), ["10.213.0.0/25", "10.213.0.128/25"]);
        assert_eq!(cidrs(&["10.213.0.16/28"]), ["10.213.0.128/25", "10.213.1.0/25"]);
        assert_eq!(cidrs(&["10.213.0.0/24", "10.213.1.255/32"]), ["10.213.1.0/25", "10.213.2.0/25"]);
        let all = [Taken::of_cidr("10.0.0.0/8").unwrap()];
        assert!(free(1, &all).unwrap_err().to_string().contains("1 small networks are needed, and 0 are free"));
    }

    #[test]
    fn routes_of_the_machine_are_taken_and_its_default_is_not() {
        let route = |line: &str| Taken::of_route(line);
        // As the kernel writes them, in the byte order of this machine: 10.213.0.0/16, and the way to everything else.
        let line = "tun0\t0000D50A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0";
        assert_eq!(route(line), Taken::of_cidr("10.213.0.0/16"));
        assert_eq!(route("eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0"), None);
        assert_eq!(route("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"), None);
    }

    #[test]
    fn proxies_stand_beyond_what_the_engine_gives() {
        let subnet = free(2, &[]).unwrap()[1];
        assert_eq!(subnet.dynamic(), "10.213.0.128/26");
        assert_eq!(subnet.place(0).to_string(), "10.213.0.192");
        assert_eq!(subnet.place(Subnet::PLACES - 1).to_string(), "10.213.0.251");
    }
}
