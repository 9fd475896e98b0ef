//! `json`: the results of all runs as one JSON document.

use super::{OfResults, Row};
use crate::results::write_document;

pub(super) const ROW: Row = Row {
    name: "json",
    about: "the outcome of each run with its figures, as one JSON document",
    new: |_, _| OfResults::boxed(|results, out| write_document(results, out)),
};
