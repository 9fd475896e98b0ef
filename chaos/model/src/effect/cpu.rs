//! `cpu`: a program that gets less of its machine, as beside a busy neighbour or under a limit that is too low.

use super::{
    Action, Explored, Facts, Keys, EffectKind, Level,
    action::{ServiceAction, ServiceLimit},
    key, term, Written};
use crate::language::quantity;
use serde::{Deserialize, Serialize};

/// The share of the machine's CPUs that a service may use is limited until the end of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// In thousandths of one CPU: 500 is half of one.
    pub thousandths: u32,
}

impl EffectKind for Cpu {
    const FACTS: Facts = Facts {
        name: "cpu",
        level: Level::Services,
        about: "the service gets no more than this of the machine's CPUs, and all that it had when the fault ends; in the \
                world `docker` alone",
        keys: &[key("cpus", "how many, from `0.01` on: `0.1` is a tenth of one")],
        example: "effect = \"cpu\"\ncpus = \"0.1\"",
        explored: Explored::Not("a limit to processors is given in the world `docker` alone"),
        others: &[
            term("Gremlin", "cpu"),
            term("Litmus", "pod-cpu-hog"),
            term("AWS FIS", "aws:ecs:task-cpu-stress"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let thousandths = keys.needed("cpus", "cpus = \"0.1\"", quantity::cpus)?;
        Some(Self { thousandths })
    }

    fn written(&self) -> Written {
        vec![("cpus", (f64::from(self.thousandths) / 1000.0).to_string())]
    }

    fn words(&self) -> String {
        format!("cpu limited to {}", f64::from(self.thousandths) / 1000.0)
    }

    fn action(&self) -> Action {
        Action::of_service(ServiceAction::Limit(ServiceLimit::Cpu { thousandths: self.thousandths }))
    }
}
