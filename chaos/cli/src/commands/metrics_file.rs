//! `--metrics FILE`: a run's own Prometheus metrics, in a file that a node exporter's textfile collector reads.

use chaos_model::Record;
use chaos_report::Metrics;
use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// The file, and what is to stand in it.
pub(crate) struct MetricsFile {
    metrics: Metrics,
    place: Place,
}

/// The place that the command line named.
enum Place {
    /// A plain file, which is replaced as a whole, by one that is written beside it; its name is none that the collector reads.
    Plain { path: PathBuf, draft: PathBuf },
    /// Anything else, a device or a pipe: it is written to, and stays what it is.
    Open(File),
}

impl Place {
    /// The place at a path, where a link stands for what it leads to.
    // Renamed over, a device of the machine would become a plain file, and a link would lead nowhere any more.
    fn at(path: &Path) -> io::Result<Self> {
        let path = match fs::canonicalize(path) {
            // The file that is to be there is not there yet, behind a link too.
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::read_link(path)
                .map(|target| path.parent().unwrap_or(Path::new("")).join(target))
                .unwrap_or_else(|_| path.to_owned()),
            path => path?,
        };
        if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
            return Ok(Self::Open(OpenOptions::new().write(true).open(path)?));
        }
        let mut draft = path.as_os_str().to_owned();
        draft.push(".new");
        Ok(Self::Plain { path, draft: draft.into() })
    }
}

impl MetricsFile {
    /// A file at this path, written anew whenever something has changed.
    ///
    /// # Errors
    /// In words, for people: the path is no place for a file. That is a mistake in the command line.
    pub(crate) fn at(path: &Path) -> Result<Self, String> {
        let wrong = |error| format!("--metrics: can't write {}: {error}", path.display());
        let file = Self { metrics: Metrics::default(), place: Place::at(path).map_err(wrong)? };
        file.write().map_err(wrong)?;
        Ok(file)
    }

    /// Takes an event in.
    ///
    /// # Errors
    /// Those of writing.
    pub(crate) fn on(&mut self, record: &Record) -> io::Result<()> {
        if self.metrics.on(record) { self.write() } else { Ok(()) }
    }

    /// Writes it anew: whoever reads sees all of it as it was before, or all of it as it is now.
    // A file, and not a port: a Prometheus in a container reaches no loopback of the machine's, and what was judged is
    // there after the run has ended.
    fn write(&self) -> io::Result<()> {
        let (path, draft) = match &self.place {
            Place::Plain { path, draft } => (path, draft),
            Place::Open(file) => return self.metrics.write(&mut BufWriter::new(file)),
        };
        // One that is left of a run that was killed, or a link that somebody else put there.
        match fs::remove_file(draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut out = BufWriter::new(File::create_new(draft)?);
        self.metrics.write(&mut out)?;
        out.flush()?;
        // The exporter runs as somebody else.
        out.get_ref().set_permissions(Permissions::from_mode(0o644))?;
        fs::rename(draft, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Read as _,
        os::unix::{fs::FileTypeExt as _, net::UnixListener},
    };

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_plain_file_is_replaced_and_a_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [plain, link, target, later, dangling] =
            ["plain.prom", "link.prom", "target.prom", "later.prom", "dangling.prom"]
                .map(|name| folder.path().join(name));
        fs::write(&plain, "before").unwrap();
        fs::write(&target, "before").unwrap();
        std::os::unix::fs::symlink("target.prom", &link).unwrap();
        std::os::unix::fs::symlink("later.prom", &dangling).unwrap();
        for (path, file) in [(&plain, &plain), (&link, &target), (&dangling, &later)] {
            MetricsFile::at(path).unwrap();
            assert_eq!(read(file), "", "nothing is known before a run");
        }
        assert!(link.is_symlink() && dangling.is_symlink() && !target.is_symlink());
        let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(left.into_iter().all(|name| !name.to_string_lossy().ends_with(".new")));
    }

    #[test]
    fn what_is_no_plain_file_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || {
                let mut text = String::new();
                File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
                text
            }
        });
        drop(MetricsFile::at(&pipe).unwrap());
        assert_eq!(reader.join().unwrap(), "", "it was opened and closed");
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        for refused in [&socket, &folder.path().to_owned()] {
            let error = MetricsFile::at(refused).err().unwrap();
            assert!(error.starts_with("--metrics: can't write"), "{error}");
        }
        assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
    }
}
