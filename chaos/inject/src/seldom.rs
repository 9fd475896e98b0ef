//! Lines of the log that strangers can cause: written once a second at most, since who tries again and again would fill the
//! disk.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The time in which there is one such line at most.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// The account of one such line.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Option<Last>>);

#[derive(Debug)]
struct Last {
    told: Instant,
    /// Times that were not told since.
    more: u64,
}

impl Seldom {
    /// The number of times since the last line that were not told, where one is to be written now that it has happened again.
    pub(crate) fn tell(&self) -> Option<u64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match &mut *last {
            Some(last) if now < last.told + TELL_EVERY => {
                last.more += 1;
                None
            }
            _ => {
                let more = last.as_ref().map_or(0, |last| last.more);
                *last = Some(Last { told: now, more: 0 });
                Some(more)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn once_a_second_with_the_number_of_those_that_were_not_told() {
        let line = Seldom::default();
        assert_eq!((line.tell(), line.tell(), line.tell()), (Some(0), None, None));
        tokio::time::advance(TELL_EVERY).await;
        assert_eq!((line.tell(), line.tell()), (Some(2), None));
    }
}
