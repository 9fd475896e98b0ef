//! The checks that the command brings: the example of CONTRIBUTING.md, as it stands in the table's folder.

use chaos_model::{
    Comparison, Share,
    check::{Arrival, Evidence, Finding, Leaf, Need, Row, Shape, Subject, term},
};

#[path = "../../../model/src/check/shed.rs"]
mod shed;

/// The checks, in the order in which people are told of them.
pub(crate) const ROWS: &[&Row] = &[&shed::ROW];
