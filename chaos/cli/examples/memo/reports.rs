//! The reports that the command brings: the example of CONTRIBUTING.md, as it stands in the table's folder.

use chaos_report::reports::{Report, Row};

#[path = "../../../report/src/reports/statuses.rs"]
mod statuses;

/// The reports, in the order in which people are told of them.
pub(crate) const ROWS: &[Row] = &[statuses::ROW];
