//! The files that are written: none of them in the place of another.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Refuses places at which there is something.
///
/// # Errors
/// In words, with the first of them.
pub(super) fn are_free<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Result<(), String> {
    match paths.into_iter().find(|path| path.symlink_metadata().is_ok()) {
        Some(path) => Err(format!(
            "{} is there already, and nothing is overwritten: move it away, or write elsewhere by --out FOLDER",
            path.display()
        )),
        None => Ok(()),
    }
}

/// Writes new files, all or none as far as can be known before.
///
/// # Errors
/// In words: a file is there already, or can't be written.
pub(super) fn write(files: &[(PathBuf, String)]) -> Result<(), String> {
    are_free(files.iter().map(|(path, _)| path.as_path()))?;
    files.iter().try_for_each(|(path, text)| create(path, text))
}

fn create(path: &Path, text: &str) -> Result<(), String> {
    // Whoever came in between keeps what is there.
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("can't write {}: {error}", path.display()))
}

/// A folder that goes again if nothing came into it.
pub(super) struct Folder<'p> {
    path: &'p Path,
    is_new: bool,
}

impl<'p> Folder<'p> {
    /// Makes the folder, where it is not there.
    ///
    /// # Errors
    /// In words.
    pub(super) fn make(path: &'p Path) -> Result<Self, String> {
        let is_new = !path.exists();
        std::fs::create_dir_all(path).map_err(|error| format!("can't make {}: {error}", path.display()))?;
        Ok(Self { path, is_new })
    }

    /// The path that leads from the folder to another.
    ///
    /// # Errors
    /// In words: one of them can't be found.
    pub(super) fn path_to(&self, other: &Path) -> Result<String, String> {
        let absolute = |path: &Path| -> Result<PathBuf, String> {
            let found: io::Result<PathBuf> = std::fs::canonicalize(path);
            found.map_err(|error| format!("can't find {}: {error}", path.display()))
        };
        let relative = crate::paths::relative(&absolute(self.path)?, &absolute(other)?);
        let shown = relative.display().to_string();
        Ok(if shown.is_empty() { ".".to_owned() } else { shown })
    }
}

impl Drop for Folder<'_> {
    fn drop(&mut self) {
        if self.is_new {
            // It stays where something is in it.
            let _ = std::fs::remove_dir(self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::write(&other, "mine").unwrap();
        let files = [(one.clone(), "1".to_owned()), (other.clone(), "2".to_owned())];
        let why = write(&files).unwrap_err();
        assert!(why.contains("other is there already"), "{why}");
        assert!(!one.exists(), "none is written where one can't be");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
        write(&files[..1]).unwrap();
        assert_eq!(std::fs::read_to_string(&one).unwrap(), "1");
    }

    #[test]
    fn a_folder_of_nothing_goes_again() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        let made = Folder::make(&path).unwrap();
        assert_eq!(made.path_to(place.path()).unwrap(), "../..");
        drop(made);
        assert!(!path.exists());
        let made = Folder::make(&path).unwrap();
        std::fs::write(path.join("c"), "").unwrap();
        drop(made);
        assert!(path.join("c").exists());
    }
}
