//! The needs of the world `attach` on this machine: the file that says where the system runs, the token, and who we
//! are.

use crate::{args::Running, machine::Machine};
use chaos_links::Token;
use chaos_model::{
    Diagnostics, Scenario,
    attach::{Attach, TokenFrom},
    language,
    plain::is_hidden,
};
use chaos_worlds::attach::{AttachConfig, Keeping};
use std::path::Path;

/// The longest name of a holder, in bytes.
const LONGEST_HOLDER: usize = 200;

/// Reads where the system of a scenario runs.
///
/// # Errors
/// What is wrong with the file, or with the scenario in that world.
pub(super) fn load(scenario: &Scenario, running: &Running) -> Result<Attach, Diagnostics> {
    let (file, unhealed) = (running.place.attach.as_deref(), running.place.allow_unhealed);
    language::attach::load(scenario, file, unhealed, &crate::text_file::read)
}

/// The configuration that the world is made with.
pub(super) fn config(
    machine: &Surroundings,
    attach: Attach,
    running: &Running,
    file: &str,
    keeping: Keeping,
) -> AttachConfig {
    let token = token(machine, &attach.token);
    let holder = holder(machine, file);
    AttachConfig { attach, token, holder, remote: running.place.allow_remote_targets, keeping }
}

/// The name of who runs a scenario, for those who would steer the same proxies.
pub(super) fn holder(machine: &Surroundings, file: &str) -> String {
    let mut holder = format!("chaos run {file}, process {} on {}", std::process::id(), machine.name);
    holder.retain(|c| !is_hidden(c));
    while holder.len() > LONGEST_HOLDER {
        holder.pop();
    }
    holder
}

/// The surroundings that a run needs when it begins.
#[derive(Clone)]
pub(super) struct Surroundings {
    env: std::collections::BTreeMap<String, String>,
    name: String,
}

impl Surroundings {
    pub(super) fn of(machine: &Machine) -> Self {
        Self { env: machine.env.clone(), name: machine.name() }
    }
}

fn token(surroundings: &Surroundings, from: &TokenFrom) -> Result<Token, String> {
    let (text, place) = match from {
        TokenFrom::File(path) => (read(path)?, path.display().to_string()),
        TokenFrom::Environment(name) => {
            let value = surroundings.env.get(name);
            let text = value.cloned().ok_or_else(|| format!("the token is to be in {name}, which is not set"))?;
            (text, name.clone())
        }
    };
    Token::read(&text).ok_or_else(|| format!("there is no token in {place}"))
}

fn read(path: &Path) -> Result<String, String> {
    let place = path.display();
    crate::text_file::read(path)
        .map_err(|error| format!("can't read the token of the proxies in {place}: {error} (`chaos proxy` writes it)"))
}
