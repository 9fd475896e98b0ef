//! What the nodes run in: images that are on this machine.

use crate::engine::Engine;
use chaos_model::{Node, Start, System};
use chaos_run::WorldError;
use std::io;
use testcontainers::bollard::errors::Error as EngineError;

/// The images of the programs that `chaos` brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Ours: it runs every built-in program, as `serve PROGRAM`.
    pub chaos: String,
    /// A real Redis.
    pub redis: String,
}

/// How ours are made.
const MADE_BY: &str = "`scripts/images` makes it";
/// How those that ours stand on are made.
const PULLED_BY: &str = "`scripts/base-images` pulls it, or makes a stand-in";

impl Images {
    /// The image of a node, and what makes it where it is missing.
    pub(super) fn of(&self, node: &Node) -> (&str, &'static str) {
        match &node.start {
            Start::Program(program) if is_real_redis(program) => (&self.redis, PULLED_BY),
            Start::Program(_) | Start::Command(_) => (&self.chaos, MADE_BY),
        }
    }

    /// Sees to it that all images of a system are there: none is pulled in mid-run.
    pub(super) async fn check(&self, engine: &Engine, system: &System) -> Result<(), WorldError> {
        for node in system.nodes.values() {
            let (image, advice) = self.of(node);
            match engine.0.inspect_image(image).await {
                Ok(_) => {}
                Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => {
                    let why = format!("node {} needs the image {image}, which is not here: {advice}", node.name);
                    return Err(WorldError::CannotGive(why));
                }
                Err(error) => return Err(WorldError::machine(format!("image {image}"))(io::Error::other(error))),
            }
        }
        Ok(())
    }
}

/// Whether the program is a Redis that is not ours.
pub(super) fn is_real_redis(program: &str) -> bool {
    matches!(program, "redis" | "redis-server")
}
