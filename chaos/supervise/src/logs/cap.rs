//! The cap on a service's log: of one that never stops talking, the beginning and the end are kept, and the disk does not
//! fill.
//!
//! The log stays a plain file that the service's processes have open: they are known by it, and need nobody who reads along.
//! So what is too much is taken out of it from behind, by a hole (fallocate(2)), and the file is made whole when they are gone.

use super::LogFile;
use rustix::fs::{FallocateFlags, fallocate};
use std::{
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

/// Bytes that are kept of the beginning of a log: what a service says as it starts,
const FIRST: u64 = 1 << 20;
/// and of its end.
const LAST: u64 = 15 << 20;
/// The most bytes that are kept of a service's log.
pub const MOST: u64 = FIRST + LAST;
/// Bytes beyond that, so that not every line makes a hole.
const SPARE: u64 = 4 << 20;
/// Holes begin and end with blocks.
const BLOCK: u64 = 4096;
/// Bytes of a block, as the kernel counts them (stat(2)).
const COUNTED: u64 = 512;

/// Takes out of a log what is too much by now.
///
/// # Errors
/// Those of the file.
pub(crate) fn shorten(log: &Path) -> io::Result<()> {
    let file = LogFile::of(log)?.append()?;
    let of = file.metadata()?;
    if of.blocks() * COUNTED <= MOST + SPARE {
        return Ok(());
    }
    let end = of.len().saturating_sub(LAST) / BLOCK * BLOCK;
    let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    if end > FIRST && fallocate(&file, hole, FIRST, end - FIRST).is_ok() {
        return Ok(());
    }
    // A file system without holes: all of it goes.
    file.set_len(0)?;
    (&file).write_all(note(of.len()).as_bytes())
}

/// Makes a log whole out of which something was taken, and says where that was. Nobody may write it any more.
///
/// # Errors
/// Those of the file.
pub(crate) fn close(log: &Path) -> io::Result<()> {
    let place = LogFile::of(log)?;
    let mut file = place.read()?;
    let of = file.metadata()?;
    if of.len() <= MOST + SPARE || of.blocks() * COUNTED >= of.len() {
        return Ok(());
    }
    let mut first = Vec::new();
    (&mut file).take(FIRST).read_to_end(&mut first)?;
    first.truncate(first.iter().rposition(|byte| *byte == b'\n').map_or(first.len(), |at| at + 1));
    let from = of.len() - LAST;
    file.seek(SeekFrom::Start(from))?;
    let mut last = Vec::new();
    file.read_to_end(&mut last)?;
    let begin = last.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let cut = from + u64::try_from(begin).unwrap_or(0) - u64::try_from(first.len()).unwrap_or(0);
    place.replace(&[first.as_slice(), note(cut).as_bytes(), &last[begin..]].concat())
}

/// The line that stands where something was taken out.
fn note(bytes: u64) -> String {
    format!("[chaos: {bytes} bytes were taken out here: {} MiB are kept of a log]\n", MOST >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    #[test]
    fn of_a_log_that_grows_and_grows_the_beginning_and_the_end_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.log");
        let mut file = File::options().create(true).append(true).open(&log).unwrap();
        let mut most = 0;
        for n in 0..80 {
            let lines: String = (0..10_000).map(|line| format!("line {n}.{line} {}\n", "x".repeat(80))).collect();
            file.write_all(lines.as_bytes()).unwrap();
            shorten(&log).unwrap();
            file.sync_all().unwrap();
            most = most.max(file.metadata().unwrap().blocks() * COUNTED);
        }
        let written = file.metadata().unwrap().len();
        assert!(written > 60 << 20 && most <= MOST + SPARE + (1 << 20), "{most} of {written}");
        assert_eq!(super::super::last_lines(&log).last().unwrap(), &format!("line 79.9999 {}", "x".repeat(80)));
        close(&log).unwrap();
        let kept = fs::read_to_string(&log).unwrap();
        let cut: u64 = kept.split("[chaos: ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let note = note(cut);
        assert_eq!(kept.len() as u64 + cut, written + note.len() as u64);
        assert!(kept.starts_with("line 0.0 ") && kept.ends_with("x\n") && kept.len() as u64 <= MOST + SPARE);
        let lines = kept.lines().all(|line| line.starts_with("line ") || line == note.trim_end());
        assert!(lines, "whole lines are kept");
        close(&log).unwrap();
        assert_eq!(fs::read_to_string(&log).unwrap(), kept, "it is whole");
    }

    #[test]
    fn a_short_log_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.log");
        fs::write(&log, "a line\n").unwrap();
        shorten(&log).unwrap();
        close(&log).unwrap();
        assert_eq!(fs::read_to_string(&log).unwrap(), "a line\n");
        assert!(shorten(&folder.path().join("none")).is_err());
    }
}
