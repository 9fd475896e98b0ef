use std::collections::BTreeMap;

/// Counters of `INFO`, as far as the store doesn't have them.
#[derive(Default)]
pub(crate) struct Stats {
    pub(crate) connections: u64,
    pub(crate) rejected_connections: u64,
    pub(crate) commands: u64,
    pub(crate) error_replies: u64,
    pub(crate) input_bytes: u64,
    pub(crate) output_bytes: u64,
    /// By the command's name.
    pub(crate) by_command: BTreeMap<&'static str, Calls>,
    /// Error replies by their first word.
    pub(crate) by_error: BTreeMap<String, u64>,
    pub(crate) commands_rate: Rate,
    pub(crate) input_rate: Rate,
    pub(crate) output_rate: Rate,
}

/// Outcomes of the requests of one command.
#[derive(Clone, Copy, Default)]
pub(crate) struct Calls {
    pub(crate) calls: u64,
    /// Refused before they ran.
    pub(crate) rejected: u64,
    /// Ran and answered with an error.
    pub(crate) failed: u64,
}

/// Rate of events in a second: those of the last whole one. Redis takes the average of the last 1.6 seconds, and a
/// timer for it.
#[derive(Default)]
pub(crate) struct Rate {
    second: i64,
    count: u64,
    last: u64,
}

impl Rate {
    pub(crate) fn add(&mut self, count: u64, now_ms: i64) {
        self.turn(now_ms);
        self.count += count;
    }

    pub(crate) fn per_second(&mut self, now_ms: i64) -> u64 {
        self.turn(now_ms);
        self.last
    }

    fn turn(&mut self, now_ms: i64) {
        let second = now_ms / 1000;
        if second != self.second {
            self.last = if second == self.second + 1 { self.count } else { 0 };
            (self.second, self.count) = (second, 0);
        }
    }
}

impl Stats {
    /// Counts an error reply by its first word.
    pub(crate) fn count_error(&mut self, text: &[u8]) {
        self.error_replies += 1;
        let code = text.split(|byte| *byte == b' ').next().unwrap_or_default();
        if let Ok(code) = std::str::from_utf8(code) {
            match self.by_error.get_mut(code) {
                Some(count) => *count += 1,
                None => {
                    self.by_error.insert(code.to_owned(), 1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_whole_second() {
        let mut rate = Rate::default();
        rate.add(3, 10_000);
        rate.add(4, 10_999);
        assert_eq!(rate.per_second(10_999), 0);
        assert_eq!(rate.per_second(11_000), 7);
        rate.add(1, 11_500);
        assert_eq!((rate.per_second(12_400), rate.per_second(13_000)), (1, 0));
        rate.add(5, 20_000);
        assert_eq!(rate.per_second(22_000), 0);
    }
}
