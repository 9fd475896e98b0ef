//! Addresses of this machine in texts: `http://localhost:8001/stock`.

use std::ops::Range;

/// Names of this machine.
const HERE: [&str; 4] = ["127.0.0.1", "localhost", "0.0.0.0", "[::1]"];

/// An address in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    pub(super) range: Range<usize>,
    pub(super) host: &'a str,
    pub(super) port: u16,
}

/// The addresses in a text that are this machine's, in order.
pub(super) fn addresses(text: &str) -> Vec<Address<'_>> {
    let mut found: Vec<Address<'_>> = HERE.iter().flat_map(|host| of_host(text, host)).collect();
    found.sort_by_key(|address| address.range.start);
    found
}

fn of_host<'t>(text: &'t str, host: &'static str) -> impl Iterator<Item = Address<'t>> {
    text.match_indices(host).filter_map(move |(start, host)| {
        let before = text[..start].chars().next_back();
        if before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')) {
            return None;
        }
        let after = text[start + host.len()..].strip_prefix(':')?;
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let port = after[..digits].parse().ok().filter(|port| *port > 0)?;
        Some(Address { range: start..start + host.len() + 1 + digits, host, port })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_found() {
        let found = |text| addresses(text).into_iter().map(|one| (one.range, one.port)).collect::<Vec<_>>();
        assert_eq!(found("http://localhost:8001/a?b=127.0.0.1:80"), [(7..21, 8001), (26..38, 80)]);
        assert_eq!(found("[::1]:5432,0.0.0.0:1"), [(0..10, 5432), (11..20, 1)]);
        for none in ["localhost", "localhost:", "mylocalhost:80", "localhost:0", "localhost:99999", "10.127.0.0.1:80"] {
            assert_eq!(found(none), [], "{none}");
        }
    }
}
