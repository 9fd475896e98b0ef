//! Pressure stall information, as the kernel tells it (`Documentation/accounting/psi.rst`).

use std::time::Duration;

/// The time in which some task waited, of a file in `/proc/pressure`; none where its text is another.
pub(super) fn stalled(text: &str) -> Option<Duration> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some.split(' ').find_map(|field| field.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_some_is_what_counts() {
        let text = "some avg10=48.00 avg60=58.51 avg300=81.28 total=3725345582\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(stalled(text), Some(Duration::from_micros(3_725_345_582)));
        assert_eq!(stalled("full avg10=0.00 total=7\nsome total=x\n"), None);
        assert_eq!(stalled(""), None);
    }
}
