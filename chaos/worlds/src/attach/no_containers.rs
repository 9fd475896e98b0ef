//! In the place of `containers` where this is built without the container engine: services can't be broken.

use super::Keeping;
use chaos_model::{Fault, ServiceName, System, effect::action::ServiceAction};
use chaos_run::{Address, WorldError};
use host::Host;
use std::collections::BTreeMap;

/// Never made.
pub(super) enum Containers {}

impl Containers {
    pub(super) async fn find(
        _: &Host,
        _: &Keeping,
        _: &BTreeMap<ServiceName, String>,
        _: (&System, impl Fn(&str) -> Option<Address>),
    ) -> Result<Self, WorldError> {
        let why = "faults of services need the container engine, which this was built without (feature `docker`)";
        Err(WorldError::CannotGive(why.to_owned()))
    }

    pub(super) async fn apply(&mut self, _: &str, _: &Fault, _: ServiceAction) -> Result<(), WorldError> {
        match *self {}
    }

    pub(super) async fn remove(&mut self, _: &str, _: &Fault, _: ServiceAction) -> Result<(), WorldError> {
        match *self {}
    }

    pub(super) async fn lost(&mut self) -> WorldError {
        match *self {}
    }

    pub(super) async fn stop(self) -> Vec<String> {
        match self {}
    }
}
