//! Paths from one place to another.

use std::path::{Component, Path, PathBuf};

/// The path that leads from one folder to a file; both are absolute.
pub(crate) fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_from_another_folder() {
        let relative = |from: &str, to: &str| relative(Path::new(from), Path::new(to)).display().to_string();
        assert_eq!(relative("/a/b", "/a/scenarios/system.toml"), "../scenarios/system.toml");
        assert_eq!(relative("/a/b", "/a/b/system.toml"), "system.toml");
        assert_eq!(relative("/c", "/a/b/system.toml"), "../a/b/system.toml");
    }
}
