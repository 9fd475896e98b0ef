//! `oversize`: a body that is far too long for whoever reads it.

use super::{
    Action, CODING, Coding, Explored, Facts, Keys, EffectKind, Level,
    action::{BodyEdit, HttpAction},
    key, Written};
use crate::quantity::show_bytes;
use serde::{Deserialize, Serialize};

/// The body is filled up with spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oversize {
    /// To so many bytes.
    pub size: u64,
    /// The body that is filled up.
    #[serde(default, skip_serializing_if = "Coding::is_usual")]
    pub coding: Coding,
}

impl EffectKind for Oversize {
    const FACTS: Facts = Facts {
        name: "oversize",
        level: Level::Requests,
        about: "the body is filled up with spaces, which JSON allows",
        keys: &[key("size", "to how many bytes, as `50MiB`"), CODING],
        example: "effect = \"oversize\"\nsize = \"50MiB\"",
        explored: Explored::By(&[&[&[("size", "2MiB")], &[("size", "256KiB")]]]),
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let size = keys.size("size", "50MiB");
        let coding = keys.coding();
        Some(Self { size: size?, coding })
    }

    fn written(&self) -> Written {
        [("size", show_bytes(self.size))].into_iter().chain(self.coding.written()).collect()
    }

    fn words(&self) -> String {
        format!("oversize to {}{}", show_bytes(self.size), self.coding.words())
    }

    fn action(&self) -> Action {
        let body = Some(BodyEdit::Pad(self.size));
        Action::of_http(HttpAction { body, coding: self.coding, ..HttpAction::default() })
    }
}
