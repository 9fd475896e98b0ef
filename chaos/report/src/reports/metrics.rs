//! `metrics`: the run as Prometheus metrics, as they stood when its recording ended.

use super::{Report, Row};
use crate::Metrics;
use chaos_model::Record;
use std::io::{self, Write};

pub(super) const ROW: Row = Row {
    name: "metrics",
    about: "Prometheus metrics, as `--metrics` leaves them; those of the last run where there are several",
    new: |_, _| Box::new(Last(Metrics::default())),
};

/// The metrics of the last run.
struct Last(Metrics);

impl Report for Last {
    fn on(&mut self, record: &Record, _: &mut dyn Write) -> io::Result<()> {
        self.0.on(record);
        Ok(())
    }

    fn finish(&mut self, mut out: &mut dyn Write) -> io::Result<()> {
        self.0.write(&mut out)
    }
}
