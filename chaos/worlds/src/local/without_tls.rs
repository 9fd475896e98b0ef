//! A build without TLS: it passes as bytes.

use chaos_links::InProcessLinks;
use chaos_model::{RunFile, Service, System};
use chaos_run::{TlsOnLinks, WorldError};
use host::Host;
use std::{collections::BTreeMap, path::Path};

/// The fate of TLS on links.
pub(super) const ON_LINKS: TlsOnLinks = TlsOnLinks::Passed;

pub(super) struct Tls;

#[expect(clippy::unused_self, reason = "as where there is TLS")]
impl Tls {
    pub(super) fn new(_: &Host) -> Self {
        Self
    }

    pub(super) fn links(&self) -> InProcessLinks {
        InProcessLinks::new()
    }

    #[expect(clippy::unnecessary_wraps, reason = "as where there is TLS")]
    pub(super) fn prepare(&mut self, _: &Path, _: &System) -> Result<(), WorldError> {
        Ok(())
    }

    pub(super) fn files(&self, _: &str) -> BTreeMap<RunFile, String> {
        BTreeMap::new()
    }

    pub(super) fn caution(&self, _: &Service) -> &'static str {
        ""
    }

    pub(super) fn trusting(&self, _: &Service, env: BTreeMap<String, String>) -> BTreeMap<String, String> {
        env
    }

    pub(super) fn take_down(&mut self) {}
}
