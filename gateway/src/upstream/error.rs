//! Failures of calls to services: a word of the closed set, and how long was waited. Nothing of the service's words,
//! and no address, is kept, so none can leak.

use crate::labels::{Code, Label as _, Service};
use std::{error::Error, fmt, io, time::Duration};

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallError {
    pub(crate) service: Service,
    pub(crate) code: Code,
    /// The number of calls that were made; 0 where a breaker or a bulkhead spared it the call.
    pub(crate) attempts: u32,
    /// From the call's start to its failure.
    pub(crate) after: Duration,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.after.as_millis();
        match self.code {
            Code::Timeout => write!(f, "no response within {after} ms"),
            Code::DeadlineExceeded => write!(f, "the request's time was over after {after} ms"),
            Code::ConnectTimeout => write!(f, "no connection within {after} ms"),
            Code::ConnectRefused => write!(f, "the connection was refused"),
            Code::Dns => write!(f, "the name could not be resolved"),
            Code::Reset => write!(f, "the connection broke after {after} ms"),
            Code::Status4xx => write!(f, "the service refused the request"),
            Code::Status5xx => write!(f, "the service failed"),
            Code::BadPayload => write!(f, "the response could not be understood"),
            Code::BodyTooLarge => write!(f, "the response was too large"),
            Code::CircuitOpen => write!(f, "the service was not asked, since it keeps failing"),
            Code::BulkheadFull => write!(f, "the service was not asked, since too many calls to it are under way"),
            Code::RetryBudget | Code::SkippedDependency => f.write_str(self.code.label()),
        }
    }
}

impl Error for CallError {}

/// A failed attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    pub(super) code: Code,
    /// The connection had carried a response before, and broke before this one's: most likely the service was closing it
    /// just then, since it had been idle.
    pub(super) on_reused_connection: bool,
    pub(super) took: Duration,
}

/// A call that was not made, or whose response made no sense.
impl From<Code> for Failed {
    fn from(code: Code) -> Self {
        Self { code, on_reused_connection: false, took: Duration::ZERO }
    }
}

/// Tells if an attempt that failed so may be made again, and might do better: any, where the service can't have seen
/// it; otherwise one that does the same if done twice.
pub(super) fn is_safe_to_repeat(code: Code, idempotent: bool) -> bool {
    match code {
        Code::ConnectRefused | Code::ConnectTimeout | Code::Dns => true,
        Code::Reset | Code::Status5xx | Code::Timeout => idempotent,
        Code::Status4xx
        | Code::BadPayload
        | Code::BodyTooLarge
        | Code::DeadlineExceeded
        | Code::CircuitOpen
        | Code::BulkheadFull
        | Code::RetryBudget
        | Code::SkippedDependency => false,
    }
}

/// The party whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The service's, or the way to it.
    Service,
    /// The request's: the service is well and refused it.
    Request,
    /// Nobody's: the gateway spared the service the call, or had no time left.
    Gateway,
}

/// The party to blame for a failure.
pub(super) fn blame(code: Code) -> Blame {
    match code {
        Code::Timeout
        | Code::ConnectRefused
        | Code::ConnectTimeout
        | Code::Dns
        | Code::Reset
        | Code::Status5xx
        | Code::BadPayload
        | Code::BodyTooLarge => Blame::Service,
        Code::Status4xx => Blame::Request,
        Code::DeadlineExceeded
        | Code::CircuitOpen
        | Code::BulkheadFull
        | Code::RetryBudget
        | Code::SkippedDependency => Blame::Gateway,
    }
}

/// The first I/O error among the causes of `error`.
fn io_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}

/// The word for a call that failed before its response's head was there.
pub(super) fn of_client(error: &hyper_util::client::legacy::Error) -> Code {
    if error.is_connect() { io_error(error).map_or(Code::ConnectRefused, of_connect) } else { of_transfer(error) }
}

/// The word for a failed connect. Names that can't be resolved have no kind of their own in std.
fn of_connect(error: &io::Error) -> Code {
    match error.kind() {
        io::ErrorKind::TimedOut => Code::ConnectTimeout,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => Code::Reset,
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::PermissionDenied => Code::ConnectRefused,
        _ if error.raw_os_error().is_none() => Code::Dns,
        _ => Code::ConnectRefused,
    }
}

/// The word for a connection that failed with a call on it: it broke, or what came is no HTTP.
pub(super) fn of_transfer(error: &(dyn Error + 'static)) -> Code {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    let unreadable = causes.any(|error| {
        let head = error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse);
        // Chunks that are none are an I/O error to hyper; no socket fails with these kinds.
        let body = error.downcast_ref::<io::Error>().map(io::Error::kind);
        head || matches!(body, Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData))
    });
    if unreadable { Code::BadPayload } else { Code::Reset }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_connects_are_told_apart() {
        let of_kind = |kind: io::ErrorKind| of_connect(&kind.into());
        assert_eq!(of_kind(io::ErrorKind::ConnectionRefused), Code::ConnectRefused);
        assert_eq!(of_kind(io::ErrorKind::TimedOut), Code::ConnectTimeout);
        assert_eq!(of_connect(&io::Error::other("failed to lookup address information")), Code::Dns);
    }
}
