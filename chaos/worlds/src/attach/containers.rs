//! Nodes that run in containers which somebody else has started: what breaks them goes through the runner's own access to
//! the engine, never through a proxy. What is broken is written down before, for the keeper and `chaos heal`.

use super::Keeping;
use crate::{
    broken::{self, Broken},
    engine::Engine,
    kept::{Kept, keeper_failed},
    relayed,
};
use chaos_model::{Fault, Node, NodeName, System, effect::action::NodeAction};
use chaos_run::{Address, Death, WorldError};
use host::Host;
use std::{collections::BTreeMap, io};

/// The containers of the nodes that faults act on.
pub(super) struct Containers {
    host: Host,
    engine: Engine,
    kept: Kept,
    nodes: BTreeMap<NodeName, Contained>,
    /// What is broken by now, by fault.
    broken: BTreeMap<String, Broken>,
}

/// A node in a container.
struct Contained {
    node: Node,
    address: Address,
    /// The container's id, and what it is called.
    id: String,
    name: String,
}

impl Containers {
    /// Finds these containers, which have to run, and starts what brings them back where the runner is lost.
    pub(super) async fn find(
        host: &Host,
        keeping: &Keeping,
        named: &BTreeMap<NodeName, String>,
        (system, address): (&System, impl Fn(&str) -> Option<Address>),
    ) -> Result<Self, WorldError> {
        let advice = "faults of nodes need the container engine, and none answers (may this user speak to it?)";
        let engine = Engine::connect().await.map_err(WorldError::machine(advice))?;
        let mut nodes = BTreeMap::new();
        for (name, container) in named {
            // The language names none that the system hasn't, nor any without an address.
            let (Some(node), Some(address)) = (system.nodes.get(name), address(name)) else { continue };
            let found = engine.running(container).await;
            let id = found.map_err(|why| WorldError::CannotGive(format!("node {name} can't be broken: {why}")))?;
            nodes.insert(name.clone(), Contained { node: node.clone(), address, id, name: container.clone() });
        }
        let mut kept = Kept::default();
        kept.prepare(&keeping.executable, &keeping.temp, host.unix_now()).await?;
        Ok(Self { host: host.clone(), engine, kept, nodes, broken: BTreeMap::new() })
    }

    /// Breaks a node. When it returns, the fault holds; of a restart: it is over.
    pub(super) async fn apply(&mut self, node: &str, fault: &Fault, action: NodeAction) -> Result<(), WorldError> {
        let (id, name) = self.of(node).map(|of| (of.id.clone(), of.name.clone()))?;
        self.changes(fault, Some(Broken { id: id.clone(), name, changing: true }))?;
        match action {
            NodeAction::Pause => self.engine.pause(&id).await.map_err(refused(node, "frozen"))?,
            NodeAction::Stop => self.engine.stop(&id).await.map_err(refused(node, "stopped"))?,
            NodeAction::Kill => self.engine.kill(&id).await.map_err(refused(node, "killed"))?,
            NodeAction::Restart => {
                self.engine.stop(&id).await.map_err(refused(node, "stopped"))?;
                self.start(node).await?;
                return self.changes(fault, None);
            }
            // The language lets neither through to here: a flush is a command of its own, and limits are their operator's.
            NodeAction::Flush | NodeAction::Limit(_) => {
                return Err(WorldError::CannotGive(format!("`{}` can't be done to {node}", fault.effect.name())));
            }
        }
        self.changed(fault)
    }

    /// Heals it. When it returns, the node is ready again.
    pub(super) async fn remove(&mut self, node: &str, fault: &Fault, action: NodeAction) -> Result<(), WorldError> {
        if !self.broken.contains_key(&fault.name) {
            return Ok(());
        }
        let id = self.of(node)?.id.clone();
        self.changing(fault)?;
        match action {
            NodeAction::Pause => self.engine.unpause(&id).await.map_err(refused(node, "thawed"))?,
            NodeAction::Stop | NodeAction::Kill => self.start(node).await?,
            NodeAction::Restart | NodeAction::Flush | NodeAction::Limit(_) => {}
        }
        self.changes(fault, None)
    }

    /// Waits for the keeper to end, as it does when it is killed. Safe to drop.
    pub(super) async fn lost(&mut self) -> WorldError {
        let Some(keeper) = &mut self.kept.keeper else { return std::future::pending().await };
        match keeper.exited().await {
            Ok(exit) => WorldError::CannotGive(format!("the keeper has a process {}", exit.name)),
            Err(error) => {
                self.kept.keeper = None;
                keeper_failed(error)
            }
        }
    }

    /// Brings back what is broken still, and gives what could not be brought back, in words.
    pub(super) async fn stop(mut self) -> Vec<String> {
        let broken: Vec<Broken> = std::mem::take(&mut self.broken).into_values().collect();
        let left = broken::restore_all(&self.engine, &broken).await;
        // What could not be brought back stays written down: the keeper tries once more, and `chaos heal` whenever it is asked.
        let broken: Vec<Broken> = left.iter().map(|(broken, _)| broken.clone()).collect();
        let written = broken::write(self.kept.folder(), &broken).err().map(|error| error.to_string());
        let mut left: Vec<String> = written.into_iter().chain(self.kept.stop(false).await).collect();
        left.sort_unstable();
        left.dedup();
        left
    }

    fn of(&self, node: &str) -> Result<&Contained, WorldError> {
        self.nodes
            .get(node)
            .ok_or_else(|| WorldError::CannotGive(format!("nothing says in which container {node} runs")))
    }

    /// Starts a node's container, and waits until it is ready or has ended. The run bounds how long that may take.
    async fn start(&self, node: &str) -> Result<(), WorldError> {
        let of = self.of(node)?;
        self.engine.start(&of.id).await.map_err(refused(node, "started"))?;
        let is_ready =
            async { while relayed::wait(self.host.clone(), of.node.clone(), of.address.clone()).await.2.is_err() {} };
        let how = tokio::select! {
            biased;
            how = self.engine.ended(&of.id) => how,
            () = is_ready => return Ok(()),
        };
        let last_lines = vec![format!("(what it said: docker logs {})", of.name)];
        Err(WorldError::DiedStarting(Death { node: node.to_owned(), how, last_lines }))
    }

    /// The engine is about to be asked to heal what this fault broke.
    fn changing(&mut self, fault: &Fault) -> Result<(), WorldError> {
        let broken = self.broken.get(&fault.name).map(|broken| Broken { changing: true, ..broken.clone() });
        self.changes(fault, broken)
    }

    /// It has done what this fault asked for.
    fn changed(&mut self, fault: &Fault) -> Result<(), WorldError> {
        let broken = self.broken.get(&fault.name).map(|broken| Broken { changing: false, ..broken.clone() });
        self.changes(fault, broken)
    }

    /// Writes down what this fault has broken, or that it has nothing.
    fn changes(&mut self, fault: &Fault, broken: Option<Broken>) -> Result<(), WorldError> {
        match broken {
            Some(broken) => drop(self.broken.insert(fault.name.clone(), broken)),
            None => drop(self.broken.remove(&fault.name)),
        }
        let all: Vec<Broken> = self.broken.values().cloned().collect();
        broken::write(self.kept.folder(), &all).map_err(WorldError::machine("can't write down what is broken"))
    }
}

fn refused(node: &str, what: &str) -> impl FnOnce(io::Error) -> WorldError + use<> {
    WorldError::machine(format!("{node} can't be {what}"))
}
