//! `oversize`: a body that is far too long for whoever reads it.

use super::{
    Action, Facts, Keys, EffectKind, Level,
    action::{BodyEdit, HttpAction},
    key, Written};
use crate::quantity::show_bytes;
use serde::{Deserialize, Serialize};

/// The body is filled up with spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oversize {
    /// To so many bytes.
    pub size: u64,
}

impl EffectKind for Oversize {
    const FACTS: Facts = Facts {
        name: "oversize",
        level: Level::Requests,
        about: "the body is filled up with spaces, which JSON allows",
        keys: &[key("size", "to how many bytes, as `50MiB`")],
        example: "effect = \"oversize\"\nsize = \"50MiB\"",
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self { size: keys.size("size", "50MiB")? })
    }

    fn written(&self) -> Written {
        vec![("size", show_bytes(self.size))]
    }

    fn words(&self) -> String {
        format!("oversize to {}", show_bytes(self.size))
    }

    fn action(&self) -> Action {
        Action::of_http(HttpAction { body: Some(BodyEdit::Pad(self.size)), ..HttpAction::default() })
    }
}
