//! A gateway without mistakes that were planted: what it would be asked of them comes to nothing.

use super::Mistake;
use crate::{cache::Profile, settings::Settings};

/// Nothing.
#[derive(Clone, Debug)]
pub(crate) struct Planted;

/// Nobody's turn.
pub(crate) struct Turn;

impl Planted {
    pub(crate) fn of(_: &Settings) -> Self {
        Self
    }

    pub(crate) const fn has(&self, _: Mistake) -> bool {
        false
    }

    pub(crate) fn turn(&self) -> std::future::Ready<Turn> {
        std::future::ready(Turn)
    }

    pub(crate) fn fell_back(&self) -> bool {
        false
    }

    pub(crate) fn falls_back(&self) {}

    pub(crate) fn keep(&self, _: Option<&Profile>) {}

    pub(crate) fn kept(&self) -> Option<Profile> {
        None
    }
}
