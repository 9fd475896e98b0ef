//! A gateway with one mistake that was planted, and what that mistake keeps.

use super::Mistake;
use crate::{cache::Profile, settings::Settings};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::OwnedMutexGuard;

/// The mistake that was planted; all clones share what it keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Planted {
    mistake: Mistake,
    turns: Arc<tokio::sync::Mutex<()>>,
    fell_back: Arc<AtomicBool>,
    kept: Arc<Mutex<Option<Profile>>>,
}

impl Planted {
    /// The mistake that the settings want.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self { mistake: settings.planted, ..Self::default() }
    }

    /// True where this is the mistake.
    pub(crate) fn has(&self, mistake: Mistake) -> bool {
        self.mistake == mistake
    }

    /// Waits for all who came before to be done.
    pub(crate) async fn turn(&self) -> Option<OwnedMutexGuard<()>> {
        if self.has(Mistake::LockAcrossCall) { Some(Arc::clone(&self.turns).lock_owned().await) } else { None }
    }

    /// True where products are left out.
    pub(crate) fn fell_back(&self) -> bool {
        self.fell_back.load(Ordering::Relaxed)
    }

    /// Products are left out from now on.
    pub(crate) fn falls_back(&self) {
        self.fell_back.store(self.has(Mistake::EndlessFallback), Ordering::Relaxed);
    }

    /// Keeps a complete profile for whoever needs one.
    pub(crate) fn keep(&self, profile: Option<&Profile>) {
        if let Some(profile) = profile
            && self.has(Mistake::KeyWithoutUser)
        {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(profile.clone());
        }
    }

    /// The profile that was kept last, of whomever.
    pub(crate) fn kept(&self) -> Option<Profile> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
