//! `protocol` and `password` of a service.

use super::{findings::Wrong, nearest::advise};
use crate::{Protocol, protocol::ABSENT};

/// The protocol of this name, which must be one of those that there are.
pub(crate) fn protocol(text: &str, among: &[Protocol]) -> Result<Protocol, Wrong> {
    among.iter().find(|protocol| protocol.name == text).copied().ok_or_else(|| {
        let wrong = Wrong::new(format!("there is no protocol called `{text}`"));
        match ABSENT.iter().find(|absent| absent.names.contains(&text.to_lowercase().as_str())) {
            Some(absent) => wrong.advice(absent.instead),
            None => wrong.advice(advise(text, among.iter().map(|protocol| protocol.name), "the protocols are")),
        }
    })
}

/// The environment variable that `"{env:NAME}"` names. A password itself stands in no file.
pub(crate) fn password(text: &str, protocol: Protocol) -> Result<String, Wrong> {
    if !protocol.takes_password {
        let wrong = Wrong::new(format!("no fault logs in to a service that speaks {protocol}"));
        return Err(wrong.advice("take `password` away"));
    }
    let name = text.trim().strip_prefix("{env:").and_then(|rest| rest.strip_suffix('}')).map(str::trim);
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    name.filter(is_name).map(str::to_owned).ok_or_else(|| {
        let wrong = Wrong::new("a password stands in no file");
        wrong.advice("name the environment variable that holds it: `password = \"{env:CACHE_PASSWORD}\"`")
    })
}
