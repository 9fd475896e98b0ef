//! A build without TLS: it passes as bytes.

use chaos_links::InProcessLinks;
use chaos_model::{RunFile, Service, System};
use chaos_run::{TlsOnLinks, WorldError};
use host::Host;
use std::{collections::BTreeMap, path::Path};

/// The fate of TLS on links.
pub(crate) const ON_LINKS: TlsOnLinks = TlsOnLinks::Passed;

pub(crate) struct Tls;

impl Tls {
    pub(crate) fn new(_: &Host) -> Self {
        Self
    }

    pub(crate) fn links(&self) -> InProcessLinks {
        InProcessLinks::new()
    }

    pub(crate) fn secured(&self, _: &Host, service: &Service) -> Result<Option<Host>, WorldError> {
        let why = format!("{} speaks TLS, and this program was built without it", service.name);
        Err(WorldError::CannotGive(why))
    }

    pub(crate) fn prepare(&mut self, _: &Path, _: &System) -> Result<(), WorldError> {
        Ok(())
    }

    pub(crate) fn files(&self, _: &str) -> BTreeMap<RunFile, String> {
        BTreeMap::new()
    }

    pub(crate) fn caution(&self, _: &Service) -> &'static str {
        ""
    }

    pub(crate) fn trusting(&self, _: &Service, env: BTreeMap<String, String>) -> BTreeMap<String, String> {
        env
    }

    pub(crate) fn take_down(&mut self) {}
}
