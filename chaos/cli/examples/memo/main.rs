//! A `chaos` command with a protocol, a check and a report that `chaos` doesn't bring, and with the system that they are for:
//! notes over HTTP, kept by a store that speaks lines. CONTRIBUTING.md shows all three, and how they would be added to `chaos`.

mod checks;
mod memo;
mod notes;
mod reports;
mod store;

use chaos_cli::{Bundle, Program};
use chaos_model::{Protocol, check::markdown, protocol};
use std::process::ExitCode;

const BUNDLE: Bundle = Bundle {
    programs: &[
        Program { name: "notes", run: |host| Box::pin(notes::run(host)) },
        Program { name: "memo", run: |host| Box::pin(store::run(host)) },
    ],
    protocols: &[Protocol::new(&memo::ROW)],
    checks: checks::ROWS,
    reports: reports::ROWS,
};

fn main() -> ExitCode {
    // The pages of reference are functions of all rows.
    if std::env::args().nth(1).as_deref() == Some("pages") {
        print!("{}\n{}", protocol::markdown(&BUNDLE.all_protocols()), markdown(&BUNDLE.all_checks()));
        return ExitCode::SUCCESS;
    }
    chaos_cli::main(BUNDLE)
}
