//! `--metrics FILE`: a run's own Prometheus metrics, in a file that a node exporter's textfile collector reads.

use chaos_model::Record;
use chaos_report::Metrics;
use std::{
    fs::{self, File, Permissions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// The file, and what is to stand in it.
pub(crate) struct MetricsFile {
    metrics: Metrics,
    path: PathBuf,
    /// Beside it, and by its name no file that the collector reads.
    draft: PathBuf,
}

impl MetricsFile {
    /// A file at this path, written anew whenever something has changed.
    ///
    /// # Errors
    /// In words, for people: the path is no place for a file. That is a mistake in the command line.
    pub(crate) fn at(path: &Path) -> Result<Self, String> {
        let mut draft = path.as_os_str().to_owned();
        draft.push(".new");
        let file = Self { metrics: Metrics::default(), path: path.to_owned(), draft: draft.into() };
        file.write().map_err(|error| format!("--metrics: can't write {}: {error}", path.display()))?;
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
        let mut out = BufWriter::new(File::create(&self.draft)?);
        self.metrics.write(&mut out)?;
        out.flush()?;
        // The exporter runs as somebody else.
        out.get_ref().set_permissions(Permissions::from_mode(0o644))?;
        fs::rename(&self.draft, &self.path)
    }
}
