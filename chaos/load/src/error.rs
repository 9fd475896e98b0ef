//! Reasons why an arrival got no response: a closed set, told by type and not by the text of messages.

use std::io;

/// A reason why an arrival got no response. Its text is a short word for counting (`connect_refused`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum Error {
    /// Nobody listened.
    ConnectRefused,
    /// The connection was not established within the client's timeout, or the network gave up.
    ConnectTimeout,
    /// The connection could not be established for another reason: an unknown name, no route.
    ConnectFailed,
    /// The connection was reset.
    Reset,
    /// The connection was closed in good order before the response was complete; a kept connection that the server
    /// closed just as the request went out is one case.
    Closed,
    /// The response was not complete within the client's timeout.
    Timeout,
    /// The response was no valid HTTP.
    BadResponse,
    /// The load was stopped before the response was complete.
    Stopped,
    /// The generator could not make the arrival: too many were under way, or the machine had no descriptor or port left.
    NotMade,
    /// A request that can't be sent as HTTP, so the arrival was not made: an invalid method, path or header, or
    /// a header that frames the message (`content-length`, `transfer-encoding`).
    InvalidRequest,
}

impl Error {
    /// The short word by which it is counted, which is also its text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConnectFailed => "connect_failed",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Timeout => "timeout",
            Self::BadResponse => "bad_response",
            Self::Stopped => "stopped",
            Self::NotMade => "not_made",
            Self::InvalidRequest => "invalid_request",
        }
    }

    /// True where no request was made at all, so that the arrival says nothing about the target.
    #[must_use]
    pub fn is_ours(self) -> bool {
        matches!(self, Self::NotMade | Self::InvalidRequest)
    }

    /// The reason behind a failed dial.
    pub(crate) fn of_dial(error: &io::Error) -> Self {
        if host::tcp::is_exhaustion(error) {
            return Self::NotMade;
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::ConnectRefused,
            io::ErrorKind::TimedOut => Self::ConnectTimeout,
            io::ErrorKind::ConnectionReset => Self::Reset,
            _ => Self::ConnectFailed,
        }
    }

    /// The reason behind a failed exchange.
    pub(crate) fn of_exchange(error: &hyper::Error) -> Self {
        if error.is_parse() {
            return Self::BadResponse;
        }
        match io_kind(error) {
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted) => {
                Self::Reset
            }
            // hyper's decoder says so of chunks that it can't read.
            Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Self::BadResponse,
            _ => Self::Closed,
        }
    }
}

fn io_kind(error: &hyper::Error) -> Option<io::ErrorKind> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_lacks_is_not_held_against_the_target() {
        assert_eq!(Error::of_dial(&io::Error::from_raw_os_error(libc::EMFILE)), Error::NotMade);
        assert_eq!(Error::of_dial(&io::Error::from_raw_os_error(libc::EADDRNOTAVAIL)), Error::NotMade);
        assert_eq!(Error::of_dial(&io::Error::from_raw_os_error(libc::ECONNREFUSED)), Error::ConnectRefused);
        assert_eq!(Error::of_dial(&io::Error::from_raw_os_error(libc::EHOSTUNREACH)), Error::ConnectFailed);
    }

    /// Checks ask for reasons by the words of the model's table.
    #[test]
    fn each_reason_can_be_asked_for() {
        let all = [
            Error::ConnectRefused,
            Error::ConnectTimeout,
            Error::ConnectFailed,
            Error::Reset,
            Error::Closed,
            Error::Timeout,
            Error::BadResponse,
            Error::Stopped,
            Error::NotMade,
            Error::InvalidRequest,
        ];
        let asked = chaos_model::check::REASONS.map(|(reason, _)| reason);
        assert_eq!(all.map(Error::as_str), asked);
    }

    #[test]
    fn reasons_are_short_words() {
        assert_eq!(Error::ConnectRefused.to_string(), "connect_refused");
        assert_eq!(Error::NotMade.to_string(), "not_made");
    }
}
