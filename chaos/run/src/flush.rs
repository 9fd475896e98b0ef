//! A Redis that is made to forget, past any proxy.

use crate::{
    Address, WorldError,
    redis::{Asking, code, shown},
};
use chaos_model::Service;
use chaos_redis::codec::Frame;
use host::Host;
use std::{io, time::Duration};

/// The longest time that a Redis may take to forget.
const FLUSHING: Duration = Duration::from_secs(2);

/// Sends FLUSHALL to a service; when it returns, all is forgotten. Where the service has a login, it is used.
///
/// # Errors
/// Where the service can't be reached, refuses, or takes more than two seconds.
pub async fn flush(host: &Host, service: &Service, address: &Address) -> Result<(), WorldError> {
    let name = &service.name;
    match tokio::time::timeout(FLUSHING, ask(host, service, address)).await {
        Ok(Ok(result)) => result.map_err(WorldError::CannotGive),
        Ok(Err(error)) => Err(WorldError::machine(format!("{name} can't be flushed"))(error)),
        Err(_) => Err(WorldError::CannotGive(format!("{name} did not answer FLUSHALL in 2 s"))),
    }
}

async fn ask(host: &Host, service: &Service, address: &Address) -> io::Result<Result<(), String>> {
    let name = &service.name;
    let mut redis = Asking::new(host.dial(&address.host, address.port).await?);
    if let Some(login) = &service.login {
        let reply = redis.log_in(login).await?;
        // One that asks for none says so, and takes the rest.
        let no_password_is_set = code(&reply) == Some("ERR");
        if reply != Frame::OK && !no_password_is_set {
            return Ok(Err(format!("{name} does not take the login to forget by: `{}`", shown(&reply))));
        }
    }
    let reply = redis.ask(&["FLUSHALL"]).await?;
    Ok(match code(&reply) {
        _ if reply == Frame::OK => Ok(()),
        Some("NOAUTH") => Err(no_login(service)),
        _ => Err(format!("{name} refuses to forget: FLUSHALL is answered with `{}`", shown(&reply))),
    })
}

/// The reason for which a service that asks for a password can't be flushed, with what to do.
fn no_login(service: &Service) -> String {
    let name = &service.name;
    match &service.password {
        Some(variable) => format!(
            "{name} asks for a password to forget, and the environment variable {variable} that its `password` names is not set"
        ),
        None => format!(
            "{name} asks for a password to forget: write it into the URL of a link, before the `{{{name}}}` in it, or add \
             `password = \"{{env:NAME}}\"` to [service.{name}]"
        ),
    }
}
