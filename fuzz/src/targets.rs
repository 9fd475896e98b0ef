//! Targets: what takes bytes from anywhere. One file each, or one for those that are alike.

mod control;
mod exposition;
mod language;
mod messages;
mod proxied;
mod recording;
mod resp;
mod script;

/// The taker of inputs, one after the other.
pub type Subject = Box<dyn FnMut(&[u8])>;

/// A target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is that of its folder in `fuzz/crashes`.
    pub name: &'static str,
    /// A sentence on what is tried.
    pub about: &'static str,
    /// Good inputs, which others are made of.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format.
    pub words: &'static [&'static str],
    /// Makes what takes inputs, one after the other. It panics where something is wrong.
    pub start: fn() -> Subject,
}

/// All of them.
pub const TARGETS: [Target; 10] = [
    messages::HTTP,
    messages::REDIS,
    proxied::HTTP,
    proxied::REDIS,
    resp::TARGET,
    language::TARGET,
    exposition::TARGET,
    recording::TARGET,
    control::TARGET,
    control::RAW,
];

/// The path of a file of this project.
fn file(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The files of a folder of this project whose names end so.
fn files(folder: &str, end: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(file(folder)).expect("the folder is there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == end));
    // The order of a folder is the machine's, and inputs are to be the same everywhere.
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("it can be read")).collect()
}
