//! Names what went wrong with Redis: every error that the library or the network gives has one word of a closed set.

use crate::labels::Miss;
use redis::{ErrorKind, RedisError};
use std::io;

/// Classifies an error that the server sent, by its first word.
pub(super) fn of_server(code: &str, detail: &str) -> Miss {
    match code {
        "LOADING" => Miss::Loading,
        "READONLY" => Miss::Readonly,
        "OOM" => Miss::Oom,
        "NOAUTH" => Miss::NoAuth,
        "WRONGPASS" => Miss::WrongPass,
        "NOPERM" => Miss::NoPerm,
        "WRONGTYPE" => Miss::WrongType,
        // The only one that has no word of its own.
        "ERR" if detail.starts_with("max number of clients") => Miss::MaxClients,
        _ => Miss::ServerError,
    }
}

/// Classifies an error of the client library.
pub(super) fn of_library(error: &RedisError) -> Miss {
    match (error.code(), error.kind()) {
        (Some(code), _) => of_server(code, error.detail().unwrap_or_default()),
        (None, ErrorKind::Parse | ErrorKind::UnexpectedReturnType | ErrorKind::RESP3NotSupported) => Miss::Protocol,
        (None, ErrorKind::AuthenticationFailed) => Miss::WrongPass,
        _ => Miss::Reset,
    }
}

/// Classifies the failure of a connection attempt.
pub(super) fn of_dial(error: &io::Error) -> Miss {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Miss::Refused,
        io::ErrorKind::TimedOut => Miss::ConnectTimeout,
        _ => Miss::Reset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_errors_are_told_apart() {
        for (code, detail, reason) in [
            ("LOADING", "Redis is loading the dataset in memory", Miss::Loading),
            ("READONLY", "You can't write against a read only replica.", Miss::Readonly),
            ("OOM", "command not allowed when used memory > 'maxmemory'.", Miss::Oom),
            ("NOAUTH", "Authentication required.", Miss::NoAuth),
            ("WRONGPASS", "invalid username-password pair or user is disabled.", Miss::WrongPass),
            ("NOPERM", "this user has no permissions to run the 'get' command", Miss::NoPerm),
            ("WRONGTYPE", "Operation against a key holding the wrong kind of value", Miss::WrongType),
            ("ERR", "max number of clients reached", Miss::MaxClients),
            ("ERR", "syntax error", Miss::ServerError),
            ("MISCONF", "Redis is configured to save RDB snapshots", Miss::ServerError),
        ] {
            assert_eq!(of_server(code, detail), reason, "{code} {detail}");
        }
    }
}
