//! Names of instances, as responses say them: each is kept once, however many responses have it.

use chaos_model::slice::OTHER_INSTANCES;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

/// Names that are kept. A header that has another value each time names no instance, and must not take memory for ever.
const MOST: usize = 64;

/// The longest name.
const LONGEST: usize = 100;

/// The header field that names instances, and the names that were seen in it.
#[derive(Debug)]
pub(super) struct Instances {
    header: Option<String>,
    seen: Mutex<BTreeSet<Arc<str>>>,
}

impl Instances {
    pub(super) fn new(header: Option<String>) -> Self {
        Self { header, seen: Mutex::default() }
    }

    /// The instance that a response names; [`OTHER_INSTANCES`] where there are too many names, or it is none that people can
    /// read.
    pub(super) fn of(&self, headers: &http::HeaderMap) -> Option<Arc<str>> {
        let name = headers.get(self.header.as_ref()?)?;
        let name = name.to_str().ok().filter(|name| name.len() <= LONGEST).unwrap_or(OTHER_INSTANCES);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = seen.get(name) {
            return Some(Arc::clone(known));
        }
        let name: Arc<str> = if seen.len() < MOST { name.into() } else { OTHER_INSTANCES.into() };
        seen.insert(Arc::clone(&name));
        Some(name)
    }
}
