//! `garble`: bytes that are wrong, under a framing that is right.

use super::{
    Action, CODING, Coding, Explored, Facts, Keys, EffectKind, Level,
    action::{BodyEdit, HttpAction, Part},
    key, Written};
use crate::language::{findings::Wrong, quantity};
use serde::{Deserialize, Serialize};

/// Some bytes of the body are others; which ones is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Garble {
    /// So many of a million, at least one.
    pub parts_per_million: u32,
    /// The body whose bytes are others.
    #[serde(default, skip_serializing_if = "Coding::is_usual")]
    pub coding: Coding,
}

impl EffectKind for Garble {
    const FACTS: Facts = Facts {
        name: "garble",
        level: Level::Requests,
        about: "bytes of the body are others, at least one",
        keys: &[key("part", "the share of its bytes, as `1%` (the default)"), CODING],
        example: "effect = \"garble\"",
        // Fewer bytes may leave a body that is valid, which nobody can tell from a right one.
        explored: Explored::By(&[&[&[("part", "50%")]]]),
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let coding = keys.coding();
        if !keys.has("part") {
            return Some(Self { parts_per_million: 10_000, coding });
        }
        let parts_per_million = keys.needed("part", "part = \"1%\"", quantity::per_million)?;
        if parts_per_million == 0 {
            keys.refuse("part", Wrong::new("a part of 0% changes nothing").advice("write it as `1%`"));
        }
        Some(Self { parts_per_million, coding })
    }

    fn written(&self) -> Written {
        let part = Part::PerMillion(self.parts_per_million).to_string();
        [("part", part)].into_iter().chain(self.coding.written()).collect()
    }

    fn words(&self) -> String {
        format!("garble {}%{}", f64::from(self.parts_per_million) / 10_000.0, self.coding.words())
    }

    fn action(&self) -> Action {
        let body = Some(BodyEdit::Garble { parts_per_million: self.parts_per_million });
        Action::of_http(HttpAction { body, coding: self.coding, ..HttpAction::default() })
    }
}
