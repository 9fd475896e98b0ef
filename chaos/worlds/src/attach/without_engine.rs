//! In the place of `containers` where this is built without the container engine: services can't be broken.

use super::Keeping;
use chaos_model::{ServiceName, lifecycle::Lifecycle};
use chaos_run::{Death, InstanceId, WorldError};
use host::Host;
use std::collections::BTreeMap;

/// Never made.
pub(super) enum Containers {}

impl Containers {
    pub(super) async fn find(_: &Host, _: &Keeping, _: &BTreeMap<ServiceName, String>) -> Result<Self, WorldError> {
        let why = "faults of services need the container engine, which this was built without (feature `docker`)";
        Err(WorldError::CannotGive(why.to_owned()))
    }

    pub(super) async fn start(&mut self, _: &InstanceId) -> Result<(), WorldError> {
        match *self {}
    }

    pub(super) fn is_whole(&mut self, _: &InstanceId) -> Result<(), WorldError> {
        match *self {}
    }

    pub(super) async fn terminate(&mut self, _: &InstanceId, _: &Lifecycle) -> Result<(), WorldError> {
        match *self {}
    }

    pub(super) async fn kill(&mut self, _: &InstanceId) -> Result<(), WorldError> {
        match *self {}
    }

    pub(super) async fn pause(&mut self, _: &InstanceId) -> Result<(), WorldError> {
        match *self {}
    }

    pub(super) async fn resume(&mut self, _: &InstanceId) -> Result<(), WorldError> {
        match *self {}
    }

    pub(super) async fn exited(&mut self) -> Result<Death, WorldError> {
        match *self {}
    }

    pub(super) async fn restore(self) -> Vec<String> {
        match self {}
    }
}
