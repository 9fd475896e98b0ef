//! The things that the language is told: what there is to run, to speak, and to read besides files.

use crate::{
    Protocol,
    check::{CHECKS, Row},
    system::KNOWN_PROGRAMS,
};
use std::{fmt, path::Path};

/// The names that files may use, from whoever reads them.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Names of the built-in programs that services can run.
    pub programs: &'a [&'a str],
    /// Protocols that services can speak.
    pub protocols: &'a [Protocol],
    /// The kinds of checks that expectations can have.
    pub checks: &'a [&'static Row],
    /// Names of the worlds that scenarios can run in. None, where whoever reads knows of no world: any name is one.
    pub worlds: Option<&'a [&'a str]>,
    /// Gives the value of an environment variable (`"{env:NAME}"`), where it is set.
    pub variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// Gives a Compose file as the document that Compose normalises it to, or says in words why there is none.
    pub compose: &'a (dyn Fn(&Path) -> Result<serde_json::Value, String> + Sync),
}

impl Known<'_> {
    /// The programs, protocols and checks that `chaos` brings, no environment and no Compose. Worlds are types of other crates.
    pub const BUILT_IN: Self = Self {
        programs: &KNOWN_PROGRAMS,
        protocols: Protocol::ALL,
        checks: CHECKS,
        worlds: None,
        variable: &|_| None,
        compose: &|_| Err("whoever reads this has no Compose to ask".to_owned()),
    };
}

impl fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { programs, protocols, worlds, .. } = self;
        let mut known = f.debug_struct("Known");
        known.field("programs", programs).field("protocols", protocols).field("worlds", worlds);
        known.finish_non_exhaustive()
    }
}
