//! `json`: the results of all runs as one JSON document.

use super::{Report, Row};
use crate::{
    against::Compared,
    results::{Invalid, Results, write_document},
};
use chaos_model::Record;
use std::io::{self, Write};

pub(super) const ROW: Row = Row {
    name: "json",
    about: "the outcome of each run with its figures, as one JSON document",
    new: |_, _| Box::new(Json(Results::default())),
};

struct Json(Results);

impl Report for Json {
    fn on(&mut self, record: &Record, _: &mut dyn Write) -> io::Result<()> {
        self.0.on(record);
        Ok(())
    }

    fn invalid(&mut self, invalid: &Invalid) {
        self.0.invalid(invalid.clone());
    }

    fn against(&mut self, compared: &[Compared]) {
        self.0.against(compared);
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        write_document(&self.0, out)
    }
}
