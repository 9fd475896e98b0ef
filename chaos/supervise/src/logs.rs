//! The services' logs: one file a service in the run's folder, which does not grow for ever.

mod cap;
mod log_file;

pub use cap::MOST;
pub(crate) use cap::{close, shorten};
pub(crate) use log_file::LogFile;

use std::{
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

/// Number of last lines that tell why a service ended.
pub const LINES: usize = 10;
/// Bytes from the end in which they are looked for.
const BYTES: i64 = 16 * 1024;

/// Path of a service's log.
#[must_use]
pub fn path(folder: &Path, service: &str) -> PathBuf {
    folder.join(format!("{service}.log"))
}

/// Writes a log in the place of what is there.
///
/// # Errors
/// Those of the file.
pub fn write(log: &Path, bytes: &[u8]) -> io::Result<()> {
    LogFile::of(log)?.replace(bytes)
}

/// The lines of a log behind its first bytes; all, where it has become shorter than that. None where there is no log.
#[must_use]
pub fn lines_from(log: &Path, from: u64) -> Vec<String> {
    let rest = || {
        let mut file = LogFile::of(log)?.read()?;
        let from = if file.metadata()?.len() < from { 0 } else { from };
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    String::from_utf8_lossy(&rest().unwrap_or_default()).lines().map(str::to_owned).collect()
}

/// A service's last lines; none where there is no log.
#[must_use]
pub fn last_lines(log: &Path) -> Vec<String> {
    let tail = || {
        let mut file = LogFile::of(log)?.read()?;
        let length = i64::try_from(file.metadata()?.len()).unwrap_or(i64::MAX);
        file.seek(SeekFrom::End(-length.min(BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    let bytes = tail().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].iter().map(|line| (*line).to_owned()).collect()
}
