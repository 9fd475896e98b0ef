//! Logins: what a service that asks for a password is told.

use super::{Protocol, transport::url_before};
use crate::{Endpoint, Service, System, Template, system::Piece};
use percent_encoding::percent_decode_str;
use std::fmt;

/// A user and a password. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Name of the user; none where a password is all that is asked for.
    pub user: Option<String>,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

impl Login {
    /// The login to a service: its own, else that of the first URL by which another reaches it
    /// (`redis://user:password@{redis}`). Nothing where neither is there.
    #[must_use]
    pub fn of(service: &Service, system: &System) -> Option<Self> {
        service.login.clone().or_else(|| {
            let users =
                system.links.iter().filter(|link| link.to == service.name).filter_map(|link| match &link.from {
                    Endpoint::Service(name) => system.services.get(name),
                    Endpoint::Client => None,
                });
            let mut templates = users.flat_map(|user| user.env.values().chain(user.start.command()));
            templates.find_map(|template| in_url(template, &service.name, service.protocol))
        })
    }
}

/// The login in a URL of this protocol that a setting has for a service.
fn in_url(template: &Template, service: &str, protocol: Protocol) -> Option<Login> {
    template.pieces.windows(2).find_map(|pair| match pair {
        [Piece::Text(text), Piece::Service { to, .. }] if to == service => before(text, protocol),
        _ => None,
    })
}

/// The login at the end of what stands before an address: `redis://user:password@`.
fn before(text: &str, protocol: Protocol) -> Option<Login> {
    let (scheme, credentials) = url_before(text)?;
    if !protocol.schemes.iter().any(|one| one.name == scheme) {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = credentials?.split_once(':')?;
    let user = Some(decoded(user)).filter(|user| !user.is_empty());
    Some(Login { user, password: decoded(password) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Option<String>, String)> {
        before(text, Protocol::REDIS).map(|login| (login.user, login.password))
    }

    #[test]
    fn a_login_is_read_from_a_url() {
        let of = |user: &str, password: &str| Some((Some(user.to_owned()), password.to_owned()));
        assert_eq!(read("redis://:s3cret@"), Some((None, "s3cret".to_owned())));
        assert_eq!(read("--cache=rediss://me:a%40b@"), of("me", "a@b"));
        for none in ["", "redis://", "redis://me@", "http://a:b@", "redis://a:b@c/", "xredis://a:b@", "redis://a/b:c@"]
        {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn a_login_is_not_shown() {
        let login = Login { user: Some("me".to_owned()), password: "s3cret".to_owned() };
        assert_eq!(format!("{login:?}"), "Login(…)");
    }
}
