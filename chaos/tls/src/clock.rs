//! The host's clock, as rustls asks for it.

use host::Host;
use rustls::{pki_types::UnixTime, time_provider::TimeProvider};
use std::fmt;

pub(crate) struct Clock(pub(crate) Host);

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(self.0.unix_now()))
    }
}
