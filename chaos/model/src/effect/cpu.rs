//! `cpu`: a program that gets less of its machine, as beside a busy neighbour or under a limit that is too low.

use super::{
    Action, Facts, Keys, Kind, Level,
    action::{NodeAction, NodeLimit},
    key,
};
use crate::language::quantity;
use serde::{Deserialize, Serialize};

/// What a node may use of the machine's CPUs is limited until the end of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// In thousandths of one CPU: 500 is half of one.
    pub thousandths: u32,
}

impl Kind for Cpu {
    const FACTS: Facts = Facts {
        name: "cpu",
        level: Level::Nodes,
        about: "the node gets no more than this of the machine's CPUs, and all that it had when the fault ends; in the \
                world `docker` alone",
        keys: &[key("cpus", "how many, from `0.01` on: `0.1` is a tenth of one")],
        example: "effect = \"cpu\"\ncpus = \"0.1\"",
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let thousandths = keys.needed("cpus", "cpus = \"0.1\"", quantity::cpus)?;
        Some(Self { thousandths })
    }

    fn words(&self) -> String {
        format!("cpu limited to {}", f64::from(self.thousandths) / 1000.0)
    }

    fn action(&self) -> Action {
        Action::of_node(NodeAction::Limit(NodeLimit::Cpu { thousandths: self.thousandths }))
    }
}
