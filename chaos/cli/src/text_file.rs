//! Files that people write, read whole: bounded, since a path may lead to what has no end.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// The largest file that is read, in bytes. Scenarios have a few kilobytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The text of a file.
///
/// # Errors
/// Those of reading, and one for a file that is too large or no UTF-8.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {} MiB", LARGEST >> 20)));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_refused() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::FileTooLarge, "it has more than 4 MiB"));
    }

    #[test]
    fn text_is_read_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("it.toml");
        std::fs::write(&file, "title = \"é\"").unwrap();
        assert_eq!(read(&file).unwrap(), "title = \"é\"");
        std::fs::write(&file, b"title = \"\xff\"").unwrap();
        assert_eq!(read(&file).unwrap_err().kind(), io::ErrorKind::InvalidData);
        std::fs::write(&file, vec![b' '; usize::try_from(LARGEST).unwrap()]).unwrap();
        assert!(read(&file).is_ok());
        assert_eq!(read(&folder.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
