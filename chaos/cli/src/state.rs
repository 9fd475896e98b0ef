//! State that the command keeps from one call to the next: what this machine could do when that was last measured.
//!
//! In `chaos/calibration.json` under `XDG_STATE_HOME`, or `~/.local/state`. It is for reports alone and changes nothing
//! that a run does: where it can't be read there is none.

use crate::machine::Machine;
use chaos_model::Calibration;
use chaos_report::calibration::{read_json, write_json};
use std::{
    io,
    path::{Path, PathBuf},
};

/// The last calibration, if there was one.
pub(crate) fn calibration(machine: &Machine) -> Option<Calibration> {
    read_json(&std::fs::read_to_string(file(machine)?).ok()?)
}

/// Remembers it; gives the file.
///
/// # Errors
/// Where there is no place for it, or it can't be written.
pub(crate) fn remember(machine: &Machine, calibration: &Calibration) -> io::Result<PathBuf> {
    let no_place = || io::Error::new(io::ErrorKind::NotFound, "neither XDG_STATE_HOME nor HOME is set");
    let file = file(machine).ok_or_else(no_place)?;
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Written beside it and then moved, so that no run reads half of it.
    let new = file.with_extension(format!("json.{}", std::process::id()));
    let mut text = Vec::new();
    write_json(&mut text, calibration)?;
    std::fs::write(&new, text)?;
    std::fs::rename(&new, &file)?;
    Ok(file)
}

fn file(machine: &Machine) -> Option<PathBuf> {
    // A path that is not absolute is to be ignored (XDG Base Directory Specification).
    let absolute = |name: &str| machine.env.get(name).map(Path::new).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").map(Path::to_owned);
    let state = state.or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("chaos/calibration.json"))
}
