//! `reset-body`: a connection that is reset within the body of a response.

use super::{
    Action, Explored, Facts, Keys, EffectKind, Level,
    action::{HttpAction, Part},
    key,
    truncate::Kept, Written};
use serde::{Deserialize, Serialize};

/// The head and a part of the body come, and then the connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetBody {
    /// The part of the body that comes before the reset.
    pub keep: Kept,
}

impl EffectKind for ResetBody {
    const FACTS: Facts = Facts {
        name: "reset-body",
        level: Level::Requests,
        about: "the head and a part of the body come, and then the connection is reset",
        keys: &[key(
            "keep",
            "how much comes: a share or bytes, as `50%` (the default) or `100B`. For a share of a body whose head says no length, the response is kept until it is whole, up to `8MiB`",
        )],
        example: "effect = \"reset-body\"",
        explored: Explored::By(&[&[&[("keep", "50%")]]]),
        others: &[],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        Some(Self { keep: keys.part("keep", Part::PerMillion(500_000))?.into() })
    }

    fn written(&self) -> Written {
        vec![("keep", Part::from(self.keep).to_string())]
    }

    fn words(&self) -> String {
        format!("reset-body after {}", Part::from(self.keep))
    }

    fn action(&self) -> Action {
        Action::of_http(HttpAction { resets_in: Some(self.keep.into()), ..HttpAction::default() })
    }
}
