//! The place of a log. Services know it, and may put something else there: a link, a pipe, another file under a second name, or
//! that in place of the folder. Nobody is led elsewhere by it: a log is a plain file of one name, in a folder that is no link.

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, fcntl_setfl, openat, renameat, unlinkat},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Write as _},
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    path::Path,
};

/// The place of a log: its folder, which is open, and its name.
pub(crate) struct LogFile<'l> {
    folder: OwnedFd,
    name: &'l OsStr,
}

impl<'l> LogFile<'l> {
    /// The place that a path names.
    ///
    /// # Errors
    /// Where its folder is none.
    pub(crate) fn of(log: &'l Path) -> io::Result<Self> {
        let (Some(folder), Some(name)) = (log.parent(), log.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self { folder: openat(CWD, folder, flags, Mode::empty())?, name })
    }

    /// The log, to be read.
    ///
    /// # Errors
    /// Those of the file; and where it is no log.
    pub(crate) fn read(&self) -> io::Result<File> {
        self.open(self.name, OFlags::RDONLY)
    }

    /// The log, to be written at its end.
    ///
    /// # Errors
    /// Those of the file; and where it is no log.
    pub(crate) fn append(&self) -> io::Result<File> {
        self.open(self.name, OFlags::WRONLY | OFlags::APPEND)
    }

    /// The same; one that is not there, or is no log, is made anew.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn append_or_make(&self) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE;
        let file = match self.open(self.name, flags) {
            Err(error) if is_no_log(&error) => {
                unlinkat(&self.folder, self.name, AtFlags::empty())?;
                self.open(self.name, flags | OFlags::EXCL)?
            }
            opened => opened?,
        };
        // A service gets it, and its writes wait as those to a file do.
        fcntl_setfl(&file, OFlags::APPEND)?;
        Ok(file)
    }

    /// Puts a log of these bytes in the place of what is there.
    ///
    /// # Errors
    /// Those of the files.
    pub(crate) fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let mut new = OsString::from(self.name);
        new.push(".new");
        match unlinkat(&self.folder, &new, AtFlags::empty()) {
            Err(error) if error != Errno::NOENT => return Err(error.into()),
            _ => {}
        }
        self.open(&new, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?.write_all(bytes)?;
        Ok(renameat(&self.folder, &new, &self.folder, self.name)?)
    }

    fn open(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        // A pipe that nobody reads would be waited for.
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(openat(&self.folder, name, flags, Mode::from_raw_mode(0o666))?);
        let of = file.metadata()?;
        if !of.is_file() || of.nlink() != 1 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file of one name"));
        }
        Ok(file)
    }
}

/// True where something else has the name of a log: a link, or a pipe that nobody reads, or what [`LogFile::open`] refuses.
fn is_no_log(error: &io::Error) -> bool {
    let of_kernel = Errno::from_io_error(error).is_some_and(|error| matches!(error, Errno::LOOP | Errno::NXIO));
    of_kernel || error.kind() == io::ErrorKind::InvalidInput
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Read as _, os::unix::fs::symlink, path::PathBuf};
    use tempfile::TempDir;

    /// Something precious, and things that a service may put in a log's place which lead there, or nowhere.
    fn traps() -> (TempDir, PathBuf, Vec<PathBuf>) {
        let temp = tempfile::tempdir().unwrap();
        let (precious, folder) = (temp.path().join("precious"), temp.path().join("run"));
        fs::write(&precious, "mine").unwrap();
        fs::create_dir(&folder).unwrap();
        let places = ["link", "hard", "pipe", "dangling"].map(|name| folder.join(format!("{name}.log")));
        let [link, hard, pipe, dangling] = &places;
        symlink(&precious, link).unwrap();
        fs::hard_link(&precious, hard).unwrap();
        rustix::fs::mkfifoat(CWD, pipe, Mode::RUSR | Mode::WUSR).unwrap();
        symlink(temp.path().join("made"), dangling).unwrap();
        (temp, precious, places.to_vec())
    }

    #[test]
    fn what_is_no_log_is_neither_read_nor_written() {
        let (temp, precious, traps) = traps();
        for trap in &traps {
            let place = LogFile::of(trap).unwrap();
            assert!(place.read().is_err() && place.append().is_err(), "{}", trap.display());
            place.append_or_make().unwrap().write_all(b"said").unwrap();
            assert_eq!(fs::read_to_string(trap).unwrap(), "said", "a log is made in its place");
            assert!(trap.symlink_metadata().unwrap().is_file());
        }
        assert_eq!(fs::read_to_string(precious).unwrap(), "mine");
        assert!(!temp.path().join("made").exists());
    }

    #[test]
    fn a_log_is_replaced_whatever_is_there() {
        let (temp, precious, traps) = traps();
        for trap in &traps {
            symlink(&precious, trap.with_extension("log.new")).unwrap();
            LogFile::of(trap).unwrap().replace(b"whole").unwrap();
            assert_eq!(fs::read_to_string(trap).unwrap(), "whole");
        }
        assert_eq!(fs::read_to_string(precious).unwrap(), "mine");
        assert!(!temp.path().join("made").exists());
    }

    #[test]
    fn a_folder_that_is_a_link_is_not_followed() {
        let (temp, _, _) = traps();
        let elsewhere = temp.path().join("elsewhere");
        symlink(temp.path().join("run"), &elsewhere).unwrap();
        assert!(LogFile::of(&elsewhere.join("a.log")).is_err());
    }

    #[test]
    fn a_log_goes_on_where_it_ended() {
        let temp = tempfile::tempdir().unwrap();
        let log = temp.path().join("a.log");
        let place = LogFile::of(&log).unwrap();
        assert!(place.append().is_err(), "there is none");
        place.append_or_make().unwrap().write_all(b"one ").unwrap();
        place.append_or_make().unwrap().write_all(b"two ").unwrap();
        place.append().unwrap().write_all(b"three").unwrap();
        let mut text = String::new();
        place.read().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two three");
    }
}
