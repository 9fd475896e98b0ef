//! `memory`: a program that has less memory than it was made for.

use super::{
    Action, Explored, Facts, Keys, EffectKind, Level,
    action::{ServiceAction, ServiceLimit},
    key, term, Written};
use crate::{language::findings::Wrong, quantity::show_bytes};
use serde::{Deserialize, Serialize};

/// The least memory that engines give, so that they can start a program at all.
const LEAST: u64 = 6 << 20;

/// The memory that a service may use, swap included, is limited until the end of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Bytes that the service may use, swap included.
    pub bytes: u64,
}

impl EffectKind for Memory {
    const FACTS: Facts = Facts {
        name: "memory",
        level: Level::Services,
        about: "the service has no more than this memory, swap included, and what it had when the fault ends; the kernel ends \
                a program that needs more, which is told and makes the run inconclusive; in the world `docker` alone",
        keys: &[key("bytes", "how much, from `6MiB` on: `64MiB`")],
        example: "effect = \"memory\"\nbytes = \"64MiB\"",
        explored: Explored::Not("a limit to memory is given in the world `docker` alone"),
        others: &[
            term("Gremlin", "memory"),
            term("Litmus", "pod-memory-hog"),
            term("AWS FIS", "aws:eks:pod-memory-stress"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let bytes = keys.size("bytes", "64MiB")?;
        if bytes < LEAST {
            let wrong = Wrong::new(format!("{} is less than engines give", show_bytes(bytes)));
            keys.refuse("bytes", wrong.advice(format!("write `{}` at least", show_bytes(LEAST))));
        }
        Some(Self { bytes })
    }

    fn written(&self) -> Written {
        vec![("bytes", show_bytes(self.bytes))]
    }

    fn words(&self) -> String {
        format!("memory limited to {}", show_bytes(self.bytes))
    }

    fn action(&self) -> Action {
        Action::of_service(ServiceAction::Limit(ServiceLimit::Memory { bytes: self.bytes }))
    }
}
