//! `truncate`: a response or a reply that ends early.

use super::{
    Action, CODING, Coding, Explored, Facts, Keys, EffectKind, Level,
    action::{BodyEdit, HttpAction, MessageAction, MessageEnding, Part},
    Key, key, Written};
use crate::language::findings::Wrong;
use serde::{Deserialize, Serialize};

/// Only the beginning of a body or a reply comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truncate {
    /// The part of the body or reply that comes.
    pub keep: Kept,
    /// The length that the head announces; of replies none can say theirs, so this is for HTTP alone.
    pub framing: Framing,
    /// The body that is shortened; one that is cut off is cut off as it is sent.
    #[serde(default, skip_serializing_if = "Coding::is_usual")]
    pub coding: Coding,
}

/// The part of a body that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// So many bytes.
    Bytes(u64),
    /// So many of a million of its bytes.
    PerMillion(u32),
}

/// The framing of a truncated body: the length that its head announces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// The whole length: the connection is closed before all of it has come.
    #[default]
    Whole,
    /// The shorter length: the body is complete, as HTTP goes, and yet cut off.
    Short,
}

impl Framing {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Whole, Self::Short];

    /// The framing's name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Short => "short",
        }
    }
}

impl From<Part> for Kept {
    fn from(part: Part) -> Self {
        match part {
            Part::Bytes(bytes) => Self::Bytes(bytes),
            Part::PerMillion(parts) => Self::PerMillion(parts),
        }
    }
}

impl From<Kept> for Part {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Bytes(bytes) => Self::Bytes(bytes),
            Kept::PerMillion(parts) => Self::PerMillion(parts),
        }
    }
}

impl EffectKind for Truncate {
    const FACTS: Facts = Facts {
        name: "truncate",
        level: Level::Messages,
        about: "only the beginning of a body or a reply comes, and then the connection is closed",
        keys: &[
            key("keep", "how much comes: a share or bytes, as `50%` (the default) or `100B`. For a share of a body whose head says no length, the response is kept until it is whole, up to `8MiB`"),
            key("framing", "`whole` (the default: fewer bytes than announced) or `short` (HTTP: the head announces fewer, and the connection stays)"),
            Key { about: "with `framing = \"short\"`: as for `garble`", ..CODING },
        ],
        example: "effect = \"truncate\"",
        explored: Explored::By(&[&[&[("keep", "50%")]]]),
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let keep = keys.part("keep", Part::PerMillion(500_000));
        let all = Framing::ALL.map(|framing| (framing.name(), framing));
        let framing = keys.one_of("framing", "the framing", &all).unwrap_or_default();
        let coding = keys.coding();
        if framing == Framing::Whole && keys.has("coding") {
            let wrong = Wrong::new("a body that is cut off is cut off as it is sent");
            keys.refuse("coding", wrong.advice("write `framing = \"short\"`, or take `coding` away"));
        }
        Some(Self { keep: keep?.into(), framing, coding })
    }

    fn written(&self) -> Written {
        let keys = [("keep", Part::from(self.keep).to_string()), ("framing", self.framing.name().to_owned())];
        keys.into_iter().chain(self.coding.written()).collect()
    }

    fn words(&self) -> String {
        let framing = if self.framing == Framing::Short { ", as if that were all" } else { "" };
        format!("truncate to {}{framing}{}", Part::from(self.keep), self.coding.words())
    }

    fn action(&self) -> Action {
        let part = self.keep.into();
        match self.framing {
            Framing::Whole => {
                Action::of_messages(MessageAction { delay: None, ending: Some(MessageEnding::In(part)) })
            }
            Framing::Short => {
                let body = Some(BodyEdit::Shorten(part));
                Action::of_http(HttpAction { body, coding: self.coding, ..HttpAction::default() })
            }
        }
    }
}
