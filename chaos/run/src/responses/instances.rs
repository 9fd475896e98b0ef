//! Names of instances, as responses say them: each is kept once, however many responses have it.

use chaos_model::{secret::masked_text, slice::OTHER_INSTANCES};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Names that are kept. A header that has another value each time names no instance, and must not take memory for ever.
const MOST: usize = 64;

/// The longest name.
const LONGEST: usize = 100;

/// The header field that names instances, and the names that were seen in it, each with what is told of it: no secret.
#[derive(Debug)]
pub(super) struct Instances {
    header: Option<String>,
    seen: Mutex<BTreeMap<Arc<str>, Arc<str>>>,
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
        let name = if seen.len() < MOST { name } else { OTHER_INSTANCES };
        let told: Arc<str> = masked_text(name).into();
        seen.insert(name.into(), Arc::clone(&told));
        Some(told)
    }
}
